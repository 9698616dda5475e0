// What the API server does with a patch, by a library that is not ours; and objects compared as it stores them.
import jsonPatch from 'fast-json-patch'
import { isObject } from '../../src/core/json.ts'
import type { KubeObject, Operation, Plan } from '../../src/core/types.ts'
import { INJECTED, MIDDLEWARES, PREFIXES } from './arbitrary.ts'

/** Whether a key is of a gateway's login: said here again, so that the source cannot widen it unseen. */
export function isOwnedKey(key: string): boolean {
  if (key === INJECTED || key === MIDDLEWARES) return true
  const name = PREFIXES.filter(prefix => key.startsWith(`${prefix}/`)).map(prefix => key.slice(prefix.length + 1))[0]
  if (name === undefined) return false
  if (/^auth-(?!tls-)/.test(name)) return true
  return ['satisfy', 'enable-global-auth', 'custom-http-errors', 'default-backend', 'proxy-buffer-size'].includes(name)
}

export function patchOf(plan: Plan): readonly Operation[] {
  return 'patch' in plan ? plan.patch : []
}

/** Throws where an operation has a path that is not ours to write, or one that an API server would not apply. */
export function applied(object: KubeObject, patch: readonly Operation[]): KubeObject {
  for (const operation of patch) {
    if (!isOwnedPath(operation)) throw new Error(`a path that is not ours: ${operation.op} ${operation.path}`)
  }
  const before = JSON.stringify(object)
  const result = jsonPatch.applyPatch(object, patch as jsonPatch.Operation[], true, false, true).newDocument
  if (JSON.stringify(object) !== before) throw new Error('the object itself was changed')
  return result
}

function isOwnedPath(operation: Operation): boolean {
  if (/^\/spec\/rules\/\d+\/filters(\/\d+)?$/.test(operation.path)) return true
  if (operation.path === '/metadata/annotations') {
    return operation.op !== 'add' || Object.keys(operation.value as object).every(isOwnedKey)
  }
  const key = /^\/metadata\/annotations\/([^/]+)$/.exec(operation.path)?.[1]
  if (key === undefined || (operation.op !== 'remove' && key.endsWith('snippet'))) return false
  return isOwnedKey(key.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** Keys in one order, an empty map of annotations as none: the API server keeps neither apart. */
export function canonical(object: KubeObject): string {
  const { annotations, ...metadata } = object.metadata
  const kept = isObject(annotations) && Object.keys(annotations).length > 0 ? { annotations } : {}
  return JSON.stringify(sorted({ ...object, metadata: { ...metadata, ...kept } }))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map(key => [key, sorted(value[key])]),
  )
}

/** A copy with labels set, or with null taken out. */
export function labelled(object: KubeObject, labels: Readonly<Record<string, string | null>>): KubeObject {
  const map = { ...(object.metadata.labels as object), ...labels }
  const kept = Object.fromEntries(Object.entries(map).filter(([, value]) => value !== null))
  return { ...object, metadata: { ...object.metadata, labels: kept } }
}

/** A copy with annotations set, or with null taken out. */
export function annotated(object: KubeObject, annotations: Readonly<Record<string, string | null>>): KubeObject {
  const map = new Map<string, unknown>(Object.entries({ ...(object.metadata.annotations as object) }))
  for (const [key, value] of Object.entries(annotations)) value === null ? map.delete(key) : map.set(key, value)
  return { ...object, metadata: { ...object.metadata, annotations: Object.fromEntries(map) } }
}

export function annotationsOf(object: KubeObject): Readonly<Record<string, string>> {
  const annotations = object.metadata.annotations
  return Object.assign(
    Object.create(null),
    isObject(annotations) ? Object.fromEntries(Object.entries(annotations)) : {},
  )
}
