// The oauth2-proxy of a team as a gateway speaks to it: its address in the cluster, and the identity that it answers with.
import type { AccessLevel, AuthTeam } from '../api/auth-team.ts'

/** `http://<service>.<namespace>.svc.<cluster domain>:<port>`, without a path. */
export function proxyOrigin(team: AuthTeam, clusterDomain: string): string {
  const { scheme, service } = team.proxy
  return `${scheme}://${service.name}.${service.namespace}.svc.${clusterDomain}:${service.port}`
}

/**
 * The groups of an access level as a query, empty without one. oauth2-proxy takes the union of every `allowed_groups`
 * that it is sent (7.15, oauthproxy.go), so this is safe only behind a gateway that sends a fixed URL.
 */
export function groupsQuery(access: AccessLevel | undefined): string {
  return access === undefined ? '' : `?allowed_groups=${access.allowedGroups.join(',')}`
}

/**
 * Request headers that the application gets from oauth2-proxy. A gateway takes the client's copy of each of them out,
 * also where oauth2-proxy has no value to put in its place; so those that a team does not use are listed too.
 */
export function identityHeaders(team: AuthTeam, access: AccessLevel | undefined): string[] {
  const { authorization } = access?.headers ?? team.headers
  return authorization ? [...IDENTITY_HEADERS, 'Authorization'] : [...IDENTITY_HEADERS]
}

/** Every header in which oauth2-proxy says who somebody is. */
export const IDENTITY_HEADERS = [
  'X-Auth-Request-User',
  'X-Auth-Request-Email',
  'X-Auth-Request-Groups',
  'X-Auth-Request-Preferred-Username',
  'X-Auth-Request-Access-Token',
  'X-Forwarded-User',
  'X-Forwarded-Email',
  'X-Forwarded-Groups',
  'X-Forwarded-Preferred-Username',
  'X-Forwarded-Access-Token',
  'GAP-Auth',
] as const
