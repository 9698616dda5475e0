// The index of routes: projections, not the objects, so that a large cluster fits into little memory.
import { strings } from '../core/json.ts'
import { INJECTED, LEGACY_CLASS } from '../core/keys.ts'
import { readRecord } from '../core/record.ts'
import { isGateway, readRoute } from '../core/route.ts'
import type { KubeObject, ObjectName, Route, RouteIndex, RouteRef, StoredRoute } from '../core/types.ts'

/** Annotations that say where a route is served; a passthrough route has to be served in the same places. */
function isKept(annotation: string): boolean {
  return (
    annotation === LEGACY_CLASS ||
    annotation.endsWith('/canary') ||
    annotation.toLowerCase().startsWith('traefik.ingress.kubernetes.io/router.')
  )
}

export class Routes implements RouteIndex {
  readonly #all = new Map<string, StoredRoute>()
  readonly #ofGateway = new Index()
  readonly #inNamespace = new Index()
  readonly #ofTeam = new Index()

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
    return this.#ofGateway.of(nameKey(gateway))
  }

  inNamespace(namespace: string): Iterable<StoredRoute> {
    return this.#inNamespace.of(namespace)
  }

  ofTeam(team: string): Iterable<StoredRoute> {
    return this.#ofTeam.of(team)
  }

  put(document: KubeObject): void {
    const route = readRoute(document)
    if (route === undefined) return
    this.remove(route.ref)
    const stored = project(route)
    this.#all.set(keyOf(route.ref), stored)
    for (const parent of route.parents.filter(isGateway)) this.#ofGateway.add(nameKey(parent), stored)
    this.#inNamespace.add(route.ref.namespace, stored)
    if (stored.recordedTeam !== undefined) this.#ofTeam.add(stored.recordedTeam, stored)
  }

  remove(ref: RouteRef): void {
    const old = this.#all.get(keyOf(ref))
    if (old === undefined) return
    this.#all.delete(keyOf(ref))
    for (const parent of old.parents.filter(isGateway)) this.#ofGateway.delete(nameKey(parent), old)
    this.#inNamespace.delete(old.ref.namespace, old)
    if (old.recordedTeam !== undefined) this.#ofTeam.delete(old.recordedTeam, old)
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

function nameKey(gateway: ObjectName): string {
  return `${gateway.namespace}/${gateway.name}`
}

/** Routes by something they have in common. */
class Index {
  readonly #groups = new Map<string, Map<string, StoredRoute>>()

  of(group: string): Iterable<StoredRoute> {
    return this.#groups.get(group)?.values() ?? []
  }

  add(group: string, route: StoredRoute): void {
    const routes = this.#groups.get(group) ?? new Map<string, StoredRoute>()
    this.#groups.set(group, routes.set(keyOf(route.ref), route))
  }

  delete(group: string, route: StoredRoute): void {
    const routes = this.#groups.get(group)
    routes?.delete(keyOf(route.ref))
    if (routes?.size === 0) this.#groups.delete(group)
  }
}
