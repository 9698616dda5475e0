// Host names as gateways read them: exact, `*.` wildcards, `''` for every host, and team patterns with a leading `*`.

/** Lower case, without the trailing dot that some tools add. */
export function normaliseHost(host: string): string {
  const lower = host.toLowerCase()
  return lower.endsWith('.') ? lower.slice(0, -1) : lower
}

/** Whether every host that `host` stands for is one that the pattern means: a leading `*` is one or more characters. */
export function covers(pattern: string, host: string): boolean {
  if (host === '') return false
  if (!pattern.startsWith('*')) return pattern === host
  const suffix = pattern.slice(1)
  const rest = host.startsWith('*') ? host.slice(1) : host
  if (host.startsWith('*')) return rest.endsWith(suffix)
  return rest.length > suffix.length && rest.endsWith(suffix)
}

/** Whether two patterns of teams have a host in common. */
export function patternsOverlap(a: string, b: string): boolean {
  if (!a.startsWith('*')) return covers(b, a)
  if (!b.startsWith('*')) return covers(a, b)
  const [first, second] = [a.slice(1), b.slice(1)]
  return first.endsWith(second) || second.endsWith(first)
}

/** Whether a cookie of the domain reaches every host that `host` stands for. */
export function underDomain(host: string, domain: string): boolean {
  const rest = host.startsWith('*.') ? host.slice(2) : host
  return rest === domain || rest.endsWith(`.${domain}`)
}

/**
 * The hosts that a listener and a route have in common (Gateway API, HTTPRoute `hostnames`): the more specific of the
 * two, undefined if they share none. `''` on either side stands for every host.
 */
export function intersectHosts(listener: string, route: string): string | undefined {
  if (listener === '' || listener === route) return route
  if (route === '') return listener
  if (isUnder(route, listener)) return route
  if (isUnder(listener, route)) return listener
  return undefined
}

/** Whether a host, or every host of a wildcard, is one that the wildcard (`*.example.com`) stands for. */
function isUnder(host: string, wildcard: string): boolean {
  if (!wildcard.startsWith('*.')) return false
  const suffix = wildcard.slice(1)
  return host.endsWith(suffix) && host.length > suffix.length
}
