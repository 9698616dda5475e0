// Whether the annotations of a route are within what Kubernetes stores.
import { object } from './json.ts'
import type { Operation, Route } from './types.ts'

/** Kubernetes' limit for all annotations of an object, keys and values, in bytes. */
const ANNOTATIONS_LIMIT = 256 * 1024

/** Whether the annotations stay within what Kubernetes stores, once the patch is applied. */
export function fits(route: Route, patch: readonly Operation[]): boolean {
  // No character takes more than three bytes for each unit of its length, which is enough to know for nearly all routes.
  return characters(route, patch) * 3 <= ANNOTATIONS_LIMIT || annotationBytes(route, patch) <= ANNOTATIONS_LIMIT
}

function characters(route: Route, patch: readonly Operation[]): number {
  let total = 0
  for (const key of Object.keys(route.annotations)) total += key.length + (route.annotations[key]?.length ?? 0)
  for (const operation of patch) {
    if (operation.op === 'remove') continue
    const { path, value } = operation
    total += path.length
    if (typeof value === 'string') total += value.length
    else for (const [key, text] of Object.entries(object(value))) total += key.length + String(text).length
  }
  return total
}

function annotationBytes(route: Route, patch: readonly Operation[]): number {
  const sizes = new Map(Object.entries(route.annotations).map(([key, value]) => [key, bytes(key) + bytes(value)]))
  for (const operation of patch) {
    if (operation.path === '/metadata/annotations') {
      for (const [key, value] of Object.entries(object(operation.op === 'remove' ? undefined : operation.value)))
        sizes.set(key, bytes(key) + bytes(String(value)))
      continue
    }
    const key = operation.path.split('/')[3]?.replaceAll('~1', '/').replaceAll('~0', '~')
    if (key === undefined || !operation.path.startsWith('/metadata/annotations/')) continue
    sizes.set(key, operation.op === 'remove' ? 0 : bytes(key) + bytes(String(operation.value)))
  }
  let total = 0
  for (const size of sizes.values()) total += size
  return total
}

function bytes(text: string): number {
  return Buffer.byteLength(text)
}
