// Keeps cookies as a browser does: by domain, path and scheme.

type Cookie = {
  readonly name: string
  readonly value: string
  readonly domain: string
  readonly hostOnly: boolean
  readonly path: string
  readonly secure: boolean
}

export type CookieJar = {
  /** The value of a Cookie header; undefined: there is none to send. */
  header(url: URL): string | undefined
  take(url: URL, setCookies: readonly string[]): void
  value(name: string): string | undefined
  names(): string[]
}

export function cookieJar(): CookieJar {
  const cookies = new Map<string, Cookie>()
  return {
    header(url) {
      const sent = [...cookies.values()].filter(cookie => goesTo(cookie, url))
      return sent.length === 0 ? undefined : sent.map(({ name, value }) => `${name}=${value}`).join('; ')
    },
    take(url, setCookies) {
      for (const text of setCookies) {
        const { cookie, over } = parse(text, url)
        const key = `${cookie.name};${cookie.domain};${cookie.path}`
        if (over) cookies.delete(key)
        else cookies.set(key, cookie)
      }
    },
    value: name => [...cookies.values()].find(cookie => cookie.name === name)?.value,
    names: () => [...cookies.values()].map(({ name }) => name),
  }
}

function goesTo({ domain, hostOnly, path, secure }: Cookie, { hostname, pathname, protocol }: URL): boolean {
  const host = hostname === domain || (!hostOnly && hostname.endsWith(`.${domain}`))
  const below = pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`)
  return host && below && (!secure || protocol === 'https:')
}

function parse(text: string, url: URL): { cookie: Cookie; over: boolean } {
  const [pair = '', ...rest] = text.split(';').map(each => each.trim())
  const [name, value] = cut(pair)
  const attributes = new Map(rest.map(cut).map(([key, said]) => [key.toLowerCase(), said]))
  const domain = attributes.get('domain')?.replace(/^\./, '')
  const cookie = {
    name,
    value,
    domain: domain || url.hostname,
    hostOnly: !domain,
    path: attributes.get('path') || '/',
    secure: attributes.has('secure'),
  }
  const expires = attributes.get('expires')
  const over =
    Number(attributes.get('max-age') ?? 1) <= 0 || (expires !== undefined && Date.parse(expires) < Date.now())
  return { cookie, over }
}

function cut(text: string): [string, string] {
  const at = text.indexOf('=')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}
