// Companions that are there, and since when they are right: what makes guards ready.
import { companions, identity, scopeKey } from '../core/companions.ts'
import { isObject, object, string, strings } from '../core/json.ts'
import { MANAGED_BY, MANAGER } from '../core/keys.ts'
import type { Facts, GatewayKind, KubeObject, Scope } from '../core/types.ts'

type Stored = { readonly object: KubeObject; readonly since: number }

export class StoredCompanions {
  readonly #gateways: readonly GatewayKind[]
  readonly #now: () => number
  readonly #all = new Map<string, Stored>()
  readonly #known = new Map<string, number | undefined>()

  /** `now` in ms since the epoch: when an object was seen to change. */
  constructor(gateways: readonly GatewayKind[], now: () => number) {
    this.#gateways = gateways
    this.#now = now
  }

  /** An object that is seen first is as old as it says; one that changes under our eyes is new from then on. */
  put(document: KubeObject): void {
    if (strings(document.metadata.labels)[MANAGED_BY] !== MANAGER) {
      this.remove(document)
      return
    }
    const key = identity(document)
    const before = this.#all.get(key)
    const isSame =
      before !== undefined && uidOf(before.object) === uidOf(document) && isRight(document.spec, before.object.spec)
    const created = Date.parse(string(document.metadata.creationTimestamp) ?? '')
    const isNew = before === undefined || uidOf(before.object) !== uidOf(document)
    const since = isSame ? before.since : isNew && !Number.isNaN(created) ? created : this.#now()
    this.#all.set(key, { object: { ...document, metadata: slim(document) }, since })
    this.forget()
  }

  remove(document: KubeObject): void {
    if (this.#all.delete(identity(document))) this.forget()
  }

  /** Something changed from which companions are made. */
  forget(): void {
    this.#known.clear()
  }

  /** Since when (ms since the epoch) every guard of a scope is there and right; undefined: one is not. */
  readySince(scope: Scope, facts: Facts): number | undefined {
    const key = scopeKey(scope)
    if (this.#known.has(key)) return this.#known.get(key)
    const since = this.#compute(scope, facts)
    this.#known.set(key, since)
    return since
  }

  #compute(scope: Scope, facts: Facts): number | undefined {
    let latest = 0
    for (const { object: wanted, guards } of companions(scope, facts, this.#gateways)) {
      if (!guards) continue
      const stored = this.#all.get(identity(wanted))
      if (stored === undefined || stored.object.metadata.deletionTimestamp !== undefined) return undefined
      if (!isRight(stored.object.spec, wanted.spec)) return undefined
      latest = Math.max(latest, stored.since)
    }
    if (scope.of !== 'gateway') return latest
    const others = this.#gateways.flatMap(gateway => gateway.preparedByOthers?.(scope, facts) ?? [])
    return Math.max(latest, ...others.map(policy => policy.created))
  }
}

/** Fields that the gateways' CRDs fill in where we say nothing. */
const DEFAULTS: Readonly<Record<string, unknown>> = { group: '', kind: 'Service', weight: 1 }

/** Whether our fields have our values. A field that we did not write may only be a default of the server's. */
export function isRight(actual: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(actual) &&
      actual.length === wanted.length &&
      wanted.every((each, index) => isRight(actual[index], each))
    )
  }
  if (!isObject(wanted)) return actual === wanted
  if (!isObject(actual)) return false
  for (const key of Object.keys(wanted)) if (!isRight(actual[key], wanted[key])) return false
  return Object.keys(actual).every(key => key in wanted || (key in DEFAULTS && DEFAULTS[key] === actual[key]))
}

function uidOf(document: KubeObject): string | undefined {
  return string(document.metadata.uid)
}

function slim({ metadata }: KubeObject): KubeObject['metadata'] {
  const { namespace, name, uid, labels, deletionTimestamp, creationTimestamp } = object(metadata)
  return {
    namespace,
    name,
    uid,
    labels,
    creationTimestamp,
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
  }
}
