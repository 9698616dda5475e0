// What is stored of ours: every companion by its identity, and by the key that has to look at it.
import { identity, namespaceKey } from '../core/companions.ts'
import { string, strings } from '../core/json.ts'
import { MANAGED_BY, MANAGER, SCOPE } from '../core/keys.ts'
import { shared } from '../core/shared.ts'
import type { KubeObject } from '../core/types.ts'
import type { Key } from './keys.ts'

/** Of each protected route there are companions, so there are tens of thousands: what they have in common is kept once. */
export class OwnedObjects {
  readonly #objects = new Map<string, KubeObject>()
  /** Lists come in the order of names, and the one before is often for the same team. */
  readonly #latest = new Map<string, KubeObject>()
  readonly #ofKey = new Map<string, readonly string[]>()
  readonly #inNamespace = new Map<string, Set<string>>()
  /** Of those, the SecurityPolicies: few, where there may be thousands of logins. */
  readonly #policiesIn = new Map<string, Set<string>>()

  get size(): number {
    return this.#objects.size
  }

  /** What is no longer ours is forgotten. */
  put(document: KubeObject): void {
    this.remove(document)
    if (!isOurs(document)) return
    const id = identity(document)
    const object = shared(slim(document), this.#latest.get(document.kind))
    this.#latest.set(document.kind, object)
    this.#objects.set(id, object)
    const key = keyOfScope(scopeOf(object))
    this.#ofKey.set(key, [...(this.#ofKey.get(key) ?? []), id])
    add(this.#inNamespace, namespaceOf(object), id)
    if (object.kind === 'SecurityPolicy') add(this.#policiesIn, namespaceOf(object), id)
  }

  remove(document: KubeObject): void {
    const id = identity(document)
    const object = this.#objects.get(id)
    if (object === undefined) return
    this.#objects.delete(id)
    const key = keyOfScope(scopeOf(object))
    const others = this.#ofKey.get(key)?.filter(each => each !== id) ?? []
    if (others.length === 0) this.#ofKey.delete(key)
    else this.#ofKey.set(key, others)
    take(this.#inNamespace, namespaceOf(object), id)
    take(this.#policiesIn, namespaceOf(object), id)
  }

  get(id: string): KubeObject | undefined {
    return this.#objects.get(id)
  }

  /** By the text of a key: that of a namespace has what all of its teams have there, and the net. */
  ofKey(key: string): KubeObject[] {
    return this.#read(this.#ofKey.get(key) ?? [])
  }

  ofScope(scope: string): KubeObject[] {
    return this.ofKey(keyOfScope(scope)).filter(object => scopeOf(object) === scope)
  }

  /** Where they are stored, whatever they are for. */
  inNamespace(namespace: string): KubeObject[] {
    return this.#read(this.#inNamespace.get(namespace) ?? [])
  }

  /** The SecurityPolicies of a namespace: of teams, and the net. */
  policiesIn(namespace: string): KubeObject[] {
    return this.#read(this.#policiesIn.get(namespace) ?? [])
  }

  all(): Iterable<KubeObject> {
    return this.#objects.values()
  }

  #read(ids: Iterable<string>): KubeObject[] {
    return [...ids].flatMap(id => this.get(id) ?? [])
  }
}

export function isOurs({ metadata }: KubeObject): boolean {
  return strings(metadata.labels)[MANAGED_BY] === MANAGER
}

/** Of its scope, as the object itself says; `''`: it does not. */
export function scopeOf({ metadata }: KubeObject): string {
  return strings(metadata.annotations)[SCOPE] ?? ''
}

/** Who has to look at a companion that changed; undefined: it does not say. */
export function keyOfOwned(object: KubeObject): Key | undefined {
  const [of, first = '', second = '', third] = scopeOf(object).split('/')
  if (of === 'team' && first !== '') return { of, team: first }
  if (of === 'namespace' && first !== '') return { of, namespace: first }
  if (of === 'gateway' && second !== '') return { of, namespace: first, name: second }
  if (of !== 'route' || third === undefined || (first !== 'Ingress' && first !== 'HTTPRoute')) return undefined
  return { of, route: { kind: first, namespace: second, name: third } }
}

/** The team that a companion is for; undefined where it is for no single team. */
export function teamOfOwned(object: KubeObject): string | undefined {
  const [of, first, second] = scopeOf(object).split('/')
  if (of === 'team') return first
  return of === 'namespace' ? second : undefined
}

/** Scopes of teams in a namespace are looked at together. */
function keyOfScope(scope: string): string {
  const [of, namespace = ''] = scope.split('/')
  return of === 'namespace' ? namespaceKey(namespace) : scope
}

function namespaceOf({ metadata }: KubeObject): string {
  return string(metadata.namespace) ?? ''
}

function slim({ apiVersion, kind, metadata, spec }: KubeObject): KubeObject {
  const { managedFields: _, ownerReferences: __, ...kept } = metadata
  return { apiVersion, kind, metadata: kept, ...(spec === undefined ? {} : { spec }) }
}

function add(groups: Map<string, Set<string>>, group: string, id: string): void {
  const ids = groups.get(group) ?? new Set()
  groups.set(group, ids.add(id))
}

function take(groups: Map<string, Set<string>>, group: string, id: string): void {
  const ids = groups.get(group)
  ids?.delete(id)
  if (ids?.size === 0) groups.delete(group)
}
