// Reads text the way the Go standard library does, because ingress-nginx is a Go program.
import { isIPv4, isIPv6 } from 'node:net'

/** strings.TrimSpace: unlike trim() it removes U+0085 and keeps U+FEFF. */
export function trimSpace(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isSpace(text.charCodeAt(start))) start++
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function isSpace(code: number): boolean {
  if (code === 0x20 || (code >= 0x09 && code <= 0x0d)) return true
  if (code === 0x85 || code === 0xa0 || code === 0x1680) return true
  if (code >= 0x2000 && code <= 0x200a) return true
  return code === 0x2028 || code === 0x2029 || code === 0x202f || code === 0x205f || code === 0x3000
}

const BOOLS = new Set(['1', 't', 'T', 'TRUE', 'true', 'True', '0', 'f', 'F', 'FALSE', 'false', 'False'])

/** strconv.ParseBool, which trims nothing and knows no "yes". */
export function parsesAsBool(text: string): boolean {
  return BOOLS.has(text)
}

/** strconv.Atoi on a 64-bit machine. */
export function parsesAsInt(text: string): boolean {
  if (!/^[+-]?\d+$/.test(text)) return false
  const digits = text.replace(/^[+-]?0*/, '')
  if (digits.length < 19) return true
  const limit = text.startsWith('-') ? 2n ** 63n : 2n ** 63n - 1n
  return digits.length === 19 && BigInt(digits) <= limit
}

/** net.ParseCIDR or net.ParseIP: a zone is no address, and the prefix length is any decimal that fits. */
export function parsesAsNetwork(text: string): boolean {
  const slash = text.indexOf('/')
  const address = slash < 0 ? text : text.slice(0, slash)
  if (address.length > 64 || address.includes('%')) return false
  const bits = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1
  if (slash < 0 || bits < 0) return bits > 0
  const length = text.slice(slash + 1)
  return /^\d+$/.test(length) && Number(length) <= bits
}
