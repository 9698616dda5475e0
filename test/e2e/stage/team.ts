// A team of the stage: its namespaces, its oauth2-proxy with the login host, its AuthTeam.
import type { KubeObject } from '../../../src/core/types.ts'
import type { Endpoint } from '../../parts/service.ts'
import { type Backend, httpRoute, ingress } from './objects.ts'
import type { OpenIdClient } from './openid-provider.ts'
import { GROUPS } from './people.ts'

export type TeamOptions = {
  readonly name: string
  /** Of its applications, which have the namespace as their team's alone. */
  readonly namespace: string
  /** Its cookie and its hosts are below. */
  readonly domain: string
  /** Who may have a session at all; none: everybody. */
  readonly allowedGroups: readonly string[]
  /** As in AuthTeam. */
  readonly access: readonly { readonly name: string; readonly allowedGroups: readonly string[] }[]
  /** More flags for its oauth2-proxy. */
  readonly flags: readonly string[]
}

export function exampleTeams(domain: string): readonly [TeamOptions, TeamOptions] {
  const team = (name: 'team-a' | 'team-b', namespace: string): TeamOptions => ({
    name,
    namespace,
    domain: `${name}.${domain}`,
    allowedGroups: [GROUPS[name]],
    access: [{ name: 'admins', allowedGroups: [GROUPS.admins] }],
    flags: [],
  })
  return [team('team-a', 'monitoring'), team('team-b', 'shop')]
}

export const loginNamespace = ({ name }: TeamOptions) => `login-${name}`
export const loginHost = ({ domain }: TeamOptions) => `login.${domain}`
export const cookieName = ({ name }: TeamOptions) => `__Secure-${name}`

export function openIdClient(team: TeamOptions): OpenIdClient {
  const redirectUris = [`https://${loginHost(team)}/oauth2/callback`]
  return { id: team.name, secret: `secret of ${team.name}`, redirectUris }
}

export function authTeam(team: TeamOptions): KubeObject {
  const { name, namespace, domain, access } = team
  const spec = {
    namespaces: { names: [namespace], default: true },
    proxy: {
      service: { namespace: loginNamespace(team), name: 'oauth2-proxy' },
      loginHost: loginHost(team),
      cookieDomains: [domain],
    },
    access,
  }
  return { apiVersion: 'auth.example/v1alpha1', kind: 'AuthTeam', metadata: { name }, spec }
}

/** What serves its login host, as an administrator writes it for a gateway. */
export function loginRoute(team: TeamOptions, gateway: 'envoy-gateway' | 'traefik', { port }: Endpoint): KubeObject {
  const namespace = loginNamespace(team)
  const backend: Backend = { namespace, name: 'login', host: loginHost(team), service: 'oauth2-proxy', port }
  if (gateway === 'traefik') return ingress('traefik', backend)
  const route = httpRoute('envoy', backend)
  // The Gateway sets it on every request; here it would send everybody back to the login's own address.
  const requestHeaderModifier = { remove: ['X-Auth-Request-Redirect'] }
  const rules = [
    {
      filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier }],
      backendRefs: [{ name: backend.service, port }],
    },
  ]
  return { ...route, spec: { ...(route.spec as object), rules } }
}
