// The ReferenceGrant that lets the routes and policies of an application's namespace name the oauth2-proxy of a team.
import type { AuthTeam } from '../api/auth-team.ts'
import { companionMetadata, scopeKey } from '../core/companions.ts'
import { grantName } from '../core/names.ts'
import { GATEWAY_API } from '../core/route.ts'
import type { Companion } from '../core/types.ts'

/**
 * The same object for every gateway, so that they share one. No guard: without it the reference does not resolve, which
 * every gateway answers with 500. Empty where both are in one namespace.
 */
export function referenceGrant(team: AuthTeam, namespace: string): Companion[] {
  const { service } = team.proxy
  if (service.namespace === namespace) return []
  const name = { namespace: service.namespace, name: grantName(namespace, team.name) }
  const metadata = companionMetadata(
    name,
    `routes of namespace ${namespace} reach the oauth2-proxy of team ${team.name}`,
    scopeKey({ of: 'namespace', team: team.name, namespace }),
  )
  const from = [
    { group: 'gateway.envoyproxy.io', kind: 'SecurityPolicy', namespace },
    { group: GATEWAY_API, kind: 'HTTPRoute', namespace },
  ]
  const spec = { from, to: [{ group: '', kind: 'Service', name: service.name }] }
  return [{ guards: false, object: { apiVersion: `${GATEWAY_API}/v1beta1`, kind: 'ReferenceGrant', metadata, spec } }]
}
