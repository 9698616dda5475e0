// An HTTP client that meets one gateway, with cookies of its own: no redirect is followed unasked.
import { type IncomingMessage, type OutgoingHttpHeaders, request as requestPlain } from 'node:http'
import { Agent, request as requestSecure } from 'node:https'
import type { LookupFunction } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Reached } from './application.ts'
import { type CookieJar, cookieJar } from './cookie-jar.ts'
import type { Stage } from './stage.ts'

export type Asked = {
  readonly method?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string
}

export type Got = {
  readonly url: string
  readonly status: number
  readonly header: (name: string) => string | undefined
  readonly location: string | undefined
  readonly body: string
  /** What an application says; undefined: none has answered. */
  readonly reached: Reached | undefined
}

export type Client = {
  readonly jar: CookieJar
  ask(url: string, asked?: Asked): Promise<Got>
  /** Asks and follows redirects. */
  follow(url: string, asked?: Asked): Promise<Got>
  /** Asks, and where that ends at the OpenID provider, says who it is. */
  login(url: string, person: string): Promise<Got>
  close(): void
}

const MOST_REDIRECTS = 12

export function clientOf({ gateway, ca, domain }: Pick<Stage, 'gateway' | 'ca' | 'domain'>, jar = cookieJar()): Client {
  const agent = new Agent({ keepAlive: true, ca: ca.text, lookup: lookupFor(domain, gateway.address) })
  const ask: Client['ask'] = async (url, asked = {}) => {
    const target = new URL(url)
    const got = await send(target, agent, asked, jar.header(target))
    jar.take(target, got.cookies)
    return got
  }
  const follow: Client['follow'] = async (url, asked) => {
    let got = await ask(url, asked)
    for (let count = 0; got.location !== undefined; count++) {
      if (count === MOST_REDIRECTS) throw new Error(`redirected without end, at last to ${got.location}`)
      got = await ask(new URL(got.location, got.url).href)
    }
    return got
  }
  return {
    jar,
    ask,
    follow,
    async login(url, person) {
      const page = await follow(url)
      if (!page.body.includes('name="user"')) return page
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      return follow(page.url, { method: 'POST', headers, body: `user=${person}` })
    },
    close: () => agent.destroy(),
  }
}

/** DNS for the hosts of the stage. */
function lookupFor(domain: string, address: string): LookupFunction {
  return (host, options, found) => {
    if (host !== domain && !host.endsWith(`.${domain}`)) found(new Error(`${host} is no host of the stage`), '', 4)
    else if (options.all) found(null, [{ address, family: 4 }])
    else found(null, address, 4)
  }
}

async function send(
  url: URL,
  agent: Agent,
  { method = 'GET', headers = {}, body = '' }: Asked,
  cookie: string | undefined,
): Promise<Got & { cookies: readonly string[] }> {
  const secure = url.protocol === 'https:'
  // An answer that differs by this header is what a browser gets.
  const sent: OutgoingHttpHeaders = { accept: 'text/html', ...headers }
  if (cookie !== undefined && sent.cookie === undefined) sent.cookie = cookie
  if (body !== '') sent['content-length'] = String(Buffer.byteLength(body))
  const path = `${url.pathname}${url.search}`
  const options = { method, path, hostname: url.hostname, port: url.port, headers: sent }
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = secure ? requestSecure({ ...options, agent }, resolve) : requestPlain(options, resolve)
    request.on('error', reject)
    request.on('upgrade', answer => {
      answer.destroy()
      resolve(answer)
    })
    request.end(body)
  })
  const said = answer.statusCode === 101 ? '' : await text(answer)
  const { location } = answer.headers
  return {
    url: url.href,
    status: answer.statusCode ?? 0,
    header: name => answer.headers[name]?.toString(),
    location,
    body: said,
    reached: answer.headers['x-application'] === undefined || method === 'HEAD' ? undefined : JSON.parse(said),
    cookies: answer.headers['set-cookie'] ?? [],
  }
}
