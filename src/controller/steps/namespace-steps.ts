// The order of writes in a namespace: first what is added, then the net's successor, then what is taken away. At no point
// does a labelled route stand without a policy of its team or the net.
import { identity, standing } from '../../core/companions.ts'
import { string } from '../../core/json.ts'
import { saysTrue } from '../../core/team.ts'
import type { Companion, KubeObject, StoredRoute } from '../../core/types.ts'
import type { OwnedObjects } from '../owned.ts'
import { differs } from './differs.ts'
import type { Known } from './known.ts'
import {
  generation,
  isInEffect,
  isOlderThanAny,
  named,
  newestNet,
  nextNet,
  olderNets,
  successorWaitsMs,
} from './net.ts'
import { remove, type Step, settle } from './step.ts'
import {
  heldValues,
  isGoing,
  isNet,
  labelledRoutes,
  policyOf,
  relies,
  selectsRoute,
  valuesOf,
  withValues,
} from './team-policies.ts'

export type Situation = Known & {
  readonly namespace: string
  readonly wanted: readonly Companion[]
  /** Identities of what cannot be written for now. */
  readonly blocked: ReadonlySet<string>
}

/** Values of the label that mean "the team of this namespace". */
const MEANS_TEAM: ReadonlySet<string> = new Set(['', 'true'])

/** The steps of the first stage that has any. */
export function namespaceSteps(situation: Situation): readonly Step[] {
  for (const stage of [others, closing, widening, outdated, followed, narrowing, yielding]) {
    const steps = stage(situation).filter(step => !situation.blocked.has(identity(step.object)))
    if (steps.length > 0) return steps
  }
  return []
}

/** ms until the net may be followed by another; undefined: nothing waits for that alone. */
export function netWaitsMs({
  namespace,
  owned,
  now,
}: Pick<Situation, 'namespace' | 'owned' | 'now'>): number | undefined {
  const here = owned.policiesIn(namespace)
  const newest = newestNet(here)
  if (newest === undefined || !isOlderThanAny(newest, here)) return undefined
  return successorWaitsMs(newest, now) || undefined
}

/** What policies refer to, and Middlewares. */
function others({ wanted, owned, now }: Situation): Step[] {
  return wanted.filter(({ object }) => object.kind !== 'SecurityPolicy').flatMap(each => settle(each, owned, now))
}

/**
 * The net is put right wherever it is not. Made before the policies only where a route would be open meanwhile, or for
 * good if one of them is refused; otherwise after them, so that it need not be followed by another at once. Where no
 * team may use the namespace, as far as is known, the nets that are left are put right all the same.
 */
function closing(situation: Situation): Step[] {
  const { namespace, wanted, facts, owned, now, blocked } = situation
  const net = wanted.find(({ object }) => isNet(object))
  if (net === undefined) return left(situation)
  const here = owned.policiesIn(namespace)
  const newest = newestNet(here)
  if (newest !== undefined) return settle({ ...net, object: named(net.object, generation(newest)) }, owned, now)
  const policies = here.filter(each => policyOf(each) !== undefined)
  const isCovered =
    knowsRoutes(situation) &&
    [...labelledRoutes(namespace, facts)].every(route =>
      policies.some(policy => selectsRoute(policy, route) && isInForce(policy, wanted)),
    )
  return isCovered ? [] : made(net, here, blocked, owned, now)
}

function left({ namespace, owned, gateways, now }: Situation): Step[] {
  return owned
    .policiesIn(namespace)
    .flatMap(each => standing(each, gateways) ?? [])
    .flatMap(each => settle(each, owned, now))
}

/**
 * Policies of teams that are missing or not right. One that is in effect loses no value of the label here, but for what
 * somebody gave it; and that only when all of them are right otherwise, since another may have those routes then.
 */
function widening(situation: Situation): Step[] {
  const { namespace, wanted, owned, now } = situation
  const here = owned.policiesIn(namespace)
  const held = heldHere(situation)
  const [grown, exact]: [Step[], Step[]] = [[], []]
  for (const companion of teamPolicies(wanted)) {
    const values = valuesOf(companion.object)
    const stored = owned.get(identity(companion.object))
    const before = stored === undefined ? [] : valuesOf(stored)
    const stays = (value: string) => before.includes(value) && (values.includes(value) || isInEffect(stored!, here))
    const team = policyOf(companion.object)?.team ?? ''
    const kept = ['', 'true', team].filter(value => stays(value) || (values.includes(value) && !held.has(value)))
    const isLosing = before.some(value => !kept.includes(value))
    const all = isLosing ? [...new Set([...before, ...kept])] : kept
    const steps = (its: readonly string[]) =>
      settle({ ...companion, object: withValues(companion.object, its) }, owned, now)
    grown.push(...steps(all))
    exact.push(...steps(kept))
  }
  return grown.length > 0 ? grown : exact
}

/** What no team wants here any more and a net is older than would take effect as soon as that net goes. */
function outdated({ namespace, wanted, facts, owned }: Situation): Step[] {
  if (!wanted.some(({ object }) => isNet(object))) return []
  const ids = new Set(wanted.map(({ object }) => identity(object)))
  const here = owned.policiesIn(namespace)
  return here
    .filter(each => {
      const of = policyOf(each)
      return (
        of !== undefined && facts.team(of.team) !== undefined && !ids.has(identity(each)) && !isInEffect(each, here)
      )
    })
    .flatMap(remove)
}

/** The net is made, followed by its successor, and then the older nets go. */
function followed({ namespace, wanted, owned, now, blocked }: Situation): Step[] {
  const net = wanted.find(({ object }) => isNet(object))
  if (net === undefined) return []
  const here = owned.policiesIn(namespace)
  const newest = newestNet(here)
  if (newest === undefined) return made(net, here, blocked, owned, now)
  if (!isOlderThanAny(newest, here)) {
    const isRight = differs(newest, named(net.object, generation(newest))) === undefined
    return isRight ? olderNets(here, newest).flatMap(remove) : []
  }
  return successorWaitsMs(newest, now) > 0 ? [] : made(net, here, blocked, owned, now)
}

function made(
  net: Companion,
  here: readonly KubeObject[],
  blocked: ReadonlySet<string>,
  owned: OwnedObjects,
  now: number,
): Step[] {
  const object = nextNet(net.object, here, each => blocked.has(identity(each)))
  return settle({ ...net, object }, owned, now)
}

/** Policies lose the values that are no longer theirs, unless a route that relies on one would be left to the net. */
function narrowing(situation: Situation): Step[] {
  const { namespace, wanted, facts, owned, now } = situation
  const routes = [...labelledRoutes(namespace, facts)]
  const held = heldHere(situation)
  return teamPolicies(wanted).flatMap(companion => {
    const stored = owned.get(identity(companion.object))
    const of = policyOf(companion.object)
    if (stored === undefined || of === undefined) return []
    const values = valuesOf(companion.object)
    const before = valuesOf(stored)
    const leaving = before.filter(value => !values.includes(value))
    const isNeeded =
      !knowsRoutes(situation) ||
      routes.some(route => leaving.some(value => relies(of, value, route)) && !isServed(route, stored, situation))
    const kept = ['', 'true', of.team].filter(value =>
      values.includes(value) ? before.includes(value) || !held.has(value) : isNeeded && before.includes(value),
    )
    return settle({ ...companion, object: withValues(companion.object, kept) }, owned, now)
  })
}

/**
 * A team that admits the namespace no more gives up what means "the team of this namespace" once another serves the routes
 * that relied on it. What names the team itself stays: such a route can't be planned, and nothing of it changes.
 */
function yielding(situation: Situation): Step[] {
  const { namespace, wanted, facts, owned } = situation
  const teams = new Set(teamPolicies(wanted).map(({ object }) => policyOf(object)?.team))
  if (teams.size === 0 || !knowsRoutes(situation)) return []
  const routes = [...labelledRoutes(namespace, facts)]
  return owned.policiesIn(namespace).flatMap((stored): Step[] => {
    const of = policyOf(stored)
    if (of === undefined || teams.has(of.team) || facts.team(of.team) === undefined || isGoing(stored)) return []
    const leaving = valuesOf(stored).filter(saysTrue)
    if (leaving.length === 0) return []
    const relying = routes.filter(route => leaving.some(value => relies(of, value, route)))
    if (!relying.every(route => isServed(route, stored, situation))) return []
    const object = withValues(
      stored,
      valuesOf(stored).filter(value => !saysTrue(value)),
    )
    const version = string(stored.metadata.resourceVersion) ?? ''
    return [
      {
        do: 'replace',
        object,
        guards: true,
        version,
        operations: [{ op: 'replace', path: '/spec', value: object.spec }],
      },
    ]
  })
}

/** Of routes that nobody knows none can be said to rely on nothing. */
function knowsRoutes({ isAbsent }: Situation): boolean {
  return !isAbsent('HTTPRoute')
}

/** What stays with whom it is with, since routes may rely on it whose team is gone. */
function heldHere(situation: Situation): ReadonlySet<string> {
  const { namespace, facts, owned } = situation
  return knowsRoutes(situation) ? heldValues(namespace, owned.policiesIn(namespace), facts) : MEANS_TEAM
}

/** Whether another policy than this would take effect for a route, and is to go on doing so. */
function isServed(route: StoredRoute, besides: KubeObject, { namespace, wanted, owned }: Situation): boolean {
  const here = owned.policiesIn(namespace)
  const staying = new Set(wanted.filter(({ object }) => selectsRoute(object, route)).map(each => identity(each.object)))
  return here.some(
    policy =>
      identity(policy) !== identity(besides) &&
      staying.has(identity(policy)) &&
      selectsRoute(policy, route) &&
      isInForce(policy, wanted) &&
      isInEffect(policy, here),
  )
}

function teamPolicies(wanted: readonly Companion[]): Companion[] {
  return wanted.filter(({ object }) => policyOf(object) !== undefined)
}

/** Whether a stored policy does what it should for the values that it selects. */
function isInForce(stored: KubeObject, wanted: readonly Companion[]): boolean {
  if (stored.metadata.deletionTimestamp !== undefined) return false
  const companion = wanted.find(({ object }) => identity(object) === identity(stored))
  const difference =
    companion === undefined ? undefined : differs(stored, withValues(companion.object, valuesOf(stored)))
  return companion !== undefined && (difference === undefined || difference === 'metadata')
}
