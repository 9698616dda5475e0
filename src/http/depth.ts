// Whether JSON text is nested deeper than allowed, before anything builds a tree of it.

const QUOTE = 0x22
const BACKSLASH = 0x5c
// The brackets and braces of ASCII differ in this bit alone: [ and { become {, ] and } become }.
const CASE_BIT = 0x20
// Z: brackets and braces come after it, digits and what else is outside of strings before.
const LETTERS = 0x5a
const OPEN = 0x7b
const CLOSE = 0x7d

/**
 * Text that is no JSON may be judged wrongly, which does no harm: up to its first error it is read as a parser reads
 * it, and there a parser stops.
 */
export function isDeeperThan(limit: number, json: Uint8Array): boolean {
  const { length } = json
  let depth = 0
  for (let at = 0; at < length; at++) {
    const byte = json[at]!
    if (byte === QUOTE) at = endOfString(json, at)
    else if (byte > LETTERS) {
      const bracket = byte | CASE_BIT
      if (bracket === OPEN && ++depth > limit) return true
      if (bracket === CLOSE) depth--
    }
  }
  return false
}

function endOfString(json: Uint8Array, start: number): number {
  const { length } = json
  let at = start + 1
  for (; at < length && json[at] !== QUOTE; at++) if (json[at] === BACKSLASH) at++
  return at
}
