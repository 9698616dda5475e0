// One object of each kind that is written, and what is read of an answer.
import type { KubeObject } from '../../src/core/types.ts'
import type { Written } from '../../src/kube/write.ts'

const HERE = { namespace: 'default' }

export function objectOf(written: Written): KubeObject {
  if (written.outcome !== 'done') throw new Error(JSON.stringify(written))
  return written.object
}

export function versionOf({ metadata }: KubeObject): string {
  return String(metadata.resourceVersion)
}

export function uidOf({ metadata }: KubeObject): string {
  return String(metadata.uid)
}

export function moved(object: KubeObject, namespace: string): KubeObject {
  return { ...object, metadata: { ...object.metadata, namespace } }
}

export function ingress(name: string): KubeObject {
  const spec = {
    rules: [{ host: `${name}.example.com` }],
    defaultBackend: { service: { name: 'app', port: { number: 80 } } },
  }
  return { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { ...HERE, name }, spec }
}

export function route(name: string): KubeObject {
  const spec = { parentRefs: [{ name: 'g' }], hostnames: [`${name}.example.com`] }
  return { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata: { ...HERE, name }, spec }
}

export function grant(name: string): KubeObject {
  const from = [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'shop' }]
  const spec = { from, to: [{ group: '', kind: 'Service', name: 'oauth2-proxy' }] }
  return { apiVersion: 'gateway.networking.k8s.io/v1beta1', kind: 'ReferenceGrant', metadata: { ...HERE, name }, spec }
}

export function policy(name: string): KubeObject {
  const targetSelectors = [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', matchLabels: { a: 'b' } }]
  const spec = { targetSelectors, authorization: { defaultAction: 'Deny' } }
  return { apiVersion: 'gateway.envoyproxy.io/v1alpha1', kind: 'SecurityPolicy', metadata: { ...HERE, name }, spec }
}

export function middleware(name: string): KubeObject {
  const spec = { ipAllowList: { sourceRange: ['192.0.2.0/24'] } }
  return { apiVersion: 'traefik.io/v1alpha1', kind: 'Middleware', metadata: { ...HERE, name }, spec }
}

export function team(name: string): KubeObject {
  const service = { name: 'oauth2-proxy', namespace: 'auth' }
  const spec = {
    namespaces: { names: ['shop'] },
    proxy: { service, cookieDomains: [`${name}.example.com`] },
  }
  return { apiVersion: 'auth.example/v1alpha1', kind: 'AuthTeam', metadata: { name }, spec }
}
