// What watches have filled, next to what the API server has, and how to wait until they are the same.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from '@jest/globals'
import type { KubeObject } from '../../src/core/types.ts'
import { type Call, type Connection, connect } from '../../src/kube/connection.ts'
import type { Limits } from '../../src/kube/pace.ts'
import { type WatchedAll, watchAll } from '../../src/kube/watch-all.ts'
import { startProxy, type TestProxy } from './proxy.ts'

const PATHS = {
  Namespace: '/api/v1/namespaces',
  IngressClass: '/apis/networking.k8s.io/v1/ingressclasses',
  Ingress: '/apis/networking.k8s.io/v1/ingresses',
} as const

/** Kind, namespace and name to the version. */
type Contents = Readonly<Record<string, unknown>>

export type Mirror = {
  readonly proxy: TestProxy
  readonly watched: WatchedAll
  readonly logged: { level: string; fields: Record<string, unknown>; message: string }[]
  /** What a caller would have in its store. */
  readonly objects: Map<string, KubeObject>
  /** Lists that each kind was asked for after the first, as the proxy saw them. */
  relists(): Record<string, number>
  /** Waits until both have the same, then expects it. */
  same(): Promise<void>
  stop(): Promise<void>
}

// Shorter than in production, so that a test need not last minutes.
const SHORT: Partial<Limits> = {
  retryMs: 50,
  longestRetryMs: 500,
  steadyMs: 500,
  relistJitterMs: 100,
  relistEveryMs: 60_000,
  absentMs: 400,
}

export type MirrorOptions = {
  readonly kubeconfig: string
  readonly dir: string
  /** To the API server, past the proxy. */
  readonly direct: Connection
  readonly limits?: Partial<Limits>
  readonly paths?: Readonly<Record<string, string>>
  /** Before the first request. */
  readonly prepare?: (proxy: TestProxy) => void
}

export async function startMirror({ kubeconfig, dir, direct, ...options }: MirrorOptions): Promise<Mirror> {
  const paths = options.paths ?? PATHS
  const proxy = await startProxy(kubeconfig, dir)
  options.prepare?.(proxy)
  const connection = await connect(proxy.kubeconfig, {})
  const objects: Mirror['objects'] = new Map()
  const logged: Mirror['logged'] = []
  const note = (level: string) => (fields: object, message: string) =>
    void logged.push({ level, fields: { ...fields }, message })
  const sink = {
    put(document: KubeObject) {
      objects.set(keyOf(document), document)
      return []
    },
    remove: (document: KubeObject) => void objects.delete(keyOf(document)),
  }
  const log = { info: note('info'), warn: note('warn'), error: note('error') }
  const watched = watchAll(connection, sink, { log, paths, limits: { ...SHORT, ...options.limits } })
  await until(() => watched.ready())
  // Ready is before the watch: a test that breaks it wants it to be there.
  await until(() => proxy.live.size === [...watched.kinds.values()].filter(({ synced }) => synced).length)
  const mine = (): Contents =>
    Object.fromEntries([...objects].map(([key, { metadata }]) => [key, metadata.resourceVersion]))
  return {
    proxy,
    watched,
    logged,
    objects,
    relists: () => Object.fromEntries(Object.entries(paths).map(([kind, path]) => [kind, listsOf(proxy, path) - 1])),
    async same() {
      // The server first: what it has now is what the mirror has to come to.
      await until(async () => equal(await contents(direct, paths), mine()), 20_000).catch(() => {})
      expect(sorted(mine())).toEqual(sorted(await contents(direct, paths)))
    },
    async stop() {
      await watched.stop()
      connection.close()
      await proxy.stop()
    },
  }
}

export async function until(met: () => boolean | Promise<boolean>, withinMs = 30_000): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await met())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${met}`)
    await sleep(20)
  }
}

/** Fails on every status that is no success. */
export async function ask(connection: Connection, call: Omit<Call, 'timeoutMs'>): Promise<KubeObject> {
  const { status, body } = await connection.request({ timeoutMs: 30_000, ...call })
  if (status >= 300) throw new Error(`${call.method ?? 'GET'} ${call.path}: ${status} ${body}`)
  return JSON.parse(body)
}

function listsOf(proxy: TestProxy, path: string): number {
  return proxy.seen.filter(seen => seen.kind === 'list' && seen.path === path).length
}

async function contents(direct: Connection, paths: Readonly<Record<string, string>>): Promise<Contents> {
  const lists = Object.entries(paths).map(async ([kind, path]) => {
    const { items } = await ask(direct, { path })
    return (items as KubeObject[]).map(item => [keyOf({ ...item, kind }), item.metadata.resourceVersion])
  })
  return Object.fromEntries((await Promise.all(lists)).flat())
}

function keyOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.namespace ?? ''}/${metadata.name}`
}

function sorted(contents: Contents): Contents {
  return Object.fromEntries(Object.entries(contents).sort())
}

function equal(a: Contents, b: Contents): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
}
