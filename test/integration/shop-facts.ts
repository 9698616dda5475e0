// A shop whose routes rely on every fact that can go missing, and what is stored of routes and companions.
import { identity } from '../../src/core/companions.ts'
import { array, object } from '../../src/core/json.ts'
import { ACCESS } from '../../src/core/keys.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { listPaths } from '../../src/kube/kinds.ts'
import type { Api } from './api.ts'
import { httpRoute, ingress, namespace } from './cluster-objects.ts'

export const TEAM_LABEL = 'auth.example/team'
/** Routes, and every kind that a companion has. */
const STORED = [
  'Ingress',
  'HTTPRoute',
  'SecurityPolicy',
  'ClientTrafficPolicy',
  'ReferenceGrant',
  'Middleware',
  'BackendTLSPolicy',
]
export const WATCHED = [...STORED, 'AuthTeam', 'Namespace', 'IngressClass', 'GatewayClass', 'Gateway']

export function shopTeam(): KubeObject {
  const spec = {
    namespaces: { selector: { matchLabels: { [TEAM_LABEL]: 'team-a' } } },
    hosts: ['*.team-a.example.com'],
    proxy: { service: { namespace: 'auth', name: 'oauth2-proxy' }, cookieDomains: ['team-a.example.com'] },
    access: [{ name: 'admins', allowedGroups: ['admins-group'] }],
  }
  return { apiVersion: 'auth.example/v1alpha1', kind: 'AuthTeam', metadata: { name: 'team-a' }, spec }
}

export function shopNamespace(): KubeObject {
  const { metadata, ...rest } = namespace('shops')
  return { ...rest, metadata: { ...metadata, labels: { [TEAM_LABEL]: 'team-a' } } }
}

export function shopRoute(kind: 'Ingress' | 'HTTPRoute', name: string, level?: string): KubeObject {
  const host = `${name}.team-a.example.com`
  const route = kind === 'Ingress' ? ingress(name, host) : httpRoute(name, 'shops', host)
  if (level === undefined) return route
  const { metadata } = route
  return { ...route, metadata: { ...metadata, labels: { ...object(metadata.labels), [ACCESS]: level } } }
}

export const SHOP_ROUTES = [
  shopRoute('Ingress', 'old'),
  shopRoute('HTTPRoute', 'cart'),
  shopRoute('HTTPRoute', 'office', 'admins'),
]

/** Every route and companion with its version: who is deleted and made again gets another. */
export async function storedVersions(api: Api): Promise<ReadonlyMap<string, string>> {
  const versions = new Map<string, string>()
  for (const path of Object.values(listPaths(STORED))) {
    const { body } = await api.send('GET', path)
    const kind = String(body.kind)
    for (const each of array(body.items).map(item => ({ ...object(item), kind }) as KubeObject))
      versions.set(identity(each), String(each.metadata.resourceVersion))
  }
  return versions
}
