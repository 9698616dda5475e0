// Companions that are there, and since when they are right: what makes guards ready.
import { isDeepStrictEqual } from 'node:util'
import { companions, identity, isOfOneRoute, scopeKey } from '../core/companions.ts'
import { object, string, strings } from '../core/json.ts'
import { MANAGED_BY, MANAGER, SINCE } from '../core/keys.ts'
import { isRight } from '../core/right.ts'
import type { Facts, GatewayKind, KubeObject, Scope } from '../core/types.ts'

type Stored = { readonly object: KubeObject; readonly since: number }

export class StoredCompanions {
  readonly #gateways: readonly GatewayKind[]
  readonly #now: () => number
  readonly #isCaughtUp: () => boolean
  readonly #all = new Map<string, Stored>()
  readonly #known = new Map<string, number | undefined>()
  /** Of scopes that say they are ready since a time that has yet to come: when that was noticed. */
  readonly #ahead = new Map<string, { readonly since: number; readonly noticed: number }>()

  /**
   * `now` in ms since the epoch: when an object was seen to change. `isCaughtUp`: all that was there when it began has
   * come; what is new from then on has just been made.
   */
  constructor(gateways: readonly GatewayKind[], now: () => number, isCaughtUp: () => boolean = () => false) {
    this.#gateways = gateways
    this.#now = now
    this.#isCaughtUp = isCaughtUp
  }

  /**
   * What belongs to one route guards nothing, and is not kept: there are tens of thousands.
   *
   * An object that is seen first has been right since it was made, or since it was last put right, which it says itself;
   * one that is made or changes under our eyes is new from then on, whatever it says: clocks differ by more than what
   * guards are given to settle.
   */
  put(document: KubeObject): void {
    if (strings(document.metadata.labels)[MANAGED_BY] !== MANAGER || isOfOneRoute(document)) {
      this.remove(document)
      return
    }
    const key = identity(document)
    const before = this.#all.get(key)
    const isSame =
      before !== undefined && uidOf(before.object) === uidOf(document) && isRight(document.spec, before.object.spec)
    const stated = statedSince(document)
    const isNew = before === undefined || uidOf(before.object) !== uidOf(document)
    const since = isSame ? before.since : ((isNew && !this.#isCaughtUp() ? stated : undefined) ?? this.#now())
    const { apiVersion, kind, spec } = document
    const object = { apiVersion, kind, metadata: slim(document), spec }
    // Such as a status that changes: nothing is less right than before.
    if (isSame && isDeepStrictEqual(object, before.object)) return
    this.#all.set(key, { object, since })
    this.forget()
  }

  remove(document: KubeObject): void {
    if (this.#all.delete(identity(document))) this.forget()
  }

  /** Something changed from which companions are made. */
  forget(): void {
    this.#known.clear()
  }

  /** Since when (ms since the epoch) every guard of a scope, or of one gateway's part of it, is there and right; undefined: one is not. */
  readySince(scope: Scope, facts: Facts, gateway?: GatewayKind['id']): number | undefined {
    const key = `${gateway ?? ''} ${scopeKey(scope)}`
    if (!this.#known.has(key)) {
      const gateways = gateway === undefined ? this.#gateways : this.#gateways.filter(({ id }) => id === gateway)
      this.#known.set(key, this.#compute(scope, facts, gateways))
    }
    const since = this.#known.get(key)
    return since === undefined ? undefined : this.#byOurClock(key, since)
  }

  /**
   * The API server's clock may be ahead of ours, and ours may be set back: nobody is to wait for hours because of it, so
   * that what is of the future counts from when it was noticed.
   */
  #byOurClock(key: string, since: number): number {
    const now = this.#now()
    if (since <= now) return since
    const before = this.#ahead.get(key)
    if (before?.since === since && before.noticed <= now) return before.noticed
    this.#ahead.set(key, { since, noticed: now })
    return now
  }

  #compute(scope: Scope, facts: Facts, gateways: readonly GatewayKind[]): number | undefined {
    let latest = 0
    for (const { object: wanted, guards } of companions(scope, facts, gateways)) {
      if (!guards) continue
      const stored = this.#all.get(identity(wanted))
      if (stored === undefined || stored.object.metadata.deletionTimestamp !== undefined) return undefined
      if (!isRight(stored.object.spec, wanted.spec)) return undefined
      latest = Math.max(latest, stored.since)
    }
    if (scope.of === 'namespace' && gateways.some(each => (each.shadowedBy?.(scope, facts) ?? []).length > 0))
      return undefined
    if (scope.of !== 'gateway') return latest
    const others = gateways.flatMap(gateway => gateway.preparedByOthers?.(scope, facts) ?? [])
    return Math.max(latest, ...others.map(policy => policy.created))
  }
}

function uidOf(document: KubeObject): string | undefined {
  return string(document.metadata.uid)
}

/** What an object says itself; undefined if it is not stored yet. */
function statedSince({ metadata }: KubeObject): number | undefined {
  const created = Date.parse(string(metadata.creationTimestamp) ?? '')
  if (Number.isNaN(created)) return undefined
  const since = Date.parse(strings(metadata.annotations)[SINCE] ?? '')
  return Number.isNaN(since) ? created : Math.max(created, since)
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
