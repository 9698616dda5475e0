// What is stored of ours and nobody wants any more: what of it goes now, and in which order.
import { identity, standing } from '../../core/companions.ts'
import { array, isObject, object, string } from '../../core/json.ts'
import { isRight } from '../../core/right.ts'
import type { Facts, GatewayKind, KubeObject } from '../../core/types.ts'
import { type Key, keyText } from '../keys.ts'
import { keyOfOwned, type OwnedObjects, teamOfOwned } from '../owned.ts'
import { allKeys, type ClusterFacts, wantedBy } from '../scopes.ts'
import { newestNet } from '../steps/net.ts'
import { isNet, policyOf } from '../steps/team-policies.ts'
import { labelReference } from './references.ts'
import { isPlain, type Judging, judge, nameOf, type Read, type Sweep, type Verdict } from './verdict.ts'

export type { Read, Sweep } from './verdict.ts'

export type Found = {
  /** In this order: what opens nothing first, guards after what they guard. */
  readonly remove: readonly KubeObject[]
  /** Unwanted, and there because something relies on it, or because facts are missing. */
  readonly kept: readonly KubeObject[]
  /** For the next sweep. */
  readonly sweep: Sweep
}

/** Of tens of thousands of objects: others have their turn after each `turn` of them. What is found is as of the end. */
export function* orphans(
  facts: ClusterFacts,
  owned: OwnedObjects,
  gateways: readonly GatewayKind[],
  read: Read,
  turn: number,
): Generator<void, Found> {
  const context: Judging = { facts, owned, gateways, read }
  return decide(yield* unwanted(context, turn), context)
}

function decide(candidates: readonly KubeObject[], context: Judging): Found {
  const { read } = context
  const verdicts = candidates.map(each => ({ object: each, verdict: judge(each, context) }))
  const sweep = new Set(verdicts.filter(each => each.verdict === 'unknown').map(each => identity(each.object)))
  const goes = (verdict: Verdict, id: string) =>
    verdict === 'unneeded' || (verdict === 'unknown' && read.before.has(id) && sweep.has(id))
  const ordered = verdicts.sort((a, b) => rank(a.object) - rank(b.object))
  const leaving = new Map<string, KubeObject>()
  for (const { object: each, verdict } of ordered) if (goes(verdict, identity(each))) leaving.set(identity(each), each)
  // What something stands on goes only with it. Nothing stands on what comes earlier in the order.
  for (const [id, each] of leaving) if (isStoodOn(each, leaving, context)) leaving.delete(id)
  const kept = ordered.map(each => each.object).filter(each => !leaving.has(identity(each)))
  return { remove: [...leaving.values()], kept, sweep }
}

/** Logins and what lets routes through first, then policies of teams and Middlewares, then nets, then references. */
function rank(each: KubeObject): number {
  if (keyOfOwned(each)?.of === 'route') return 0
  if (policyOf(each) !== undefined || each.kind === 'Middleware') return 1
  if (isNet(each)) return 2
  return each.kind === 'ReferenceGrant' || each.kind === 'BackendTLSPolicy' ? 4 : 3
}

/** An object may say a wrong scope, so what seems unwanted is held against everything that is wanted. */
function* unwanted(context: Judging, turn: number): Generator<void, KubeObject[]> {
  const { facts, owned, gateways } = context
  const known = new Map<string, ReadonlyMap<string, unknown>>()
  const wantedOnce = (key: Key) => {
    const wanted = known.get(keyText(key)) ?? wantedBy(key, facts, gateways)
    // Of routes there are many, each with an object or two.
    if (key.of !== 'route') known.set(keyText(key), wanted)
    return wanted
  }
  const candidates = new Set<string>()
  let looked = 0
  for (const each of owned.all()) {
    const key = keyOfOwned(each)
    if (key === undefined || !wantedOnce(key).has(identity(each))) candidates.add(identity(each))
    if (++looked % turn === 0) yield
  }
  if (candidates.size === 0) return []
  for (const key of allKeys(facts)) {
    for (const id of wantedOnce(key).keys()) candidates.delete(id)
    if (++looked % turn === 0) yield
  }
  return [...candidates].flatMap(id => owned.get(id) ?? []).filter(each => isUnwanted(each, context))
}

/** By its own scope, as of now: since it was looked at, somebody else had a turn. */
function isUnwanted(each: KubeObject, { facts, gateways }: Judging): boolean {
  if (each.metadata.deletionTimestamp !== undefined) return false
  const key = keyOfOwned(each)
  if (key !== undefined && wantedBy(key, facts, gateways).has(identity(each))) return false
  return !isNet(each) || !isOfWantedNamespace(each, facts)
}

/** Older nets of a namespace that has teams go when the newest is right, and not here. */
function isOfWantedNamespace({ metadata }: KubeObject, facts: Facts): boolean {
  const namespace = string(metadata.namespace) ?? ''
  return facts.namespace(namespace) !== undefined && facts.teamsIn(namespace).admitted.length > 0
}

function isStoodOn(
  each: KubeObject,
  leaving: ReadonlyMap<string, KubeObject>,
  { facts, owned, gateways, read }: Judging,
): boolean {
  const { namespace } = nameOf(each)
  const staying = (objects: readonly KubeObject[]) => objects.filter(other => !leaving.has(identity(other)))
  if (policyOf(each) !== undefined) {
    return read.references.has(labelReference(namespace)) && !isShut(owned.policiesIn(namespace), gateways)
  }
  if (isNet(each)) return staying(owned.policiesIn(namespace)).some(other => policyOf(other) !== undefined)
  if (each.kind === 'ReferenceGrant') {
    const from = new Set(array(object(each.spec).from).map(source => String(object(source).namespace)))
    const services = new Set(array(object(each.spec).to).map(target => String(object(target).name)))
    return [...from].some(source =>
      staying(owned.inNamespace(source)).some(other => leadsTo(other, namespace, services)),
    )
  }
  if (each.kind !== 'BackendTLSPolicy') return false
  const team = facts.team(teamOfOwned(each) ?? '')
  if (team !== undefined && isPlain(each, team)) return false
  const services = new Set(array(object(each.spec).targetRefs).map(target => String(object(target).name)))
  return staying([...owned.all()]).some(other => leadsTo(other, namespace, services))
}

/** Whether the net of a namespace closes what no policy of a team serves. */
function isShut(here: readonly KubeObject[], gateways: readonly GatewayKind[]): boolean {
  const net = newestNet(here)
  return net !== undefined && isRight(net.spec, standing(net, gateways)?.object.spec)
}

/** Whether a Service is named anywhere in a spec as what requests go to. */
function leadsTo({ spec }: KubeObject, namespace: string, services: ReadonlySet<string>): boolean {
  const found = (value: unknown): boolean => {
    if (Array.isArray(value)) return value.some(found)
    if (!isObject(value)) return false
    if (value.namespace === namespace && value.port !== undefined && services.has(String(value.name))) return true
    return Object.values(value).some(found)
  }
  return found(spec)
}
