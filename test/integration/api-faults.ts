// Answers of an API server that is in trouble, given by a proxy before it.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Agent, request } from 'node:https'
import type { TestProxy } from '../kube/proxy.ts'
import type { ControlPlane } from '../parts/control-plane.ts'
import { credentials } from './api.ts'

export type ApiFault = {
  /** So many requests meet it; what is refused for good is tried again only after a minute. */
  readonly times: number
  does(response: ServerResponse, request: IncomingMessage, proxy: TestProxy): boolean
}

const REASONS: Readonly<Record<number, string>> = {
  409: 'Conflict',
  410: 'Expired',
  422: 'Invalid',
  429: 'TooManyRequests',
}

export function answered(
  response: ServerResponse,
  code: number,
  headers: Readonly<Record<string, string>> = {},
): boolean {
  const [reason, message] = [REASONS[code] ?? 'InternalError', 'so says the test']
  const details = { causes: [{ message }] }
  const body = { apiVersion: 'v1', kind: 'Status', status: 'Failure', code, reason, message, details }
  response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  return true
}

/** One of each kind, by a name that can be part of a namespace's. */
export function apiFaults(controlPlane: ControlPlane): Readonly<Record<string, ApiFault>> {
  return {
    conflict: { times: 6, does: response => answered(response, 409) },
    expired: { times: 2, does: response => answered(response, 410) },
    invalid: { times: 2, does: response => answered(response, 422) },
    busy: { times: 6, does: response => answered(response, 429, { 'retry-after': '1' }) },
    error: { times: 6, does: response => answered(response, 500) },
    unavailable: { times: 6, does: response => answered(response, 503, { 'retry-after': '1' }) },
    reset: {
      times: 3,
      does(_response, _request, proxy) {
        proxy.reset()
        return true
      },
    },
    stalled: { times: 3, does: () => true },
    // It is done, and the answer does not arrive.
    lost: {
      times: 3,
      does(response, request) {
        void passed(controlPlane, request).then(() => response.destroy())
        return true
      },
    },
  }
}

/** Sends it on in the test's own name. */
async function passed(controlPlane: ControlPlane, incoming: IncomingMessage): Promise<void> {
  const { authorization, ca } = credentials(controlPlane)
  const agent = new Agent({ ca })
  await new Promise<void>((resolve, reject) => {
    const headers = { ...incoming.headers, authorization, host: new URL(controlPlane.server).host }
    const options = { method: incoming.method, headers, agent }
    const onward = request(`${controlPlane.server}${incoming.url ?? ''}`, options, answer => {
      answer.resume().on('end', resolve)
    })
    onward.on('error', reject)
    incoming.pipe(onward)
  })
  agent.destroy()
}
