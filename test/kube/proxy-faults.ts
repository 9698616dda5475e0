// Answers that a proxy gives in the place of an API server.
import type { ServerResponse } from 'node:http'
import type { Fault, Seen } from './proxy.ts'

/** In a stream. */
export const EXPIRED = {
  type: 'ERROR',
  object: { kind: 'Status', apiVersion: 'v1', code: 410, reason: 'Expired', message: 'old' },
}

export function gone(response: ServerResponse): true {
  response.writeHead(410, { 'Content-Type': 'application/json' }).end(JSON.stringify(EXPIRED.object))
  return true
}

/** The first request of this kind for each path. */
export function firstOf(kind: Seen['kind'], answer: (response: ServerResponse) => unknown): Fault {
  const done = new Set<string>()
  return (seen, response) => {
    if (seen.kind !== kind || done.has(seen.path)) return false
    done.add(seen.path)
    answer(response)
    return true
  }
}

export function onlyToken(token: string): Fault {
  return (_, response, { headers }) => {
    if (headers.authorization === `Bearer ${token}`) return false
    response.writeHead(401).end('{"kind":"Status","code":401,"message":"Unauthorized"}')
    return true
  }
}
