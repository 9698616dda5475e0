// Says whether Go's regexp package is sure to compile an expression, in one pass over the text.
// It knows the everyday syntax only: what it does not know (\Q, \p, octal escapes) it does not vouch for.

// regexp/syntax refuses counts above 1000, counted through nested repeats, and nesting deeper than 1000.
const MOST_REPEATS = 1000
const DEEPEST = 200
// Longer ones can exceed the compiler's memory limit once they are repeated.
const LONGEST = 8192

const ESCAPED_CLASS = 'dDsSwW'
const ESCAPED_CHARACTER: ReadonlyMap<string, number> = new Map(
  Object.entries({ a: 7, t: 9, n: 10, v: 11, f: 12, r: 13 }),
)
const ESCAPED_ANCHOR = 'AbBz'
const PUNCTUATION = /^[!-/:-@[-`{-~]$/
// Sticky expressions keep their position outside themselves, so each scan gets its own.
const groupHead = () => /\(\?(?:[imsU]+(\))|[imsU]*:|P?<[A-Za-z_][A-Za-z0-9_]*>)/y
const repeatCount = () => /\{(\d+)(?:,(\d*))?\}/y
const namedClass = () =>
  /\[:\^?(?:al(?:num|pha)|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit):\]/y

type Scan = {
  readonly text: string
  at: number
  /** May the next thing be a repeat? */
  repeatable: boolean
  /** For each open group, the highest product of counts seen in it. The last one is the innermost. */
  readonly counts: number[]
  /** The count of what was read last. */
  last: number
}

export function compilesInGo(text: string): boolean {
  if (text.length > LONGEST || !text.isWellFormed()) return false
  const scan: Scan = { text, at: 0, repeatable: false, counts: [1], last: 1 }
  while (scan.at < text.length) if (!step(scan)) return false
  return scan.counts.length === 1
}

function step(scan: Scan): boolean {
  switch (scan.text[scan.at]) {
    case '(':
      return openGroup(scan)
    case ')':
      return closeGroup(scan)
    case '[':
      return readClass(scan)
    case '\\':
      return readEscape(scan)
    case '*':
    case '+':
    case '?':
      return readRepeat(scan, 1, 1)
    case '{':
      return readCount(scan)
    case '|':
      return advance(scan, 1, false)
    default:
      return advance(scan, 1, true)
  }
}

function advance(scan: Scan, by: number, repeatable: boolean): boolean {
  scan.at += by
  scan.repeatable = repeatable
  scan.last = 1
  return true
}

function openGroup(scan: Scan): boolean {
  if (scan.counts.length > DEEPEST) return false
  let head = '('
  if (scan.text[scan.at + 1] === '?') {
    const heads = groupHead()
    heads.lastIndex = scan.at
    const match = heads.exec(scan.text)
    if (match === null) return false
    const [whole, onlyFlags] = match
    if (onlyFlags !== undefined) return advance(scan, whole.length, false)
    head = whole
  }
  scan.counts.push(1)
  return advance(scan, head.length, false)
}

function closeGroup(scan: Scan): boolean {
  if (scan.counts.length === 1) return false
  const inside = scan.counts.pop() ?? 1
  advance(scan, 1, true)
  return noteCount(scan, inside)
}

function noteCount(scan: Scan, count: number): boolean {
  if (count > MOST_REPEATS) return false
  scan.last = count
  const innermost = scan.counts.length - 1
  scan.counts[innermost] = Math.max(scan.counts[innermost] ?? 1, count)
  return true
}

function readRepeat(scan: Scan, length: number, count: number): boolean {
  if (!scan.repeatable) return false
  const total = scan.last * Math.max(count, 1)
  const lazy = scan.text[scan.at + length] === '?' ? 1 : 0
  advance(scan, length + lazy, false)
  return noteCount(scan, total)
}

function readCount(scan: Scan): boolean {
  const braces = repeatCount()
  braces.lastIndex = scan.at
  const match = braces.exec(scan.text)
  // A brace that opens no count stands for itself.
  if (match === null) return advance(scan, 1, true)
  const least = Number(match[1])
  const most = match[2] ? Number(match[2]) : least
  if (least > MOST_REPEATS || most > MOST_REPEATS || most < least) return false
  return readRepeat(scan, match[0].length, most)
}

function readEscape(scan: Scan): boolean {
  const next = scan.text[scan.at + 1] ?? ''
  if (next === '') return false
  const known = (ESCAPED_CLASS + ESCAPED_ANCHOR).includes(next) || ESCAPED_CHARACTER.has(next) || PUNCTUATION.test(next)
  if (!known) return false
  return advance(scan, 2, true)
}

function readClass(scan: Scan): boolean {
  const { text } = scan
  let at = scan.at + 1
  if (text[at] === '^') at++
  let first = true
  while (first || text[at] !== ']') {
    const low = classCharacter(text, at)
    if (low === undefined) return false
    at = low.end
    first = false
    if (low.code === undefined || text[at] !== '-' || text[at + 1] === ']') continue
    const high = classCharacter(text, at + 1)
    if (high?.code === undefined || high.code < low.code) return false
    at = high.end
  }
  return advance(scan, at + 1 - scan.at, true)
}

/** One member of a class; no code where it stands for a class itself and so bounds no range. */
function classCharacter(text: string, at: number): { end: number; code: number | undefined } | undefined {
  const code = text.codePointAt(at)
  if (code === undefined) return undefined
  if (text[at] === '[' && text[at + 1] === ':') return namedClassAt(text, at)
  if (text[at] !== '\\') return { end: at + (code > 0xffff ? 2 : 1), code }
  const next = text[at + 1] ?? ''
  if (next === '') return undefined
  if (ESCAPED_CLASS.includes(next)) return { end: at + 2, code: undefined }
  if (PUNCTUATION.test(next)) return { end: at + 2, code: next.charCodeAt(0) }
  return ESCAPED_CHARACTER.has(next) ? { end: at + 2, code: ESCAPED_CHARACTER.get(next) } : undefined
}

function namedClassAt(text: string, at: number): { end: number; code: undefined } | undefined {
  const names = namedClass()
  names.lastIndex = at
  return names.test(text) ? { end: names.lastIndex, code: undefined } : undefined
}
