// What is kept of a route: what decisions about other objects ask for, and of that nothing twice.
import type { StringMap } from '../core/json.ts'
import { INJECTED, LEGACY_CLASS } from '../core/keys.ts'
import { readRecord } from '../core/record.ts'
import { shared } from '../core/shared.ts'
import type { Route, StoredRoute } from '../core/types.ts'

/** Annotations that say where a route is served; a passthrough route has to be served in the same places. */
function isKept(annotation: string): boolean {
  return (
    annotation === LEGACY_CLASS ||
    annotation.endsWith('/canary') ||
    annotation.toLowerCase().startsWith('traefik.ingress.kubernetes.io/router.')
  )
}

/** `like`: a stored route, of which the new one takes over every part that is equal. */
export function project(route: Route, like: StoredRoute | undefined): StoredRoute {
  const recordedTeam = readRecord(route.annotations[INJECTED])?.team
  const { apiVersion, kind } = route.object
  const { object: _, labels, annotations, ...rest } = route
  const { namespace, name } = route.ref
  return {
    ...shared({ ...rest, ...(recordedTeam === undefined ? {} : { recordedTeam }) }, like),
    object: shared({ apiVersion, kind, metadata: { namespace, name } }, like?.object),
    labels: compact(labels, () => true, like?.labels),
    annotations: compact(annotations, isKept, like?.annotations),
  }
}

/**
 * As safe for users' keys as an object without a prototype, of which V8 makes a hash table with room to grow: this one
 * has the layout of a class, in a fifth of the memory.
 */
const Bare = function Bare() {} as unknown as new () => Record<string, string>
Bare.prototype = Object.freeze(Object.create(null))

function compact(map: StringMap, keeps: (key: string) => boolean, like: StringMap | undefined): StringMap {
  const result = new Bare()
  const keys = Object.keys(map).filter(keeps)
  let isLike = like !== undefined && Object.keys(like).length === keys.length
  for (const key of keys) {
    const value = map[key]!
    const known = like?.[key]
    isLike &&= known === value
    result[key] = known === value ? known : value
  }
  return isLike ? like! : result
}
