// The connection to the API server: one keep-alive agent, credentials that are renewed, requests with a deadline.
import type { IncomingMessage } from 'node:http'
import { Agent } from 'node:https'
import { type Environment, findCredentials } from './credentials.ts'
import { type Access, keepAccess } from './renewal.ts'
import { type Deadline, retryAfterMs, startDeadline } from './reply.ts'
import { send, type Way } from './send.ts'
import { keepServerTime, type ServerTime } from './server-time.ts'

export type Call = {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With its query. */
  readonly path: string
  readonly body?: string
  readonly contentType?: string
  /** `request`: until all of the answer is there; `stream`: until it begins. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** Every status is an answer; what throws is that there was none. */
export type Reply = {
  readonly status: number
  readonly body: string
  /** How long the server asks to be left alone; waiting is the caller's. */
  readonly retryAfterMs?: number
}

/** A body that goes on and on, in pieces as they come; it throws when the connection breaks. */
export type Stream = { readonly status: 200; readonly chunks: AsyncIterable<string> }

export type Connection = {
  readonly server: string
  readonly namespace: string | undefined
  request(call: Call): Promise<Reply>
  /** Whoever stops reading ends it. */
  stream(call: Call): Promise<Stream | Reply>
  /** What time of day it is for the API server, as far as its answers say, in ms since the epoch. */
  timeOfDay(): number
  /** Ends what is under way. */
  close(): void
}

const KEEP_ALIVE_MS = 30_000
// Less than the 90 s after which the API server hangs up on an idle connection, so that no request meets that moment.
const IDLE_MS = 60_000
// Each watch holds a socket for as long as it runs (HTTP/1.1): room for every kind, and for requests besides.
const MAX_SOCKETS = 64

export async function connect(kubeconfig?: string, env: Environment = process.env): Promise<Connection> {
  const access = await keepAccess(await findCredentials(kubeconfig, env), tls => {
    return new Agent({
      ...tls,
      keepAlive: true,
      keepAliveMsecs: KEEP_ALIVE_MS,
      timeout: IDLE_MS,
      maxSockets: MAX_SOCKETS,
    })
  })
  const { server, namespace } = access.first
  const time = keepServerTime(Date.now, steady)
  const link = { access, time }
  return {
    server,
    namespace,
    request: call => request(link, call),
    stream: call => stream(link, call),
    timeOfDay: time.now,
    close: access.close,
  }
}

type Link = { readonly access: Access; readonly time: ServerTime }

const steady = () => performance.now()

async function request(link: Link, call: Call): Promise<Reply> {
  const deadline = startDeadline(call)
  try {
    return await readReply(await open(link, call, deadline.signal))
  } catch (error) {
    throw deadline.signal.aborted ? deadline.signal.reason : error
  } finally {
    deadline.end()
  }
}

async function stream(link: Link, call: Call): Promise<Stream | Reply> {
  const deadline = startDeadline(call)
  let opened = false
  try {
    const response = await open(link, call, deadline.signal)
    opened = response.statusCode === 200
    return opened ? { status: 200, chunks: chunksOf(response, deadline) } : await readReply(response)
  } catch (error) {
    throw deadline.signal.aborted ? deadline.signal.reason : error
  } finally {
    if (opened) deadline.met()
    else deadline.end()
  }
}

/** A token that is refused is read again at once: service accounts' tokens end, and are renewed in their file. */
async function open({ access, time }: Link, call: Call, signal: AbortSignal): Promise<IncomingMessage> {
  const used = await access.current()
  const response = await sendTimed(call, used, signal, time)
  if (response.statusCode !== 401) return response
  const renewed = await access.renew(used)
  if (renewed === used) return response
  response.resume()
  return sendTimed(call, renewed, signal, time)
}

async function sendTimed(call: Call, way: Way, signal: AbortSignal, time: ServerTime): Promise<IncomingMessage> {
  const sentAt = steady()
  const response = await send(call, way, signal)
  const { statusCode = 0, headers } = response
  // What stands in front of API servers says by itself that none of them answers.
  if (statusCode < 500) time.heard(headers.date, steady() - sentAt)
  return response
}

async function readReply(response: IncomingMessage): Promise<Reply> {
  let body = ''
  response.setEncoding('utf8')
  for await (const chunk of response) body += chunk
  const wait = retryAfterMs(response.headers['retry-after'])
  return { status: response.statusCode ?? 0, body, ...(wait === undefined ? {} : { retryAfterMs: wait }) }
}

async function* chunksOf(response: IncomingMessage, deadline: Deadline): AsyncIterable<string> {
  response.setEncoding('utf8')
  try {
    yield* response
  } finally {
    deadline.end()
  }
}
