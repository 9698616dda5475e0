// A real server on a free port for a test, with the real decision behind it, and a client that trusts it.
import type { IncomingHttpHeaders } from 'node:http'
import { type Agent, request } from 'node:https'
import { connect, type TLSSocket } from 'node:tls'
import { admit } from '../../src/admission/admit.ts'
import { defaultConfig } from '../../src/api/config.ts'
import { createAuthority } from '../../src/certificates/authority.ts'
import { issueLeaf } from '../../src/certificates/leaf.ts'
import { FactStore } from '../../src/facts/store.ts'
import { gateways } from '../../src/gateways/index.ts'
import type { Admit } from '../../src/http/admission.ts'
import { type KeyPair, type ServerOptions, type Serving, serve } from '../../src/http/server.ts'
import type { Log } from '../../src/log.ts'

export type Answer = { status: number; headers: IncomingHttpHeaders; text: string; reused: boolean }
export type Call = {
  method?: string
  path: string
  headers?: Record<string, string | number>
  /** Several: sent chunk by chunk, without Content-Length. */
  body?: string | Buffer | readonly string[]
  agent?: Agent
}

export type Server = Serving & {
  readonly ca: string
  readonly logged: { fields: object; message: string }[]
  call(call: Call): Promise<Answer>
  /** A TLS connection, for bytes that no client would send. */
  open(): Promise<TLSSocket>
}

const authority = createAuthority(new Date())

export async function keyPair(): Promise<KeyPair> {
  return issueLeaf(await authority, ['localhost', '127.0.0.1'], new Date())
}

export const realAdmit: Admit = (entry, body) => {
  const facts = new FactStore(defaultConfig())
  return admit(entry, body, { facts, gateways, log: silent, now: Date.now })
}

const silent: Log = { info() {}, warn() {}, error() {} }

export async function startServer(options: Partial<ServerOptions> = {}): Promise<Server> {
  const logged: Server['logged'] = []
  const note = (fields: object, message: string) => void logged.push({ fields, message })
  const log: Log = { info: note, warn: note, error: note }
  const ca = (await authority).cert
  const serving = await serve({
    port: 0,
    host: '127.0.0.1',
    keyPair: await keyPair(),
    admit: realAdmit,
    log,
    ...options,
  })
  const { port } = serving
  return { ...serving, ca, logged, call: call => send(port, ca, call), open: () => open(port, ca) }
}

function send(port: number, ca: string, { method = 'POST', path, headers, body, agent }: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const type = body === undefined ? {} : { 'Content-Type': 'application/json' }
    const options = {
      host: '127.0.0.1',
      port,
      ca,
      method,
      path,
      agent: agent ?? false,
      headers: { ...type, ...headers },
    }
    const sent = request(options, answer => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      answer.on('error', reject)
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, reused: sent.reusedSocket })
      })
    })
    sent.on('error', reject)
    if (typeof body === 'string' || Buffer.isBuffer(body)) sent.end(body)
    else {
      for (const chunk of body ?? []) sent.write(chunk)
      sent.end()
    }
  })
}

function open(port: number, ca: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca }, () => resolve(socket))
    socket.on('error', reject)
  })
}

/** All that comes until the server hangs up. */
export function readToEnd(socket: TLSSocket): Promise<string> {
  return new Promise(resolve => {
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    socket.on('close', () => resolve(text))
  })
}

export function review(uid: string): string {
  const kind = { group: 'networking.k8s.io', version: 'v1', kind: 'Ingress' }
  const metadata = { name: 'shop', namespace: 'shops' }
  const object = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata, spec: {} }
  const request = { uid, kind, ...metadata, operation: 'CREATE', object, oldObject: null }
  return JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request })
}
