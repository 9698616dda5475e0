// JSON of YAML values: whole numbers of any size as they are, keys in the order they were written in.

/** Maps as `Map`, whole numbers as BigInt, as the reader of YAML gives them. */
export function jsonText(value: unknown, indent: string, margin = ''): string {
  if (typeof value === 'bigint') return String(value)
  const inner = margin + indent
  if (Array.isArray(value)) {
    return enclose(
      '[]',
      value.map(item => jsonText(item, indent, inner)),
      indent,
      margin,
    )
  }
  const fields = fieldsOf(value)
  // What JSON has no word for is null.
  if (fields === undefined) return JSON.stringify(value) ?? 'null'
  const colon = indent === '' ? ':' : ': '
  const pairs = fields.map(([key, of]) => `${JSON.stringify(String(key ?? ''))}${colon}${jsonText(of, indent, inner)}`)
  return enclose('{}', pairs, indent, margin)
}

function fieldsOf(value: unknown): [unknown, unknown][] | undefined {
  if (value instanceof Map) return [...value]
  return typeof value === 'object' && value !== null ? Object.entries(value) : undefined
}

function enclose(brackets: string, parts: readonly string[], indent: string, margin: string): string {
  const [open, close] = brackets
  if (parts.length === 0) return brackets
  if (indent === '') return `${open}${parts.join(',')}${close}`
  return `${open}\n${parts.map(part => margin + indent + part).join(',\n')}\n${margin}${close}`
}
