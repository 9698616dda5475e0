// A proxy before a real API server: it ends TLS, forwards everything, counts, and does to connections what networks do.
import { readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Agent, createServer, request } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { createAuthority } from '../../src/certificates/authority.ts'
import { issueLeaf } from '../../src/certificates/leaf.ts'

export type Seen = { readonly url: string; readonly path: string; readonly kind: Kind }

/** `present`: what version it is at. */
type Kind = 'list' | 'page' | 'present' | 'watch'

/** Answers instead of the API server, when it returns true. */
export type Fault = (seen: Seen, response: ServerResponse, request: IncomingMessage) => boolean

/** A watch that runs through the proxy. */
export type Live = {
  readonly seen: Seen
  readonly client: ServerResponse
  /** What becomes of each piece that the API server sends. */
  pass: (piece: string) => string | undefined
  /** Lets go of the API server and leaves the client on its own. */
  abandon(): void
}

export type TestProxy = {
  readonly server: string
  /** The same user, by way of the proxy. */
  readonly kubeconfig: string
  readonly seen: Seen[]
  readonly live: ReadonlySet<Live>
  /** TCP connections opened so far. */
  readonly connections: number
  fault: Fault | undefined
  /** Another address to ask the API server for. */
  rewrite: ((url: string) => string) | undefined
  /** In place of the token that the client sends. */
  token: string | undefined
  /** By how many ms the answer to a request comes later than the API server gives it. */
  late: ((request: IncomingMessage) => number) | undefined
  /** A TCP reset on every connection. */
  reset(): void
  /** Every connection stays open, nobody reads it and nobody answers. */
  freeze(): void
  stop(): Promise<void>
}

type Target = { readonly server: string; readonly ca: string; readonly token: string }

export async function startProxy(kubeconfig: string, dir: string): Promise<TestProxy> {
  const target = readTarget(kubeconfig)
  const authority = await createAuthority(new Date())
  const { cert, key } = await issueLeaf(authority, ['127.0.0.1'], new Date())
  const agent = new Agent({ ca: target.ca, keepAlive: true })
  const sockets = new Set<Socket>()
  const live = new Set<Live>()
  let connections = 0
  const server = createServer({ cert, key, keepAliveTimeout: 120_000 }, (incoming, response) => {
    const seen = readSeen(incoming.url ?? '')
    proxy.seen.push(seen)
    if (proxy.fault?.(seen, response, incoming) === true) return
    forward({ incoming, response, seen, agent, target, proxy, live })
  })
  // Clients of these tests break connections on purpose.
  server.on('tlsClientError', () => {})
  server.on('connection', (socket: Socket) => {
    connections++
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const proxy: TestProxy = {
    server: address,
    kubeconfig: writeKubeconfig(join(dir, `proxy-${address.split(':').at(-1)}`), address, authority.cert, target.token),
    seen: [],
    live,
    get connections() {
      return connections
    },
    fault: undefined,
    rewrite: undefined,
    token: undefined,
    late: undefined,
    reset() {
      for (const socket of sockets) socket.resetAndDestroy()
    },
    freeze() {
      for (const { abandon } of live) abandon()
      for (const socket of sockets) socket.pause()
    },
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
      agent.destroy()
    },
  }
  return proxy
}

type Forwarding = {
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  readonly seen: Seen
  readonly agent: Agent
  readonly target: Target
  readonly proxy: TestProxy
  readonly live: Set<Live>
}

function forward({ incoming, response, seen, agent, target, proxy, live }: Forwarding): void {
  const url = incoming.url ?? ''
  const headers = { ...incoming.headers, host: new URL(target.server).host }
  if (proxy.token !== undefined) headers.authorization = `Bearer ${proxy.token}`
  const address = `${target.server}${proxy.rewrite?.(url) ?? url}`
  const asked = request(address, { method: incoming.method, headers, agent }, answer => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    response.flushHeaders()
    const one: Live = { seen, client: response, pass: piece => piece, abandon }
    if (seen.kind === 'watch') live.add(one)
    answer.setEncoding('utf8')
    answer.on('data', (piece: string) => {
      const passed = one.pass(piece)
      if (passed !== undefined && !abandoned) response.write(passed)
    })
    answer.on('end', () => !abandoned && response.end())
    answer.on('error', () => !abandoned && response.destroy())
    answer.on('close', () => live.delete(one))
    const late = proxy.late?.(incoming) ?? 0
    if (late > 0) {
      answer.pause()
      setTimeout(() => answer.resume(), late)
    }
  })
  let abandoned = false
  const abandon = () => {
    abandoned = true
    asked.destroy()
  }
  asked.on('error', () => !abandoned && response.destroy())
  response.on('close', () => asked.destroy())
  incoming.pipe(asked)
}

function readSeen(url: string): Seen {
  const { pathname, searchParams } = new URL(url, 'https://proxy')
  return { url, path: pathname, kind: kindOf(searchParams) }
}

function kindOf(query: URLSearchParams): Kind {
  if (query.has('watch')) return 'watch'
  if (query.has('continue')) return 'page'
  return query.get('limit') === '1' ? 'present' : 'list'
}

function readTarget(kubeconfig: string): Target {
  const { clusters, users } = JSON.parse(readFileSync(kubeconfig, 'utf8'))
  const { server, 'certificate-authority-data': ca } = clusters[0].cluster
  return { server, ca: Buffer.from(ca, 'base64').toString('utf8'), token: users[0].user.token }
}

/** Gives the path of the kubeconfig; the token is in a file next to it that ends in `.token`. */
function writeKubeconfig(path: string, server: string, ca: string, token: string): string {
  const cluster = { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') }
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'proxy', cluster }],
    users: [{ name: 'user', user: { tokenFile: `${path}.token` } }],
    contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'user' } }],
    'current-context': 'proxy',
  }
  writeFileSync(`${path}.token`, token, { mode: 0o600 })
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 })
  return path
}
