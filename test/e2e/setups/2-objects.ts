// The objects of two teams behind Envoy Gateway, each with an oauth2-proxy of its own, on one domain.
import type { KubeObject } from '../../../src/core/types.ts'
import { httpRoute } from '../stage/objects.ts'
import { GROUPS } from '../stage/people.ts'
import type { Stage } from '../stage/stage.ts'
import type { RunningSetup } from './running.ts'
import { readSetup, type Setup } from './setup.ts'

export const TITLE = '2: Envoy Gateway with one oauth2-proxy for each team'
export const PARENT = '{"name":"envoy","namespace":"gateways"}'
export const renamedForA = { 'example.com': 'corp.test', '{"name":"main","namespace":"envoy-gateway"}': PARENT }
export const renamedForB = { ...renamedForA, 'team-a': 'team-b', alertmanager: 'grafana', prometheus: 'loki' }
const name = '2-envoy-gateway-with-one-oauth2-proxy-for-each-team'
const spec = { access: [{ name: 'admins', allowedGroups: [GROUPS.admins] }] }

export const teamA = readSetup({ name, renamed: renamedForA, spec })
export const teamB = readSetup({ name, renamed: renamedForB, spec })
export const [alertmanager, prometheus] = teamA.applications as [KubeObject, KubeObject]
export const [grafana] = teamB.applications as [KubeObject]

/** Two of the team, and one of administrators. */
export const groupsOf = (of: 'team-a' | 'team-b') => [GROUPS[of], '0b1f4cb6-4f2a-4b0e-a5c4-0000000000ff', GROUPS.admins]

/** What the chart of oauth2-proxy makes of `gatewayApi.enabled`. */
export function loginRouteOf({ team }: Setup): KubeObject {
  const { service, loginHost = '' } = team.proxy
  const backend = { namespace: service.namespace, name: service.name, service: service.name, port: service.port }
  return httpRoute('envoy', { ...backend, host: loginHost })
}

export type OnEnvoy = { readonly stage: () => Stage; readonly running: (setup: Setup) => RunningSetup }

/** On the same host, for requests that say who somebody is. */
export function identityRoute(): KubeObject {
  const headers = [{ type: 'RegularExpression', name: 'X-Auth-Request-Email', value: '.+@corp.test' }]
  const matches = [{ path: { type: 'PathPrefix', value: '/' }, headers }]
  const { metadata, spec, ...rest } = alertmanager
  const { parentRefs, hostnames } = spec as { parentRefs: object[]; hostnames: string[] }
  const rules = [{ matches, backendRefs: [{ name: 'prometheus', port: 9090 }] }]
  return { ...rest, metadata: { ...metadata, name: 'for-administrators' }, spec: { parentRefs, hostnames, rules } }
}
