// The API server spoken to directly, as any user: many small requests with exact answers, where kubectl would be slow.
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { array, type JsonObject, object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { plural } from '../manifests/plural.ts'
import type { ControlPlane } from '../parts/control-plane.ts'

export type Reply = { readonly status: number; readonly message: string; readonly body: JsonObject }
export type User = { readonly name: string; readonly groups: readonly string[] }
export type Send = (method: string, path: string, body?: object, user?: User) => Promise<Reply>

export type Api = {
  readonly send: Send
  /** What is no object, such as a watch or metrics. */
  read(path: string, user?: User): Promise<{ readonly status: number; readonly text: string }>
  create(document: KubeObject, user?: User, query?: string): Promise<Reply>
  /** A merge patch, of a subresource such as `/status` too. */
  patch(document: KubeObject, changes: object, user?: User, subresource?: string): Promise<Reply>
  remove(document: KubeObject, user?: User): Promise<Reply>
  /** All connections; another request opens another. */
  close(): void
}

export function serviceAccount(namespace: string, name: string): User {
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated']
  return { name: `system:serviceaccount:${namespace}:${name}`, groups }
}

export function person(name: string): User {
  return { name, groups: ['system:authenticated'] }
}

/** An API server closes what is unused for 90 s, and whoever writes at that moment gets an error. */
const UNUSED_MS = 20_000

/** Without a user: one who may do everything. */
export function connect(controlPlane: ControlPlane): Api {
  const { server } = controlPlane
  const { authorization, ca } = credentials(controlPlane)
  const agent = new Agent({ keepAlive: true, ca, timeout: UNUSED_MS })
  const call = (method: string, path: string, body?: object, user?: User): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
      const as = user === undefined ? {} : { 'Impersonate-User': user.name, 'Impersonate-Group': [...user.groups] }
      const text = body === undefined ? '' : JSON.stringify(body)
      const headers = { authorization, 'content-type': type, 'content-length': Buffer.byteLength(text), ...as }
      const sent = request(`${server}${path}`, { method, agent, headers }, response => {
        const chunks: Buffer[] = []
        response.on('data', chunk => chunks.push(chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
      })
      sent.on('error', cause => reject(new Error(`${method} ${path}: ${cause.message}`, { cause })))
      sent.end(text)
    })
  const send: Send = async (...args) => {
    const { status, text } = await call(...args)
    // What no kind answers for is answered in words.
    const body = text.startsWith('{') ? object(JSON.parse(text)) : { message: text }
    return { status, message: status < 400 ? '' : String(body.message), body }
  }
  return {
    send,
    read: (path, user) => call('GET', path, undefined, user),
    create: (document, user, query = '') => send('POST', `${collection(document)}${query}`, document, user),
    patch: (document, changes, user, subresource = '') =>
      send('PATCH', `${pathOf(document)}${subresource}`, changes, user),
    remove: (document, user) => send('DELETE', pathOf(document), undefined, user),
    close: () => agent.destroy(),
  }
}

/** Of one who may do everything. */
export function credentials({ kubeconfig, dir }: ControlPlane): { authorization: string; ca: Buffer } {
  const { users } = JSON.parse(readFileSync(kubeconfig, 'utf8'))
  const authorization = `Bearer ${String(object(object(array(users)[0]).user).token)}`
  return { authorization, ca: readFileSync(join(dir, 'apiserver.crt')) }
}

export function pathOf(document: KubeObject): string {
  return `${collection(document)}/${String(document.metadata.name)}`
}

export function collection({ apiVersion, kind, metadata }: KubeObject): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const scope = metadata.namespace === undefined ? '' : `/namespaces/${String(metadata.namespace)}`
  return `${root}${scope}/${plural(kind)}`
}

/** What is told of a moment after it is stored, such as policies and parameters to the API server itself. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 60_000): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`)
    await sleep(50)
  }
}
