// A cluster in memory: objects with creation times in whole seconds, facts that may be missing, and the controller's
// writes one at a time, each of them held against what must never happen.
import jsonPatch from 'fast-json-patch'

import { type Key, keyText } from '../../src/controller/keys.ts'
import { orphans, type Sweep } from '../../src/controller/orphans/orphans.ts'
import { referencesOf } from '../../src/controller/orphans/references.ts'
import { isOurs, keyOfOwned, OwnedObjects } from '../../src/controller/owned.ts'
import { allKeys, leftKeys, scopesOf, wantedBy } from '../../src/controller/scopes.ts'
import type { Known } from '../../src/controller/steps/known.ts'
import { nextSteps, type Seen, type Step } from '../../src/controller/steps/steps.ts'
import { companions, identity } from '../../src/core/companions.ts'
import { isObject, object, string, strings } from '../../src/core/json.ts'
import { NET_PREFIX } from '../../src/core/names.ts'
import { plan } from '../../src/core/planner.ts'
import { isRight } from '../../src/core/right.ts'
import { readRoute } from '../../src/core/route.ts'
import { chooseTeam, saysOpen } from '../../src/core/team.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { StoredCompanions } from '../../src/facts/companions.ts'
import { FactStore } from '../../src/facts/store.ts'
import { gateways } from '../../src/gateways/index.ts'
import { finish } from '../controller/stored.ts'
import { config } from '../facts/cluster.ts'
import { patchOf } from './apply.ts'

const PROTECT = 'auth.example/protect'
const ACCESS = 'auth.example/access'
const INJECTED = 'auth.example/injected'

export type Settling = {
  /** Writes until the controller is stopped in the middle. */
  readonly writes: number
  /** What the API server does not take. */
  readonly refused: (id: string) => boolean
}

export class Cluster {
  readonly objects = new Map<string, KubeObject>()
  /** What is true, without delay. */
  readonly truth = new FactStore(config())
  /** What the controller knows. */
  readonly facts: FactStore
  readonly owned = new OwnedObjects()
  readonly hidden = new Set<string>()
  /** Sweeps since a kind went missing. */
  #sweepsHidden = 0
  #sweep: Sweep = new Set()
  #undelivered: { readonly what: 'put' | 'remove'; readonly object: KubeObject }[] = []
  #now = Date.parse('2026-01-01T00:00:00Z')
  #count = 0
  readonly #paceMs: number

  constructor(paceMs: number) {
    this.#paceMs = paceMs
    this.facts = new FactStore(config(), new StoredCompanions(gateways, () => this.#now))
  }

  tick(ms: number): void {
    this.#now += ms
  }

  put(document: KubeObject): KubeObject {
    this.#now += this.#paceMs
    const before = this.objects.get(identity(document))
    // As the controller does: what comes may be what was missing.
    if (before === undefined && (document.kind === 'AuthTeam' || document.kind === 'Gateway')) this.#sweep = new Set()
    const metadata = {
      uid: `uid-${this.#count++}`,
      creationTimestamp: `${new Date(this.#now).toISOString().slice(0, 19)}Z`,
      ...document.metadata,
      ...(before === undefined
        ? {}
        : { uid: before.metadata.uid, creationTimestamp: before.metadata.creationTimestamp }),
      resourceVersion: String(this.#count++),
    }
    const stored = { ...document, metadata }
    this.objects.set(identity(stored), stored)
    this.truth.put(stored)
    this.owned.put(stored)
    this.#undelivered.push({ what: 'put', object: stored })
    return stored
  }

  remove(stored: KubeObject): void {
    this.#now += this.#paceMs
    this.objects.delete(identity(stored))
    this.truth.remove(stored)
    this.owned.remove(stored)
    this.#undelivered.push({ what: 'remove', object: stored })
  }

  get(kind: string, name: string): KubeObject | undefined {
    return [...this.objects.values()].find(each => each.kind === kind && each.metadata.name === name)
  }

  policies(): KubeObject[] {
    return [...this.objects.values()].filter(each => each.kind === 'SecurityPolicy' && isOurs(each))
  }

  /** What the watches have brought so far. */
  deliver(): void {
    for (const { what, object: each } of this.#undelivered) {
      if (!this.hidden.has(each.kind) || isOurs(each)) this.facts[what](each)
    }
    this.#undelivered = []
  }

  hide(kind: string): void {
    this.deliver()
    if (this.hidden.size === 0) this.#sweepsHidden = 0
    this.hidden.add(kind)
    for (const each of this.objects.values()) if (each.kind === kind && !isOurs(each)) this.facts.remove(each)
  }

  show(): void {
    this.deliver()
    this.hidden.clear()
    this.#sweepsHidden = 0
    for (const each of this.objects.values()) this.facts.put(each)
  }

  /** Every key once, as far as it goes. */
  settle({ writes, refused }: Settling): number {
    this.deliver()
    let left = writes
    for (const key of this.#keys()) {
      left = key.of === 'route' ? this.#settleRoute(key, left, refused) : this.#settleKey(key, left, refused)
      if (left === 0) return 0
    }
    return left
  }

  /** Whether nothing is left to do for any key. */
  atRest(): readonly Step[] {
    this.deliver()
    return this.#keys().flatMap(key => {
      const seen = this.#seen(key)
      if (seen?.route !== undefined && !this.#mayBeSettled(seen.route)) return []
      return nextSteps(key, this.#known(), undefined, seen)
    })
  }

  sweep(): void {
    this.deliver()
    const routes = [...this.objects.values()].filter(each => each.kind === 'HTTPRoute' || each.kind === 'Ingress')
    const read = {
      references: new Set(routes.flatMap(referencesOf)),
      isAbsent: () => false,
      before: this.#sweep,
    }
    const found = finish(orphans(this.facts, this.owned, gateways, read, 100))
    if (this.hidden.size > 0) this.#sweepsHidden++
    for (const each of found.remove) this.#take({ do: 'remove', object: each })
    this.#sweep = found.sweep
  }

  /** Kept by the last sweep for want of facts. */
  get waiting(): Sweep {
    return this.#sweep
  }

  /** Routes that are not among the facts are those of a kind that is not served; of other kinds any may be missing. */
  #known(): Known {
    const isAbsent = (kind: string) => kind === 'HTTPRoute' && this.hidden.has(kind)
    return { facts: this.facts, owned: this.owned, gateways, now: this.#now, isAbsent }
  }

  #keys(): Key[] {
    const all = [...leftKeys(this.facts, this.owned), ...allKeys(this.facts)]
    const keys = new Map(all.map(key => [keyText(key), key]))
    for (const each of this.owned.all()) {
      const key = keyOfOwned(each)
      if (key?.of === 'route') keys.set(keyText(key), key)
    }
    return [...keys.values()]
  }

  #seen(key: Key): Seen | undefined {
    if (key.of !== 'route') return undefined
    const { kind, namespace, name } = key.route
    const route = [...this.objects.values()].find(
      each => each.kind === kind && each.metadata.namespace === namespace && each.metadata.name === name,
    )
    return route === undefined ? {} : { route }
  }

  /** What is denied or waits for its guards stays as it is. */
  #mayBeSettled(route: KubeObject): boolean {
    const planned = plan(route, this.facts, gateways)
    if (planned.outcome === 'deny') return false
    if (planned.outcome !== 'protect') return true
    const { scopes, target } = planned
    return scopes.every(
      scope => scope.of === 'route' || this.facts.readySince(scope, target.controller.gateway) !== undefined,
    )
  }

  #settleRoute(key: Extract<Key, { of: 'route' }>, left: number, refused: Settling['refused']): number {
    const { route } = this.#seen(key) ?? {}
    if (route === undefined) return this.#settleKey(key, left, refused, {})
    if (!this.#mayBeSettled(route)) return left
    const planned = plan(route, this.facts, gateways)
    const changed = jsonPatch.applyPatch(route, patchOf(planned) as jsonPatch.Operation[], true, false).newDocument
    if (planned.outcome !== 'skip' && JSON.stringify(changed) !== JSON.stringify(route)) {
      this.#write(`record of ${keyText(key)}`, () => this.put(changed))
      this.deliver()
      if (left === 1) return 0
      left--
    }
    return this.#settleKey(key, left, refused, this.#seen(key))
  }

  #settleKey(key: Key, left: number, refused: Settling['refused'], seen?: Seen): number {
    const blocked = new Set<string>()
    for (let batch = 0; batch < 20; batch++) {
      const steps = nextSteps(key, this.#known(), blocked, seen)
      if (steps.length === 0) return left
      for (const step of steps) {
        if (refused(identity(step.object))) {
          blocked.add(identity(step.object))
          continue
        }
        this.#take(step)
        if (--left === 0) return 0
      }
    }
    throw new Error(`${keyText(key)} never comes to rest`)
  }

  #take(step: Step): void {
    const id = identity(step.object)
    this.#write(`${step.do} ${id}`, () => {
      if (step.do === 'remove') return this.#removed(step.object)
      const there = this.objects.get(id)
      if (there !== undefined && !isOurs(there)) throw new Error(`${id} is not ours`)
      if (step.do === 'apply') return this.put(merged(there, step.object))
      if (there?.metadata.resourceVersion !== step.version) throw new Error(`${id} was not seen in this version`)
      const [spec, annotations] = step.operations.map(each => ('value' in each ? each.value : undefined))
      return this.put({ ...there, spec, metadata: { ...there.metadata, annotations } })
    })
  }

  #removed(stored: KubeObject): void {
    const id = identity(stored)
    if (this.objects.get(id)?.metadata.uid !== stored.metadata.uid) throw new Error(`${id} is another one`)
    const key = keyOfOwned(stored)
    const isWanted = key !== undefined && wantedBy(key, this.truth, gateways).has(id)
    const isNet = String(stored.metadata.name).startsWith(NET_PREFIX)
    if (isWanted && !isNet && this.#sweepsHidden < 2) throw new Error(`${id} is wanted, and was removed`)
    this.remove(stored)
  }

  /** One write of the controller's, and what must hold after it for each labelled route. */
  #write(what: string, act: () => unknown): void {
    const before = new Map(this.labelledRoutes().map(route => [identity(route), this.guardOf(route)]))
    act()
    for (const route of this.labelledRoutes()) {
      const was = before.get(identity(route))
      const is = this.guardOf(route)
      if (was !== undefined && isShut(was) && !(is !== undefined && isShut(is))) {
        throw new Error(`${what} opened ${identity(route)}`)
      }
      if (is === undefined || isNetOf(is) || (was !== undefined && identity(was) === identity(is))) continue
      const wrong = this.#wrongGuard(route, is)
      if (wrong !== undefined) throw new Error(`${what} led ${identity(route)} to ${identity(is)}: ${wrong}`)
    }
  }

  #wrongGuard(document: KubeObject, guard: KubeObject): string | undefined {
    const route = readRoute(document)!
    const recorded = readTeam(document)
    const choice = chooseTeam(route, recorded, this.truth)
    const team = Array.isArray(choice) ? recorded : choice.team.name
    // Never protected, and not to be planned: it is nobody's, and any login is as wrong as another.
    if (team === undefined) return undefined
    const level = route.labels[ACCESS]
    const expected = `portcullis-team.${team}${level === undefined ? '' : `.${level}`}`
    return guard.metadata.name === expected ? undefined : `not ${expected}`
  }

  labelledRoutes(): KubeObject[] {
    return [...this.objects.values()].filter(
      each => each.kind === 'HTTPRoute' && !isOurs(each) && !saysOpen(strings(each.metadata.labels)[PROTECT]),
    )
  }

  /** Of ours, the policy that takes effect: the oldest, in the same second the first by name. */
  guardOf(route: KubeObject): KubeObject | undefined {
    return this.policies()
      .filter(
        each => each.metadata.namespace === route.metadata.namespace && selects(each, strings(route.metadata.labels)),
      )
      .sort((a, b) => (order(a) < order(b) ? -1 : 1))[0]
  }

  /** What is not as `companions` says, values of the label apart where `lenient`. */
  difference(): string[] {
    this.deliver()
    const wanted = new Map<string, KubeObject>()
    for (const key of allKeys(this.truth)) {
      for (const scope of scopesOf(key, this.truth)) {
        for (const each of companions(scope, this.truth, gateways)) wanted.set(identity(each.object), each.object)
      }
    }
    const stored = [...this.objects.values()].filter(isOurs)
    return [
      ...[...wanted]
        .filter(([id, each]) => !isRight(this.objects.get(id)?.spec, each.spec))
        .map(([id]) => `not right: ${id}`),
      ...stored.filter(each => !wanted.has(identity(each))).map(each => `not wanted: ${identity(each)}`),
    ]
  }
}

function readTeam(route: KubeObject): string | undefined {
  const record = strings(route.metadata.annotations)[INJECTED]
  return record === undefined ? undefined : string(object(JSON.parse(record)).team)
}

function order({ metadata }: KubeObject): string {
  return `${metadata.creationTimestamp} ${metadata.name}`
}

function isNetOf({ metadata }: KubeObject): boolean {
  return String(metadata.name).startsWith(NET_PREFIX)
}

/** Whether it asks for a login, or lets nobody through. */
export function isShut(policy: KubeObject): boolean {
  const { authorization, extAuth, mergeType } = object(policy.spec)
  if (object(authorization).defaultAction !== 'Deny' || mergeType !== undefined) return false
  return isNetOf(policy) || (isObject(extAuth) && extAuth.failOpen === false)
}

type Expression = { readonly key: string; readonly operator: string; readonly values?: readonly string[] }

/** Written once more, so that a mistake in ours would show. */
function selects(policy: KubeObject, labels: { readonly [key: string]: string }): boolean {
  const selectors = object(policy.spec).targetSelectors as { matchExpressions: readonly Expression[] }[] | undefined
  return (selectors ?? []).some(({ matchExpressions }) =>
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key]
      if (operator === 'Exists') return value !== undefined
      if (operator === 'DoesNotExist') return value === undefined
      return (value !== undefined && values.includes(value)) === (operator === 'In')
    }),
  )
}

/** Server-side apply: of what somebody else wrote beside our fields, all stays. */
function merged(there: KubeObject | undefined, ours: KubeObject): KubeObject {
  if (there === undefined) return ours
  const { mergeType } = object(there.spec)
  const spec = { ...(mergeType === undefined ? {} : { mergeType }), ...object(ours.spec) }
  const labels = { ...strings(there.metadata.labels), ...strings(ours.metadata.labels) }
  const annotations = { ...strings(there.metadata.annotations), ...strings(ours.metadata.annotations) }
  return { ...there, spec, metadata: { ...there.metadata, labels, annotations } }
}
