// What is to be done next for a key: steps that can be taken one after the other, none of which opens what is closed.
import { identity } from '../../core/companions.ts'
import { strings } from '../../core/json.ts'
import { PROTECT } from '../../core/keys.ts'
import { routeKind } from '../../core/route.ts'
import { saysOpen } from '../../core/team.ts'
import type { Companion, KubeObject, RouteRef } from '../../core/types.ts'
import { type Key, keyText } from '../keys.ts'
import type { OwnedObjects } from '../owned.ts'
import { type ClusterFacts, wantedBy } from '../scopes.ts'
import type { Known } from './known.ts'
import { namespaceSteps } from './namespace-steps.ts'
import { remove, type Step, settle } from './step.ts'

export type { Step } from './step.ts'

/** A route as the API server just gave it; without an object: it said that there is none. */
export type Seen = { readonly route?: KubeObject }

const NOTHING: ReadonlySet<string> = new Set()

/**
 * The next batch; when it is done, and what came of it put into `owned`, this is asked again until nothing is left.
 * `blocked`: identities of what cannot be written for now; the rest is done as far as that stays safe. `seen`: of a route
 * key; without it nothing is taken from a route, because absence from the facts is no reason to.
 */
export function nextSteps(
  key: Key,
  known: Known,
  blocked: ReadonlySet<string> = NOTHING,
  seen?: Seen,
): readonly Step[] {
  const { facts, owned, gateways, now } = known
  const may = (step: Step) => !blocked.has(identity(step.object))
  if (seen !== undefined && key.of === 'route' && !agrees(seen, key.route, facts)) {
    return seen.route === undefined ? owned.ofKey(keyText(key)).flatMap(remove).filter(may) : []
  }
  const wanted = wantedBy(key, facts, gateways)
  if (key.of === 'namespace') {
    return namespaceSteps({ ...known, namespace: key.namespace, wanted: [...wanted.values()], blocked })
  }
  const adding = [...wanted.values()].flatMap(each => settle(each, owned, now)).filter(may)
  if (adding.length > 0 || seen === undefined || key.of !== 'route') return adding
  return outlived(key, wanted, facts, owned).flatMap(remove).filter(may)
}

/** Whether the facts have the route, and its label as it was just seen: they come by another way, perhaps later. */
function agrees({ route }: Seen, ref: RouteRef, facts: ClusterFacts): boolean {
  const known = facts.routes.get(ref)
  if (route === undefined || known === undefined) return false
  return strings(route.metadata.labels)[PROTECT] === known.labels[PROTECT]
}

/**
 * Logins on the hosts of a route that has no label any more, or that now has others. A protected route that wants none at
 * all may only lack facts: those are the sweep's, and so is what keeps a public route open on a strict listener.
 */
function outlived(
  key: Extract<Key, { of: 'route' }>,
  wanted: ReadonlyMap<string, Companion>,
  facts: ClusterFacts,
  owned: OwnedObjects,
): KubeObject[] {
  const hasOthers = [...wanted.values()].some(({ object }) => routeKind(object) !== undefined)
  if (!hasOthers && !saysOpen(facts.routes.get(key.route)?.labels[PROTECT])) return []
  return owned.ofKey(keyText(key)).filter(each => routeKind(each) !== undefined && !wanted.has(identity(each)))
}
