// An HTTPS server that does what a test says: a real API server can't be told to hang, or to refuse a token once.
import { mkdtempSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuthority } from '../../src/certificates/authority.ts'
import { issueLeaf } from '../../src/certificates/leaf.ts'

export type TestServer = {
  readonly address: string
  readonly port: number
  readonly ca: string
  readonly dir: string
  /** Each with its body. */
  readonly requests: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[]
  readonly sockets: Set<Socket>
  readonly opened: () => number
  stop(): Promise<void>
}

export type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void

export async function startServer(answer: Answer): Promise<TestServer> {
  const authority = await createAuthority(new Date())
  const { cert, key } = await issueLeaf(authority, ['127.0.0.1', 'api.example.com'], new Date())
  const requests: TestServer['requests'] = []
  const sockets = new Set<Socket>()
  let opened = 0
  const server = createServer({ cert, key, keepAliveTimeout: 120_000 }, (request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (piece: string) => {
      body += piece
    })
    request.on('end', () => {
      requests.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body })
      answer(request, response, requests.length)
    })
  })
  server.on('tlsClientError', () => {})
  server.on('connection', (socket: Socket) => {
    opened++
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    address: `https://127.0.0.1:${port}`,
    port,
    ca: authority.cert,
    dir: mkdtempSync(join(tmpdir(), 'portcullis-kube-')),
    requests,
    sockets,
    opened: () => opened,
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

/** Writes a kubeconfig and gives its path. */
export function writeKubeconfig(dir: string, cluster: object, user: object, name = 'config'): string {
  const path = join(dir, name)
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'shops' } }],
    'current-context': 'x',
  }
  writeFileSync(path, JSON.stringify(config))
  return path
}
