// What of a kind has been handed on: names and versions, not the objects, so that a re-list removes what is gone.
import { string } from '../core/json.ts'
import type { KubeObject } from '../core/types.ts'

export type Receive = (what: 'put' | 'remove', object: KubeObject) => void
/** What the receiver threw. */
export type Fault = (error: unknown, object: KubeObject) => void

type Type = Pick<KubeObject, 'apiVersion' | 'kind'>

export class Known {
  readonly #receive: Receive
  readonly #fault: Fault
  /** By namespace and name, which are the receiver's own strings: joined to one key they would take twice the memory. */
  readonly #versions = new Map<string, Map<string, string>>()
  #size = 0
  #type: Type | undefined

  constructor(receive: Receive, fault: Fault) {
    this.#receive = receive
    this.#fault = fault
  }

  get size(): number {
    return this.#size
  }

  /** What is known in this very version is not handed on again. */
  put(object: KubeObject): void {
    const { namespace, name } = nameOf(object)
    const version = string(object.metadata.resourceVersion) ?? ''
    const siblings = this.#versions.get(namespace) ?? new Map<string, string>()
    const before = siblings.get(name)
    if (version !== '' && before === version) return
    this.#type = { apiVersion: object.apiVersion, kind: object.kind }
    if (before === undefined) this.#size++
    // Known in no version after a fault: the next list hands it on again, or removes it.
    this.#versions.set(namespace, siblings.set(name, this.#handOn('put', object) ? version : ''))
  }

  remove(object: KubeObject): void {
    const { namespace, name } = nameOf(object)
    const siblings = this.#versions.get(namespace)
    if (siblings?.delete(name)) this.#size--
    if (siblings?.size === 0) this.#versions.delete(namespace)
    this.#handOn('remove', object)
  }

  names(): Names {
    const names = new Map<string, Set<string>>()
    for (const [namespace, siblings] of this.#versions) names.set(namespace, new Set(siblings.keys()))
    return names
  }

  /** Of the objects only type and name are left to be handed on. */
  removeAll(names: Names): void {
    if (this.#type === undefined) return
    for (const [namespace, siblings] of names) {
      for (const name of siblings) {
        this.remove({ ...this.#type, metadata: namespace === '' ? { name } : { namespace, name } })
      }
    }
  }

  /** One object that the receiver can't take must not cost it all others. */
  #handOn(what: 'put' | 'remove', object: KubeObject): boolean {
    try {
      this.#receive(what, object)
      return true
    } catch (error) {
      this.#fault(error, object)
      return false
    }
  }
}

/** By namespace; '' of what is in none. */
export type Names = Map<string, Set<string>>

export function strike(names: Names, object: KubeObject): void {
  const { namespace, name } = nameOf(object)
  names.get(namespace)?.delete(name)
}

function nameOf({ metadata }: KubeObject): { namespace: string; name: string } {
  return { namespace: string(metadata.namespace) ?? '', name: string(metadata.name) ?? '' }
}
