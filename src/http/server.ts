// The TLS server: listens, tells admission from the rest, drains before it closes.
import { constants } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Express } from 'express'
import type { Log } from '../log.ts'
import { type Admit, admissionHandler, entryOf, type Served } from './admission.ts'
import type { Readiness } from './app.ts'
import type { InFlight } from './body.ts'
import { onlyClients } from './clients.ts'
import { LIMITS, type Limits } from './limits.ts'
import { announcesBody, NOTHING_HERE, refuse } from './refusal.ts'

export type KeyPair = {
  readonly cert: string
  readonly key: string
  /** PEM of the authority of client certificates. */
  readonly clientCa?: string
}

export type ServerOptions = {
  readonly port: number
  /** Absent: every address of the machine. */
  readonly host?: string
  /** Absent: there is none yet, and until there is no connection succeeds. */
  readonly keyPair?: KeyPair
  readonly admit: Admit
  readonly log: Log
  readonly served?: Served
  /** Names of client certificates, of which admission asks for one. Absent: it answers everybody. */
  readonly clientNames?: readonly string[]
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
  /** Where it listens; `::` and `0.0.0.0` are every address. */
  readonly address: string
  readonly inFlight: Readonly<InFlight>
  /** For new connections; those that are open keep theirs. Throws, and keeps the old one, if the new one is no key pair. */
  useKeyPair(keyPair: KeyPair): void
  drain(options: DrainOptions): Promise<void>
}

/** Rejects where nothing can listen, such as on a port in use. */
export async function serve(options: ServerOptions): Promise<Serving> {
  const limits = { ...LIMITS, ...options.limits }
  const state: State = { draining: false, inFlight: { bytes: 0, requests: 0 } }
  const server = createServer(settings(options, limits))
  server.keepAliveTimeout = limits.keepAliveTimeoutMs
  server.on('request', dispatch(options, limits, state))
  server.on('clientError', answerBrokenRequest)
  const { port, host } = options
  server.listen(host === undefined ? { port } : { port, host })
  await once(server, 'listening')
  const listening = server.address() as AddressInfo
  return {
    port: listening.port,
    address: listening.address,
    inFlight: state.inFlight,
    useKeyPair: keyPair => server.setSecureContext(secured(keyPair, options.clientNames)),
    drain: how => drain(server, state, how),
  }
}

type State = { draining: boolean; readonly inFlight: InFlight }

function settings({ keyPair, clientNames }: ServerOptions, limits: Limits) {
  return {
    ...(keyPair === undefined ? { minVersion: MIN_VERSION } : secured(keyPair, clientNames)),
    ...(clientNames === undefined ? {} : { requestCert: true, rejectUnauthorized: false }),
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: limits.handshakeTimeoutMs,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: limits.checkEveryMs,
  }
}

const MIN_VERSION = 'TLSv1.2' as const

/** A ticket would let a client in again without its certificate being looked at, so there are none for clients. */
function secured({ cert, key, clientCa }: KeyPair, clientNames: readonly string[] | undefined) {
  const own = { cert, key, minVersion: MIN_VERSION } as const
  if (clientNames === undefined) return own
  // Without an authority of its own it would trust those of the system.
  return { ...own, ca: clientCa === undefined ? [] : [clientCa], secureOptions: constants.SSL_OP_NO_TICKET }
}

function dispatch(options: ServerOptions, limits: Limits, state: State) {
  const { admit, log, served, clientNames, notReady = () => undefined } = options
  const { inFlight } = state
  const isDraining = () => state.draining
  const mayAsk = clientNames === undefined ? undefined : onlyClients(clientNames, Date.now)
  const handleAdmission = admissionHandler({ admit, limits, log, served, inFlight, mayAsk, isDraining })
  const missing = () => (state.draining ? 'it is shutting down' : notReady())
  let rest: Promise<Express> | undefined
  return (request: IncomingMessage, response: ServerResponse) => {
    const entry = entryOf(request.url ?? '')
    if (entry !== undefined) return handleAdmission(entry, request, response)
    // Nothing but admission takes a body, and Express would read one for as long as somebody sends it.
    if (announcesBody(request)) return refuse(request, response, NOTHING_HERE)
    if (state.draining) response.setHeader('Connection', 'close')
    // In a cluster nobody asks for it here, and Express with all that it loads takes 6 MB.
    rest ??= import('./app.ts').then(({ app }) => app({ notReady: missing, log }))
    void rest.then(handle => handle(request, response))
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
async function drain(server: Server, state: State, { delayMs, graceMs }: DrainOptions): Promise<void> {
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
