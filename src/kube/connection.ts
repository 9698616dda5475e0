// The connection to the API server: one keep-alive agent, credentials that are renewed, requests with a deadline.
import type { IncomingMessage } from 'node:http'
import { Agent } from 'node:https'
import { type Environment, findCredentials } from './credentials.ts'
import { type Access, keepAccess } from './renewal.ts'
import { type Deadline, retryAfterMs, startDeadline } from './reply.ts'
import { send } from './send.ts'

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
  return {
    server,
    namespace,
    request: call => request(access, call),
    stream: call => stream(access, call),
    close: access.close,
  }
}

async function request(access: Access, call: Call): Promise<Reply> {
  const deadline = startDeadline(call)
  try {
    return await readReply(await open(access, call, deadline.signal))
  } catch (error) {
    throw deadline.signal.aborted ? deadline.signal.reason : error
  } finally {
    deadline.end()
  }
}

async function stream(access: Access, call: Call): Promise<Stream | Reply> {
  const deadline = startDeadline(call)
  let opened = false
  try {
    const response = await open(access, call, deadline.signal)
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
async function open(access: Access, call: Call, signal: AbortSignal): Promise<IncomingMessage> {
  const used = await access.current()
  const response = await send(call, used, signal)
  if (response.statusCode !== 401) return response
  const renewed = await access.renew(used)
  if (renewed === used) return response
  response.resume()
  return send(call, renewed, signal)
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
