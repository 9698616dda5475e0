// How long a caller waits for its answer: the API server says so in the query, as in `?timeout=10s`.

const TIMEOUT = '?timeout='

/** In ms; undefined: it does not say. The API server rounds to whole seconds, of which a webhook gets 30 at most. */
export function timeoutOf(url: string): number | undefined {
  const start = url.indexOf(TIMEOUT)
  if (start < 0) return undefined
  let seconds = 0
  let at = start + TIMEOUT.length
  for (; at < url.length; at++) {
    const digit = url.charCodeAt(at) - 0x30
    if (digit < 0 || digit > 9) break
    seconds = seconds * 10 + digit
  }
  return url[at] === 's' && seconds > 0 ? seconds * 1000 : undefined
}
