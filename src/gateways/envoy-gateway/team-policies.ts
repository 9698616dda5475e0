// What guards the routes of a team in a namespace: one SecurityPolicy for each access level, chosen by labels, and under
// them the net.
import type { AccessLevel, AuthTeam } from '../../api/auth-team.ts'
import { namespaceKey, scopeKey } from '../../core/companions.ts'
import { array, object, string } from '../../core/json.ts'
import { ACCESS, PROTECT } from '../../core/keys.ts'
import { NET_PREFIX, policyName, readPolicyName } from '../../core/names.ts'
import { teamOfNamespace } from '../../core/team.ts'
import type { Companion, Facts, KubeObject, Policy } from '../../core/types.ts'
import { groupsQuery } from '../upstream.ts'
import { DENY_ALL, IDENTITY, securityPolicy } from './policies.ts'

export function teamPolicies(team: AuthTeam, namespace: string, facts: Facts): Companion[] {
  const values = labelValues(team, namespace, facts)
  const levels: (AccessLevel | undefined)[] = [undefined, ...team.access.values()]
  return [...levels.map(level => teamPolicy(team, level, namespace, values)), net(namespace, netName(namespace, facts))]
}

/**
 * Policies of ours for other teams that select the same values of the label. Such a one is older, from before the namespace
 * moved or the value changed hands, and takes effect until it gives them up.
 */
export function shadowing(team: AuthTeam, namespace: string, facts: Facts): Policy[] {
  const values = new Set(labelValues(team, namespace, facts))
  return facts.policies('SecurityPolicy', namespace).filter(policy => {
    const of = policy.ours ? readPolicyName(policy.name) : undefined
    if (of === undefined || of.team === team.name) return false
    return array(object(policy.object.spec).targetSelectors)
      .flatMap(selector => array(object(selector).matchExpressions))
      .map(object)
      .some(
        ({ key, values: selected }) =>
          key === PROTECT && array(selected).some(value => values.has(string(value) ?? '')),
      )
  })
}

/** Values of the label that mean this team here. With two default teams the older one keeps what it serves. */
function labelValues(team: AuthTeam, namespace: string, facts: Facts): string[] {
  const { defaults } = facts.teamsIn(namespace)
  const meant = teamOfNamespace(namespace, defaults[0]?.name, facts)
  return !('code' in meant) && meant.name === team.name ? ['', 'true', team.name] : [team.name]
}

/**
 * The call to oauth2-proxy, and next to it the authorization guard. Envoy gives a listener's older connections the new
 * route at once but the new filter only with a new connection, up to the drain time later: without the guard each of them
 * is answered once without a login (Envoy Gateway 1.9.1, Envoy 1.39.3). The authorization filter is one for all routes of
 * the listener and is there before; it denies what no authorization call has marked.
 *
 * `pathOverride` and not `path`: `path` is glued in front of the client's own path and query, which could widen the groups.
 */
function teamPolicy(team: AuthTeam, level: AccessLevel | undefined, namespace: string, values: string[]): Companion {
  const { service } = team.proxy
  const headers = level?.headers ?? team.headers
  const access =
    level === undefined
      ? { key: ACCESS, operator: 'DoesNotExist' }
      : { key: ACCESS, operator: 'In', values: [level.name] }
  const spec = {
    targetSelectors: [
      {
        group: 'gateway.networking.k8s.io',
        kind: 'HTTPRoute',
        matchExpressions: [{ key: PROTECT, operator: 'In', values }, access],
      },
    ],
    extAuth: {
      failOpen: false,
      timeout: '5s',
      headersToExtAuth: ['cookie', 'accept', 'authorization', 'x-auth-request-redirect', 'x-forwarded-proto'],
      http: {
        backendRefs: [{ name: service.name, namespace: service.namespace, port: service.port }],
        pathOverride: `/${groupsQuery(level)}`,
        headersToBackend: [
          IDENTITY,
          'x-auth-request-email',
          'x-auth-request-groups',
          'x-auth-request-preferred-username',
          ...(headers.accessToken ? ['x-auth-request-access-token'] : []),
          ...(headers.authorization ? ['authorization'] : []),
        ],
      },
    },
    authorization: {
      defaultAction: 'Deny',
      rules: [{ name: 'authenticated', action: 'Allow', cel: `'${IDENTITY}' in request.headers` }],
    },
  }
  const standsFor = level === undefined ? `team ${team.name}` : `team ${team.name}, access ${level.name}`
  const scope = scopeKey({ of: 'namespace', team: team.name, namespace })
  return securityPolicy({ namespace, name: policyName(team.name, level?.name), standsFor, scope }, spec, true)
}

/**
 * Denies every labelled route. Of several policies for one route the oldest wins, in the same second the first by name:
 * the net is the newest and sorts last, so that it loses against each policy of a team and takes over where one is
 * missing. Its status `Conflicted` is its normal state. Never `mergeType`: it would inherit the rules of a policy of the
 * Gateway, and with them an Allow.
 */
function net(namespace: string, name: string): Companion {
  const spec = {
    targetSelectors: [
      {
        group: 'gateway.networking.k8s.io',
        kind: 'HTTPRoute',
        matchExpressions: [
          { key: PROTECT, operator: 'Exists' },
          { key: PROTECT, operator: 'NotIn', values: ['false'] },
        ],
      },
    ],
    ...DENY_ALL,
  }
  const standsFor = 'every labelled route that no team serves'
  return securityPolicy({ namespace, name, standsFor, scope: namespaceKey(namespace) }, spec, true)
}

/** A net denies the same whoever may use its namespace: one that is stored has to be right even where nobody may. */
export function standingNet({ kind, metadata }: KubeObject): Companion | undefined {
  const [namespace, name] = [string(metadata.namespace) ?? '', string(metadata.name) ?? '']
  return kind === 'SecurityPolicy' && name.startsWith(NET_PREFIX) ? net(namespace, name) : undefined
}

/** The net that is there, or the first. Its successors are the controller's, which knows when one is needed. */
function netName(namespace: string, facts: Facts): string {
  const nets = facts
    .policies('SecurityPolicy', namespace)
    .filter(policy => policy.ours && policy.name.startsWith(NET_PREFIX))
  const numbers = nets.map(each => Number(each.name.slice(NET_PREFIX.length))).filter(Number.isSafeInteger)
  return `${NET_PREFIX}${Math.max(1, ...numbers)}`
}
