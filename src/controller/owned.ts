// What is stored of ours: every companion by its identity, and by the key that has to look at it. What a watch tells of it
// comes before what the API server has answered.
import { identity, namespaceKey } from '../core/companions.ts'
import { string, strings } from '../core/json.ts'
import { MANAGED_BY, MANAGER, SCOPE } from '../core/keys.ts'
import { shared } from '../core/shared.ts'
import type { KubeObject } from '../core/types.ts'
import type { Key } from './keys.ts'

/** What the API server says of one object that it was asked about. */
export type Answer = {
  put(document: KubeObject): void
  remove(document: KubeObject): void
  /** Nothing more is answered. */
  end(): void
}

/** Of each protected route there are companions, so there are tens of thousands: what they have in common is kept once. */
export class OwnedObjects {
  /** By kind and namespace together, then by name, which is the object's own string: identities would take as much again. */
  readonly #groups = new Map<string, Map<string, KubeObject>>()
  /** Of a namespace. */
  readonly #groupsIn = new Map<string, Set<string>>()
  /** Lists come in the order of names, and the one before is often for the same team. */
  readonly #latest = new Map<string, KubeObject>()
  readonly #ofKey = new Map<string, readonly KubeObject[]>()
  /** By identity, one for each answer that is awaited; overtaken: a watch has told of the object since. */
  readonly #awaited = new Map<string, Set<{ overtaken: boolean }>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** A watch tells of it. What is no longer ours is forgotten. */
  put(document: KubeObject): void {
    this.#overtake(document)
    this.#put(document)
  }

  /** A watch tells of it. */
  remove(document: KubeObject): void {
    this.#overtake(document)
    this.#remove(document)
  }

  /**
   * The API server is about to be asked, by the identity of an object. Its answer comes on another connection than what
   * watches tell, and later than that it may be out of date: then it counts for nothing, since watches tell all in order.
   */
  answerAbout(id: string): Answer {
    const awaited = { overtaken: false }
    const others = this.#awaited.get(id) ?? new Set()
    this.#awaited.set(id, others.add(awaited))
    return {
      put: document => {
        if (!awaited.overtaken) this.#put(document)
      },
      remove: document => {
        if (!awaited.overtaken) this.#remove(document)
      },
      end: () => {
        others.delete(awaited)
        if (others.size === 0) this.#awaited.delete(id)
      },
    }
  }

  #overtake(document: KubeObject): void {
    if (this.#awaited.size === 0) return
    for (const awaited of this.#awaited.get(identity(document)) ?? []) awaited.overtaken = true
  }

  #put(document: KubeObject): void {
    this.#remove(document)
    if (!isOurs(document)) return
    const object = shared(slim(document), this.#latest.get(document.kind))
    this.#latest.set(document.kind, object)
    const { group, name } = placeOf(identity(object))
    const siblings = this.#groups.get(group) ?? new Map<string, KubeObject>()
    this.#groups.set(group, siblings.set(string(object.metadata.name) ?? name, object))
    const namespace = namespaceOf(object)
    this.#groupsIn.set(namespace, (this.#groupsIn.get(namespace) ?? new Set()).add(group))
    const key = keyOfScope(scopeOf(object))
    this.#ofKey.set(key, [...(this.#ofKey.get(key) ?? []), object])
    this.#size++
  }

  #remove(document: KubeObject): void {
    const { group, name } = placeOf(identity(document))
    const siblings = this.#groups.get(group)
    const object = siblings?.get(name)
    if (siblings === undefined || object === undefined) return
    siblings.delete(name)
    if (siblings.size === 0) this.#forget(group, namespaceOf(object))
    const key = keyOfScope(scopeOf(object))
    const others = this.#ofKey.get(key)?.filter(each => each !== object) ?? []
    if (others.length === 0) this.#ofKey.delete(key)
    else this.#ofKey.set(key, others)
    this.#size--
  }

  /** By its identity. */
  get(id: string): KubeObject | undefined {
    const { group, name } = placeOf(id)
    return this.#groups.get(group)?.get(name)
  }

  /** By the text of a key: that of a namespace has what all of its teams have there, and the net. */
  ofKey(key: string): readonly KubeObject[] {
    return this.#ofKey.get(key) ?? []
  }

  ofScope(scope: string): KubeObject[] {
    return this.ofKey(keyOfScope(scope)).filter(object => scopeOf(object) === scope)
  }

  /** Where they are stored, whatever they are for. */
  inNamespace(namespace: string): KubeObject[] {
    return [...(this.#groupsIn.get(namespace) ?? [])].flatMap(group => this.#ofGroup(group))
  }

  /** The SecurityPolicies of a namespace, of teams and the net: few, where there may be thousands of logins. */
  policiesIn(namespace: string): KubeObject[] {
    return [...(this.#groupsIn.get(namespace) ?? [])]
      .filter(group => group.includes('/SecurityPolicy/'))
      .flatMap(group => this.#ofGroup(group))
  }

  *all(): Iterable<KubeObject> {
    for (const siblings of this.#groups.values()) yield* siblings.values()
  }

  #ofGroup(group: string): KubeObject[] {
    return [...(this.#groups.get(group)?.values() ?? [])]
  }

  #forget(group: string, namespace: string): void {
    this.#groups.delete(group)
    const groups = this.#groupsIn.get(namespace)
    groups?.delete(group)
    if (groups?.size === 0) this.#groupsIn.delete(namespace)
  }
}

/** An identity ends with a name, and no name has a slash. */
function placeOf(id: string): { group: string; name: string } {
  const end = id.lastIndexOf('/')
  return { group: id.slice(0, end), name: id.slice(end + 1) }
}

export function isOurs({ metadata }: KubeObject): boolean {
  return strings(metadata.labels)[MANAGED_BY] === MANAGER
}

/** Of its scope, as the object itself says; `''`: it does not. */
function scopeOf({ metadata }: KubeObject): string {
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

/** What decisions ask for. Written field by field: what is left over when others are taken out lies in twice the memory. */
function slim({ apiVersion, kind, metadata, spec }: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp, labels, annotations } = metadata
  const kept = { name, namespace, uid, resourceVersion, creationTimestamp, labels, annotations }
  const going = deletionTimestamp === undefined ? kept : { ...kept, deletionTimestamp }
  return spec === undefined ? { apiVersion, kind, metadata: going } : { apiVersion, kind, metadata: going, spec }
}
