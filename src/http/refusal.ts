// The answer to a request that is not served: a status and one line of JSON that says what to do.
import type { IncomingMessage, ServerResponse } from 'node:http'

export type Refusal = {
  readonly status: number
  readonly error: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What is counted of refusals: a word of ours, never a caller's. */
export type RefusedFor =
  | 'method'
  | 'client'
  | 'content-type'
  | 'empty'
  | 'body-size'
  | 'depth'
  | 'in-flight-requests'
  | 'in-flight-bytes'
  | 'deadline'
  | 'fault'

export type Refused = Refusal & { readonly why: RefusedFor }

/** What is still read of a body that nobody wants, so that its sender gets to read the answer. */
const DISCARDED_BYTES = 16 * 1024 * 1024

export function refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  const body = `${JSON.stringify({ error: refusal.error })}\n`
  const unread = !request.complete && announcesBody(request)
  response.writeHead(refusal.status, {
    ...refusal.headers,
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    ...(unread ? { Connection: 'close' } : {}),
  })
  if (!unread) {
    response.end(body)
    return
  }
  // Closing while the sender still writes would reset the connection, and the answer would be lost with it.
  response.write(body)
  discard(request, () => response.end())
}

/** Whether bytes of a body follow the headers. */
export function announcesBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

function discard(request: IncomingMessage, done: () => void): void {
  let left = DISCARDED_BYTES
  request.on('error', done)
  request.on('end', done)
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) request.destroy()
  })
}

export const ADDRESSES: readonly string[] = ['POST /mutate', 'POST /validate', 'GET /healthz', 'GET /readyz']
export const NOTHING_HERE: Refusal = {
  status: 404,
  error: `there is nothing here; the addresses are ${ADDRESSES.join(', ')}`,
}
