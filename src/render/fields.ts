// The top-level fields of a YAML text, so that a change of one leaves the text of the others alone.

export type Field = { readonly before: string; readonly text: string; readonly after: string }

/**
 * The lines of one field; undefined: they cannot be told from the text alone. In a block map whatever starts in the first
 * column is a key, a comment, or an entry of the list that the key above has. Aliases may lead out of a field, and after
 * a scalar that keeps its line breaks blank lines count.
 */
export function fieldOf(text: string, name: string): Field | undefined {
  if (/[\s[{,]([&*!]\S|\?\s)|[|>]\d?\+/.test(text)) return undefined
  const start = new RegExp(`^${name}:(?=\\s)`, 'm').exec(text)?.index
  if (start === undefined) return undefined
  const next = /\n(?=[^\s#])(?!-\s)/.exec(text.slice(start))
  const end = next === null ? text.length : start + next.index + 1
  const lines = text.slice(start, end)
  const rest = /(?<=\n)(?:#.*\n|[^\S\n]*\n)*$/.exec(lines)?.[0] ?? ''
  return {
    before: text.slice(0, start),
    text: lines.slice(0, lines.length - rest.length),
    after: rest + text.slice(end),
  }
}
