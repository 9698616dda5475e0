// The net of a namespace: under all policies of teams, and so never older than one of them. A successor is made before
// the one that it follows goes.
import { NET_PREFIX } from '../../core/names.ts'
import type { KubeObject } from '../../core/types.ts'
import { createdAt, isGoing, isNet, policyOf } from './team-policies.ts'

/** API servers whose clocks differ would have successors made without end. */
const BETWEEN_SUCCESSORS_MS = 2_000

/** The net that counts: of those that stay the one that was made last. */
export function newestNet(here: readonly KubeObject[]): KubeObject | undefined {
  const nets = here.filter(each => isNet(each) && !isGoing(each) && generation(each) > 0)
  return nets.sort((a, b) => generation(b) - generation(a))[0]
}

/** By number: a net that follows another has the greater one. */
export function olderNets(here: readonly KubeObject[], newest: KubeObject): KubeObject[] {
  return here.filter(
    each => isNet(each) && !isGoing(each) && generation(each) > 0 && generation(each) < generation(newest),
  )
}

/**
 * Whether a policy of a team is younger than the net, which then wins against it: its routes are closed. In the same
 * second the net loses, by its name.
 */
export function isOlderThanAny(net: KubeObject, here: readonly KubeObject[]): boolean {
  return here.some(each => policyOf(each) !== undefined && !isGoing(each) && createdAt(each) > createdAt(net))
}

/** Whether no net wins against a policy of a team. */
export function isInEffect(policy: KubeObject, here: readonly KubeObject[]): boolean {
  return here.every(each => !isNet(each) || createdAt(each) >= createdAt(policy))
}

/** How long to wait for the next successor; 0: not at all. */
export function successorWaitsMs(net: KubeObject, now: number): number {
  const age = now - createdAt(net)
  return age < 0 || generation(net) === 1 ? 0 : Math.max(0, BETWEEN_SUCCESSORS_MS - age)
}

/** So many are tried where somebody has taken one. */
export const NET_NAMES = 10

/** The first free name from the given net's on; what has a finalizer of somebody's keeps its own. */
export function nextNet(wanted: KubeObject, here: readonly KubeObject[], isBlocked: (net: KubeObject) => boolean) {
  const latest = Math.max(0, ...here.filter(isNet).map(generation))
  let net = named(wanted, latest + 1)
  // Somebody has taken the name.
  for (let ahead = 2; ahead < NET_NAMES && isBlocked(net); ahead++) net = named(wanted, latest + ahead)
  return net
}

export function named(net: KubeObject, number: number): KubeObject {
  return { ...net, metadata: { ...net.metadata, name: `${NET_PREFIX}${number}` } }
}

/** 0 if the name is not of ours. */
export function generation(net: KubeObject): number {
  const number = Number(String(net.metadata.name).slice(NET_PREFIX.length))
  return Number.isSafeInteger(number) && number > 0 ? number : 0
}
