// One HTTP request, up to the head of its answer.
import type { IncomingMessage } from 'node:http'
import { type Agent, request } from 'node:https'
import type { Call } from './connection.ts'
import type { Credentials } from './credentials.ts'

/** Credentials together with the agent that was made for them. */
export type Way = Credentials & { readonly agent: Agent }

export function send(call: Call, way: Way, signal: AbortSignal): Promise<IncomingMessage> {
  return sendOnce(call, way, signal, call.method !== 'POST')
}

/** `again`: once more when the server had hung up on an idle connection that we were about to use. */
function sendOnce(call: Call, way: Way, signal: AbortSignal, again: boolean): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', path, body } = call
    const headers = { Accept: 'application/json', 'User-Agent': 'portcullis', ...bodyHeaders(call), ...way.headers }
    const sent = request(addressOf(way.server, path), { method, headers, agent: way.agent, signal })
    let answered = false
    sent.on('response', response => {
      answered = true
      resolve(response)
    })
    // It also comes when the connection breaks later; then whoever reads the answer hears of it.
    sent.on('error', (error: NodeJS.ErrnoException) => {
      const stale = sent.reusedSocket && !answered && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
      if (stale && again) resolve(sendOnce(call, way, signal, false))
      else reject(error)
    })
    sent.end(body)
  })
}

function bodyHeaders({ body, contentType }: Call): Record<string, string | number> {
  if (body === undefined) return {}
  return { 'Content-Type': contentType ?? 'application/json', 'Content-Length': Buffer.byteLength(body) }
}

/** A server may have a path of its own, as behind Rancher. */
function addressOf(server: string, path: string): string {
  return `${server.replace(/\/+$/, '')}${path}`
}
