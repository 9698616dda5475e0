// Health and metrics, for the kubelet and for Prometheus: plain HTTP on a port of their own, away from admission.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Registry } from 'prom-client'

export type HealthOptions = {
  readonly port: number
  /** Absent: every address of the machine. */
  readonly host?: string | undefined
  /** What is missing, a line each; none: ready. */
  readonly missing: () => readonly string[]
  readonly registry: Registry
}

export type Health = { readonly port: number; close(): Promise<void> }

type Page = { readonly status: number; readonly text: string; readonly type?: string }

const SECOND = 1000

/** Rejects where nothing can listen. */
export async function serveHealth(options: HealthOptions): Promise<Health> {
  const limits = { headersTimeout: 5 * SECOND, requestTimeout: 10 * SECOND, maxHeaderSize: 8192 }
  const server = createServer(limits, (request, response) => {
    page(options, request).then(
      found => send(request, response, found),
      () => send(request, response, { status: 500, text: 'metrics could not be collected\n' }),
    )
  })
  const { port, host } = options
  server.listen(host === undefined ? { port } : { port, host })
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function page({ missing, registry }: HealthOptions, { method, url = '' }: IncomingMessage): Promise<Page> {
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, text: 'GET only\n' }
  switch (url.split('?', 1)[0]) {
    // Alive is who answers. That anything else is away is no reason to be started anew.
    case '/healthz':
      return { status: 200, text: 'ok\n' }
    case '/readyz':
      return readiness(missing())
    case '/metrics':
      return { status: 200, text: await registry.metrics(), type: registry.contentType }
    default:
      return { status: 404, text: 'there is nothing here; the addresses are /healthz, /readyz and /metrics\n' }
  }
}

function readiness(missing: readonly string[]): Page {
  if (missing.length === 0) return { status: 200, text: 'ready\n' }
  return { status: 503, text: `not ready:\n${missing.map(line => `${line}\n`).join('')}` }
}

function send({ method }: IncomingMessage, response: ServerResponse, { status, text, type }: Page): void {
  const headers = { 'Content-Type': type ?? 'text/plain; charset=utf-8', 'Content-Length': Buffer.byteLength(text) }
  response.writeHead(status, status === 405 ? { ...headers, Allow: 'GET, HEAD' } : headers)
  response.end(method === 'HEAD' ? undefined : text)
}
