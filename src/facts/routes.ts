// The index of routes: projections, not the objects, so that a large cluster fits into little memory.
import { isOfOneRoute } from '../core/companions.ts'
import { isGateway, readRoute } from '../core/route.ts'
import type { KubeObject, ObjectName, RouteIndex, RouteKind, RouteRef, StoredRoute } from '../core/types.ts'
import { project } from './projection.ts'

/** Of one namespace, by name. */
type InNamespace = Readonly<Record<RouteKind, Map<string, StoredRoute>>>

export class Routes implements RouteIndex {
  readonly #namespaces = new Map<string, InNamespace>()
  readonly #ofGateway = new Index()
  readonly #ofTeam = new Index()
  /** Lists come in the order of names, and routes of a namespace have much in common: it is kept once. */
  readonly #latest: Partial<Record<RouteKind, StoredRoute>> = {}
  #size = 0

  get size(): number {
    return this.#size
  }

  get({ kind, namespace, name }: RouteRef): StoredRoute | undefined {
    return this.#namespaces.get(namespace)?.[kind].get(name)
  }

  *all(): Iterable<StoredRoute> {
    for (const namespace of this.#namespaces.keys()) yield* this.inNamespace(namespace)
  }

  ofGateway(gateway: ObjectName): Iterable<StoredRoute> {
    return this.#ofGateway.of(nameKey(gateway))
  }

  *inNamespace(namespace: string): Iterable<StoredRoute> {
    const routes = this.#namespaces.get(namespace)
    if (routes === undefined) return
    yield* routes.Ingress.values()
    yield* routes.HTTPRoute.values()
  }

  ofTeam(team: string): Iterable<StoredRoute> {
    return this.#ofTeam.of(team)
  }

  /** What belongs to another route follows from it and decides nothing: to know of it would double what is kept. */
  put(document: KubeObject): void {
    const route = readRoute(document)
    if (route === undefined) return
    this.remove(route.ref)
    if (isOfOneRoute(document)) return
    const { kind } = route.ref
    const stored = project(route, this.#latest[kind])
    this.#latest[kind] = stored
    const { namespace, name } = stored.ref
    const siblings = this.#namespaces.get(namespace) ?? { Ingress: new Map(), HTTPRoute: new Map() }
    this.#namespaces.set(namespace, siblings)
    siblings[kind].set(name, stored)
    this.#size++
    for (const parent of stored.parents.filter(isGateway)) this.#ofGateway.add(nameKey(parent), stored)
    if (stored.recordedTeam !== undefined) this.#ofTeam.add(stored.recordedTeam, stored)
  }

  remove({ kind, namespace, name }: RouteRef): void {
    const siblings = this.#namespaces.get(namespace)
    const old = siblings?.[kind].get(name)
    if (siblings === undefined || old === undefined) return
    siblings[kind].delete(name)
    if (siblings.Ingress.size + siblings.HTTPRoute.size === 0) this.#namespaces.delete(namespace)
    this.#size--
    for (const parent of old.parents.filter(isGateway)) this.#ofGateway.delete(nameKey(parent), old)
    if (old.recordedTeam !== undefined) this.#ofTeam.delete(old.recordedTeam, old)
  }
}

function nameKey(gateway: ObjectName): string {
  return `${gateway.namespace}/${gateway.name}`
}

/** Routes by something they have in common. */
class Index {
  readonly #groups = new Map<string, Set<StoredRoute>>()

  of(group: string): Iterable<StoredRoute> {
    return this.#groups.get(group) ?? []
  }

  add(group: string, route: StoredRoute): void {
    const routes = this.#groups.get(group) ?? new Set<StoredRoute>()
    this.#groups.set(group, routes.add(route))
  }

  delete(group: string, route: StoredRoute): void {
    const routes = this.#groups.get(group)
    routes?.delete(route)
    if (routes?.size === 0) this.#groups.delete(group)
  }
}
