// Envoy Gateway (1.9.1 or newer, with `cel` in the SecurityPolicy CRD).
// A header with dots or tildes for dashes gets past Envoy, unlike one with underscores: it has to be removed too (1.9.1).
//
// How it fails closed: nothing is in the route's spec; companions guard it. A team's SecurityPolicy asks oauth2-proxy and
// denies what no answer of it has marked; a missing Service or ReferenceGrant is answered with 500 or 403. The net denies
// every labelled route that no policy of a team serves, so the label alone closes. Anchors and the client policy make the
// guard hold on connections older than a filter; before they have been in force for the proxies' drain time, a connection
// of before is answered once without a login, so a Gateway is refused until then. It fails open where nobody's policy
// applies: an unlabelled route, an older foreign policy (refused), or ours deleted together with the net.
import type { AuthTeam } from '../../api/auth-team.ts'
import { attach, servesHTTP } from '../../core/attach.ts'
import { PROTECT } from '../../core/keys.ts'
import { reason } from '../../core/reasons.ts'
import { readRoute } from '../../core/route.ts'
import { saysOpen } from '../../core/team.ts'
import type { Companion, Facts, GatewayKind, Policy, Route, Scope, Target } from '../../core/types.ts'
import { passthroughHTTPRoute, passthroughWanted, routeCompanions } from '../passthrough.ts'
import { referenceGrant } from '../reference-grant.ts'
import { anchors, foreignAnchor } from './anchors.ts'
import { backendTls } from './backend-tls.ts'
import { clientPolicy, foreignClientPolicy } from './client-policy.ts'
import { comesUnder, refuse } from './refuse.ts'
import { handedOver, isInUse } from './settings.ts'
import { allowByName, denyByDefault, isOnStrict, staysOpen } from './strict.ts'
import { shadowing, standingNet, teamPolicies } from './team-policies.ts'

export const envoyGateway: GatewayKind = {
  id: 'envoy-gateway',
  routeKinds: ['HTTPRoute'],
  reads: () => false,
  owns: () => false,
  restores: () => false,
  comesUnder,
  refuse,
  warn: (_, target) => (target.client === 'api' ? [reason('client-api-accept')] : []),
  inject: () => ({ annotations: {} }),
  scopes,
  companions,
  standing: standingNet,
  preparedByOthers,
  shadowedBy,
}

function scopes(bare: Route, { team, attachments }: Target): Scope[] {
  const gateways = new Map(attachments.map(({ gateway }) => [`${gateway.namespace}/${gateway.name}`, gateway]))
  return [
    ...[...gateways.values()].map(({ namespace, name }): Scope => ({ of: 'gateway', namespace, name })),
    { of: 'namespace', team: team.name, namespace: bare.ref.namespace },
    ...(team.proxy.scheme === 'https' ? [{ of: 'team', team: team.name } as const] : []),
    ...(passthroughWanted(team, 'HTTPRoute') ? [{ of: 'route', route: bare.ref } as const] : []),
  ]
}

function companions(scope: Scope, facts: Facts): Companion[] {
  if (!isInUse(facts)) return []
  switch (scope.of) {
    case 'team':
      return ofTeam(facts.team(scope.team), facts)
    case 'namespace':
      return ofNamespace(facts.team(scope.team), scope.namespace, facts)
    case 'gateway':
      return ofGateway(scope.namespace, scope.name, facts)
    case 'route':
      return ofRoute(scope, facts)
  }
}

function ofTeam(team: AuthTeam | undefined, facts: Facts): Companion[] {
  return team?.proxy.scheme === 'https' ? [backendTls(team, facts.config.clusterDomain)] : []
}

function ofNamespace(team: AuthTeam | undefined, namespace: string, facts: Facts): Companion[] {
  if (team === undefined || !facts.teamsIn(namespace).admitted.includes(team)) return []
  return [...referenceGrant(team, namespace), ...teamPolicies(team, namespace, facts)]
}

function ofGateway(namespace: string, name: string, facts: Facts): Companion[] {
  const gateway = facts.gateway(namespace, name)
  if (gateway === undefined) return []
  const settings = handedOver(gateway, facts)
  if (settings === undefined) return []
  return [
    clientPolicy(gateway, settings.keepEscapedSlashes),
    ...anchors(gateway, gateway.listeners, facts),
    ...denyByDefault(gateway, settings.strictListeners),
  ]
}

/** Of a Gateway that is not handed over, the policies that somebody prepared it with: each has to be in force for a while. */
function preparedByOthers({ namespace, name }: Extract<Scope, { of: 'gateway' }>, facts: Facts): Policy[] {
  const gateway = facts.gateway(namespace, name)
  if (gateway === undefined || handedOver(gateway, facts) !== undefined) return []
  const policies = gateway.listeners
    .filter(servesHTTP)
    .flatMap(listener => [foreignClientPolicy(gateway, listener, facts), foreignAnchor(listener, gateway, facts)])
  return policies.filter(policy => policy !== undefined)
}

function shadowedBy({ team: name, namespace }: Extract<Scope, { of: 'namespace' }>, facts: Facts): Policy[] {
  const team = facts.team(name)
  return team === undefined ? [] : shadowing(team, namespace, facts)
}

/** A protected route gets its passthrough; on strict listeners that, a team's login and exempt routes are let through. */
function ofRoute(scope: Extract<Scope, { of: 'route' }>, facts: Facts): Companion[] {
  const route = scope.route.kind === 'HTTPRoute' ? facts.routes.get(scope.route) : undefined
  if (route === undefined) return []
  const attached = attach(route, facts)
  const strict = 'attachments' in attached && isOnStrict(attached.attachments, facts)
  if (saysOpen(route.labels[PROTECT])) return strict && staysOpen(route, facts) ? allowByName(route, facts) : []
  const passthroughs = routeCompanions(scope, envoyGateway, facts, (of, target) =>
    passthroughHTTPRoute(of, target, facts),
  )
  const allowed = passthroughs.flatMap(({ object }) => {
    const passthrough = readRoute(object)
    return strict && passthrough !== undefined ? allowByName(passthrough, facts) : []
  })
  return [...passthroughs, ...allowed]
}
