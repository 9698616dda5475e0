// What of a kind has been handed on: keys and versions, not the objects, so that a re-list removes what is gone.
import { string } from '../core/json.ts'
import type { KubeObject } from '../core/types.ts'

export type Receive = (what: 'put' | 'remove', object: KubeObject) => void
/** What the receiver threw. */
export type Fault = (error: unknown, object: KubeObject) => void

type Type = Pick<KubeObject, 'apiVersion' | 'kind'>

export class Known {
  readonly #receive: Receive
  readonly #fault: Fault
  readonly #versions = new Map<string, string>()
  #type: Type | undefined

  constructor(receive: Receive, fault: Fault) {
    this.#receive = receive
    this.#fault = fault
  }

  get size(): number {
    return this.#versions.size
  }

  /** Gives the object's key. What is known in this very version is not handed on again. */
  put(object: KubeObject): string {
    const key = keyOf(object)
    const version = string(object.metadata.resourceVersion) ?? ''
    if (version !== '' && this.#versions.get(key) === version) return key
    this.#type = { apiVersion: object.apiVersion, kind: object.kind }
    // Known in no version after a fault: the next list hands it on again, or removes it.
    this.#versions.set(key, this.#handOn('put', object) ? version : '')
    return key
  }

  remove(object: KubeObject): void {
    this.#versions.delete(keyOf(object))
    this.#handOn('remove', object)
  }

  /** Removes all but these. Of the objects only type and name are left to be handed on. */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const key of this.#versions.keys()) {
      if (keys.has(key) || this.#type === undefined) continue
      const [namespace = '', name = ''] = key.split('/')
      const metadata = namespace === '' ? { name } : { namespace, name }
      this.remove({ ...this.#type, metadata })
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

function keyOf({ metadata }: KubeObject): string {
  return `${string(metadata.namespace) ?? ''}/${string(metadata.name)}`
}
