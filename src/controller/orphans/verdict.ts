// Why an object that no scope wants is there still: nobody needs it, a route relies on it, or facts are missing.
import type { AuthTeam } from '../../api/auth-team.ts'
import { string } from '../../core/json.ts'
import { PROTECT } from '../../core/keys.ts'
import { aim } from '../../core/planner.ts'
import { saysOpen } from '../../core/team.ts'
import type { Facts, GatewayKind, KubeObject, ObjectName } from '../../core/types.ts'
import type { Key } from '../keys.ts'
import { keyOfOwned, type OwnedObjects, teamOfOwned } from '../owned.ts'
import { type ClusterFacts, wantedBy } from '../scopes.ts'
import { isNet, policyOf } from '../steps/team-policies.ts'
import { gatewayReference, labelReference, middlewareReference, policyReference } from './references.ts'

/** Identities of what a sweep would remove, were it not for facts that are missing. */
export type Sweep = ReadonlySet<string>

export type Read = {
  /** What every route, as the API server has it, relies on (`referencesOf`). */
  readonly references: ReadonlySet<string>
  /** Kinds that are not installed: of those nobody knows what there is. */
  readonly isAbsent: (kind: string) => boolean
  /** What sweeps have found so for a while. */
  readonly before: Sweep
}

/**
 * `unneeded`: what is known says so. `unknown`: the facts that would want it are missing, which is no reason to remove
 * anything until it has been so for two sweeps. `used`: a route relies on it, or nobody can know.
 */
export type Verdict = 'unneeded' | 'unknown' | 'used'

export type Judging = {
  readonly facts: ClusterFacts
  readonly owned: OwnedObjects
  readonly gateways: readonly GatewayKind[]
  readonly read: Read
}

/** Of an object that no scope wants. */
export function judge(orphan: KubeObject, context: Judging): Verdict {
  if (isUsed(orphan, context)) return 'used'
  const key = keyOfOwned(orphan)
  if (key === undefined) return 'unknown'
  const kinds = key.of === 'route' ? [...KINDS.route, key.route.kind] : KINDS[key.of]
  if (kinds.some(context.read.isAbsent)) return 'used'
  return isNet(orphan) ? 'unknown' : judgeBy(key, orphan, context)
}

/** Kinds of the facts from which the companions of a key are made. */
const KINDS: Readonly<Record<Key['of'], readonly string[]>> = {
  team: ['AuthTeam'],
  namespace: ['AuthTeam', 'Namespace', 'GatewayClass'],
  gateway: ['Gateway', 'GatewayClass'],
  route: ['AuthTeam'],
}

function judgeBy(key: Key, orphan: KubeObject, context: Judging): Verdict {
  const { facts } = context
  switch (key.of) {
    case 'team': {
      const team = facts.team(key.team)
      if (team === undefined) return 'unknown'
      return isKindWanted(key, orphan, context) || isPlain(orphan, team) ? 'unneeded' : 'unknown'
    }
    case 'namespace':
      return judgeInNamespace(key, orphan, context)
    case 'gateway': {
      if (facts.gateway(key.namespace, key.name) === undefined) return 'unknown'
      return !isHandedOver(key, facts) || isKindWanted(key, orphan, context) ? 'unneeded' : 'unknown'
    }
    case 'route':
      return judgeOfRoute(key, orphan, context)
  }
}

function judgeInNamespace(key: Extract<Key, { of: 'namespace' }>, orphan: KubeObject, context: Judging): Verdict {
  const { facts } = context
  const team = facts.team(teamOfOwned(orphan) ?? '')
  if (team === undefined || facts.namespace(key.namespace) === undefined) return 'unknown'
  if (!facts.teamsIn(key.namespace).admitted.includes(team)) return 'unneeded'
  // A proxy that has come into the namespace needs no grant any more; one that seems to need none may only lack its class.
  const isBeside = orphan.kind === 'ReferenceGrant' && team.proxy.service.namespace === key.namespace
  return isKindWanted(key, orphan, context) || isBeside ? 'unneeded' : 'unknown'
}

/** A labelled route that cannot be planned now stays as it is, with all that belongs to it. */
function judgeOfRoute(
  { route: ref }: Extract<Key, { of: 'route' }>,
  orphan: KubeObject,
  { facts, gateways }: Judging,
): Verdict {
  const route = facts.routes.get(ref)
  if (route === undefined) return 'unknown'
  // What lets a public route through a strict listener may only lack its exemption among the facts.
  if (saysOpen(route.labels[PROTECT])) return orphan.kind === 'SecurityPolicy' ? 'unknown' : 'unneeded'
  return Array.isArray(aim(route, route.recordedTeam, facts, gateways)) ? 'used' : 'unneeded'
}

/** Whether the same scope wants other objects of its kind: then the facts for that are there, and this is not among them. */
function isKindWanted(key: Key, orphan: KubeObject, { facts, gateways }: Judging): boolean {
  return [...wantedBy(key, facts, gateways).values()].some(
    ({ object: wanted }) => wanted.kind === orphan.kind && teamOfOwned(wanted) === teamOfOwned(orphan),
  )
}

/** Certificates are not checked where there are none. */
export function isPlain(orphan: KubeObject, team: AuthTeam): boolean {
  return orphan.kind === 'BackendTLSPolicy' && team.proxy.scheme === 'http'
}

function isHandedOver(gateway: ObjectName, { config }: Facts): boolean {
  return config.controllers.some(
    each =>
      each.gateway === 'envoy-gateway' &&
      each.handedOver.some(({ namespace, name }) => namespace === gateway.namespace && name === gateway.name),
  )
}

/** Whether a route relies on it, as the routes themselves were just read. */
function isUsed(orphan: KubeObject, context: Judging): boolean {
  const { references } = context.read
  const at = nameOf(orphan)
  if (policyOf(orphan) !== undefined) return references.has(policyReference(at))
  if (isNet(orphan)) return references.has(labelReference(at.namespace))
  if (orphan.kind === 'Middleware') return references.has(middlewareReference(at))
  const key = keyOfOwned(orphan)
  if (key?.of !== 'gateway' || !references.has(gatewayReference(key))) return false
  // A Gateway that is prepared still, only otherwise.
  return !isKindWanted(key, orphan, context)
}

export function nameOf({ metadata }: KubeObject): ObjectName {
  return { namespace: string(metadata.namespace) ?? '', name: string(metadata.name) ?? '' }
}
