// The TLS server: listens, tells admission from the rest, drains before it closes.
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../log.ts'
import { type Admit, admissionHandler, entryOf } from './admission.ts'
import { app, NOTHING_HERE, type Readiness } from './app.ts'
import { LIMITS, type Limits } from './limits.ts'
import { announcesBody, refuse } from './refusal.ts'

export type KeyPair = { readonly cert: string; readonly key: string }

export type ServerOptions = {
  readonly port: number
  /** Absent: every address of the machine. */
  readonly host?: string
  readonly keyPair: KeyPair
  readonly admit: Admit
  readonly log: Log
  readonly notReady?: Readiness
  readonly limits?: Partial<Limits>
}

export type DrainOptions = {
  /** How long new connections are still taken, until everybody has heard that this server goes. */
  readonly delayMs: number
  /** How long requests may take after that. */
  readonly graceMs: number
}

export type Serving = {
  readonly port: number
  /** For new connections; those that are open keep theirs. Throws, and keeps the old one, if the new one is no key pair. */
  useKeyPair(keyPair: KeyPair): void
  drain(options: DrainOptions): Promise<void>
}

/** Rejects where nothing can listen, such as on a port in use. */
export async function serve(options: ServerOptions): Promise<Serving> {
  const limits = { ...LIMITS, ...options.limits }
  const state = { draining: false }
  const server = createServer(settings(options.keyPair, limits))
  server.keepAliveTimeout = limits.keepAliveTimeoutMs
  server.on('request', dispatch(options, limits, state))
  server.on('clientError', answerBrokenRequest)
  const { port, host } = options
  server.listen(host === undefined ? { port } : { port, host })
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    useKeyPair: keyPair => server.setSecureContext({ ...keyPair, minVersion: 'TLSv1.2' }),
    drain: how => drain(server, state, how),
  }
}

function settings(keyPair: KeyPair, limits: Limits) {
  return {
    ...keyPair,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: limits.handshakeTimeoutMs,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: limits.checkEveryMs,
  } as const
}

function dispatch(options: ServerOptions, limits: Limits, state: { readonly draining: boolean }) {
  const { admit, log, notReady = () => undefined } = options
  const isDraining = () => state.draining
  const handleAdmission = admissionHandler({ admit, limits, log, isDraining })
  const handleRest = app({ notReady: () => (state.draining ? 'it is shutting down' : notReady()), log })
  return (...[request, response]: Parameters<typeof handleRest>) => {
    const entry = entryOf(request.url)
    if (entry !== undefined) return handleAdmission(entry, request, response)
    // Nothing but admission takes a body, and Express would read one for as long as somebody sends it.
    if (announcesBody(request)) return refuse(request, response, NOTHING_HERE)
    if (state.draining) response.setHeader('Connection', 'close')
    handleRest(request, response)
  }
}

/** What Node could not read as HTTP, or did not get in time. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [status, says] = BROKEN[error.code ?? ''] ?? [
    '400 Bad Request',
    'this is not HTTP/1.1; POST an AdmissionReview to /mutate or /validate',
  ]
  const body = `${JSON.stringify({ error: says })}\n`
  const head = `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`
  socket.end(head + body, () => socket.destroy())
}

const BROKEN: Readonly<Record<string, readonly [status: string, says: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request did not arrive in time; send it in one go'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'the headers are too large; send fewer'],
}

/**
 * The listener goes before the idle connections do: closed first, a request that is on its way on one of them would be
 * lost; left open for good, callers would stay on a server that goes.
 */
async function drain(server: Server, state: { draining: boolean }, { delayMs, graceMs }: DrainOptions): Promise<void> {
  state.draining = true
  if (delayMs > 0) await sleep(delayMs)
  const closed = once(server, 'close')
  server.close()
  const late = setTimeout(() => {
    // One whose handshake ends only after this is not among those that are known.
    server.on('secureConnection', socket => socket.destroy())
    server.closeAllConnections()
  }, graceMs)
  await closed
  clearTimeout(late)
}
