// A cluster in memory, as far as certificates go, for tests that take years: one Secret, two webhook configurations.
import type { Watch } from '../../src/certificates/keep-authorities.ts'
import { CONFIGURATIONS, secretRef } from '../../src/certificates/objects.ts'
import { object } from '../../src/core/json.ts'
import type { KubeObject, Operation } from '../../src/core/types.ts'
import type { ObjectRef, Writer, Written } from '../../src/kube/write.ts'

export type MemoryCluster = {
  readonly writer: Writer
  /** Of the Secret; undefined: there is none. */
  data(): object | undefined
  put(object: KubeObject): void
  remove(kind: string): void
  get(kind: string): KubeObject | undefined
  /** Nothing can be read or written. */
  isAway: boolean
  /** Tells of every change at once. */
  readonly watch: Watch
  /** Kinds in the order in which they were asked for. */
  readonly reads: string[]
  /** Every write that was done. */
  readonly writes: { readonly kind: string; readonly operations: readonly Operation[] }[]
}

export const NAMESPACE = 'portcullis'

export function memoryCluster(): MemoryCluster {
  const stored = new Map<string, KubeObject>()
  const writes: MemoryCluster['writes'] = []
  const reads: string[] = []
  const watches = new Map<object, { readonly kinds: readonly string[]; changed(): void }>()
  const tell = (kind: string) => {
    for (const { kinds, changed } of watches.values()) if (kinds.includes(kind)) changed()
  }
  let version = 0
  const put = (each: KubeObject): KubeObject => {
    const next = { ...each, metadata: { ...each.metadata, resourceVersion: String(++version) } }
    stored.set(each.kind, next)
    tell(each.kind)
    return next
  }
  const answer = (of: () => Written): Promise<Written> =>
    Promise.resolve(cluster.isAway ? { outcome: 'later', message: 'no answer' } : of())
  const done = (each: KubeObject): Written => ({ outcome: 'done', object: each })
  const writer: Writer = {
    get: ref => {
      reads.push(ref.kind)
      return answer(() => of(ref, done))
    },
    create: each =>
      answer(() => {
        if (stored.has(each.kind)) return { outcome: 'exists' }
        writes.push({ kind: each.kind, operations: [] })
        return done(put(each))
      }),
    patch: (ref, at, operations) =>
      answer(() =>
        of(ref, each => {
          if (each.metadata.resourceVersion !== at) return { outcome: 'conflict' }
          writes.push({ kind: each.kind, operations })
          return done(put(patched(each, operations)))
        }),
      ),
    remove: ref =>
      answer(() =>
        of(ref, each => {
          stored.delete(ref.kind)
          tell(ref.kind)
          return done(each)
        }),
      ),
    apply: () => Promise.reject(new Error('nothing of this is applied')),
  }
  const of = (ref: ObjectRef, then: (each: KubeObject) => Written): Written => {
    const each = stored.get(ref.kind)
    return each === undefined ? { outcome: 'gone' } : then(each)
  }
  for (const ref of CONFIGURATIONS) put(configuration(ref))
  const cluster: MemoryCluster = {
    writer,
    isAway: false,
    watch(refs, changed) {
      const id = {}
      watches.set(id, { kinds: refs.map(({ kind }) => kind), changed })
      return { kinds: new Map(), stop: async () => void watches.delete(id) }
    },
    reads,
    writes,
    data: () => stored.get('Secret')?.data as object | undefined,
    put: each => void put(each),
    remove(kind) {
      stored.delete(kind)
      tell(kind)
    },
    get: kind => stored.get(kind),
  }
  return cluster
}

/** As it is shipped: no caBundle. */
export function configuration({ apiVersion, kind, name }: ObjectRef): KubeObject {
  const webhooks = ['a', 'b'].map(each => ({ name: `${each}.auth.example`, clientConfig: { service: { name: 'x' } } }))
  return { apiVersion, kind, metadata: { name }, webhooks }
}

export function secret(data: object): KubeObject {
  const { apiVersion, kind, ...metadata } = secretRef(NAMESPACE)
  return { apiVersion, kind, metadata, data }
}

/** The three forms that are written. */
function patched(each: KubeObject, operations: readonly Operation[]): KubeObject {
  const next = structuredClone(each) as KubeObject & { data?: unknown; webhooks?: unknown[] }
  for (const operation of operations) {
    if (operation.op === 'remove') throw new Error('nothing is removed')
    const [, index] = /^\/webhooks\/(\d+)\/clientConfig\/caBundle$/.exec(operation.path) ?? []
    if (operation.path === '/data') Object.assign(next, { data: operation.value })
    else if (index === undefined) throw new Error(`nobody writes ${operation.path}`)
    else Object.assign(object(object(next.webhooks?.[Number(index)]).clientConfig), { caBundle: operation.value })
  }
  return next
}
