// The index of routes: projections, not the objects, so that a large cluster fits into little memory.
import { strings } from '../core/json.ts'
import { INJECTED, LEGACY_CLASS } from '../core/keys.ts'
import { readRecord } from '../core/record.ts'
import { isGateway, readRoute } from '../core/route.ts'
import type { KubeObject, ObjectName, Route, RouteIndex, RouteRef, StoredRoute } from '../core/types.ts'

/** Annotations that say where a route is served; a passthrough route has to be served in the same places. */
function isKept(annotation: string): boolean {
  return annotation === LEGACY_CLASS || annotation.toLowerCase().startsWith('traefik.ingress.kubernetes.io/router.')
}

export class Routes implements RouteIndex {
  readonly #all = new Map<string, StoredRoute>()
  readonly #ofGateway = new Map<string, Map<string, StoredRoute>>()

  get size(): number {
    return this.#all.size
  }

  get(ref: RouteRef): StoredRoute | undefined {
    return this.#all.get(keyOf(ref))
  }

  all(): Iterable<StoredRoute> {
    return this.#all.values()
  }

  ofGateway(gateway: ObjectName): Iterable<StoredRoute> {
    return this.#ofGateway.get(gatewayKey(gateway))?.values() ?? []
  }

  put(document: KubeObject): void {
    const route = readRoute(document)
    if (route === undefined) return
    this.remove(route.ref)
    const stored = project(route)
    this.#all.set(keyOf(route.ref), stored)
    for (const parent of route.parents.filter(isGateway)) {
      const key = gatewayKey(parent)
      const siblings = this.#ofGateway.get(key) ?? new Map()
      this.#ofGateway.set(key, siblings.set(keyOf(route.ref), stored))
    }
  }

  remove(ref: RouteRef): void {
    const old = this.#all.get(keyOf(ref))
    if (old === undefined) return
    this.#all.delete(keyOf(ref))
    for (const parent of old.parents) {
      const key = gatewayKey(parent)
      const siblings = this.#ofGateway.get(key)
      siblings?.delete(keyOf(ref))
      if (siblings?.size === 0) this.#ofGateway.delete(key)
    }
  }
}

function project(route: Route): StoredRoute {
  const annotations: Record<string, string> = Object.create(null)
  for (const [key, value] of Object.entries(route.annotations)) if (isKept(key)) annotations[key] = value
  const recordedTeam = readRecord(route.annotations[INJECTED])?.team
  const { apiVersion, kind } = route.object
  const { namespace, name } = route.ref
  const object: KubeObject = { apiVersion, kind, metadata: { namespace, name } }
  return {
    ...route,
    object,
    labels: strings(route.labels),
    annotations,
    ...(recordedTeam === undefined ? {} : { recordedTeam }),
  }
}

function keyOf(ref: RouteRef): string {
  return `${ref.kind}/${ref.namespace}/${ref.name}`
}

function gatewayKey(gateway: ObjectName): string {
  return `${gateway.namespace}/${gateway.name}`
}
