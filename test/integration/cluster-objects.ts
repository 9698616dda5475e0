// Objects of a small cluster: a team, an ingress-nginx, a Gateway of Envoy Gateway that is handed over.
import type { KubeObject } from '../../src/core/types.ts'

export const SETTLE_SECONDS = 7

export function namespace(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
}

export function team(name: string, of: string, domain = 'team-a.example.com'): KubeObject {
  const service = { namespace: of, name: 'oauth2-proxy' }
  const spec = {
    namespaces: { names: [of], default: true },
    hosts: [`*.${domain}`],
    proxy: { service, cookieDomains: [domain] },
  }
  return { apiVersion: 'auth.example/v1alpha1', kind: 'AuthTeam', metadata: { name }, spec }
}

const PROTECT = { 'auth.example/protect': 'true' }

export function ingress(name: string, host: string): KubeObject {
  const backend = { service: { name: 'shop', port: { number: 80 } } }
  const http = { paths: [{ path: '/', pathType: 'Prefix', backend }] }
  const metadata = { name, namespace: 'shops', labels: PROTECT }
  const spec = { ingressClassName: 'nginx', rules: [{ host, http }] }
  return { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata, spec }
}

export function httpRoute(name: string, of: string, host: string): KubeObject {
  const metadata = { name, namespace: of, labels: PROTECT }
  const parentRefs = [{ name: 'edge', namespace: 'gateways' }]
  const spec = { parentRefs, hostnames: [host], rules: [{ backendRefs: [{ name: 'shop', port: 80 }] }] }
  return { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata, spec }
}

/** Without what it says: for what is to be found, edited or removed. */
export function securityPolicy(name: string, of: string): KubeObject {
  return { apiVersion: 'gateway.envoyproxy.io/v1alpha1', kind: 'SecurityPolicy', metadata: { name, namespace: of } }
}

export const NGINX: KubeObject = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IngressClass',
  metadata: { name: 'nginx' },
  spec: { controller: 'k8s.io/ingress-nginx' },
}
const CONTROLLER = 'gateway.envoyproxy.io/gatewayclass-controller'
export const ENVOY: KubeObject = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'GatewayClass',
  metadata: { name: 'envoy' },
  spec: { controllerName: CONTROLLER },
}
const LISTENER = { name: 'web', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } }
export const GATEWAY: KubeObject = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { name: 'edge', namespace: 'gateways' },
  spec: { gatewayClassName: 'envoy', listeners: [LISTENER] },
}
export const CONFIG = {
  apiVersion: 'config.auth.example/v1alpha1',
  kind: 'PortcullisConfig',
  metadata: { name: 'portcullis' },
  settleSeconds: SETTLE_SECONDS,
  controllers: [
    { controller: 'k8s.io/ingress-nginx', gateway: 'ingress-nginx' },
    {
      controller: CONTROLLER,
      gateway: 'envoy-gateway',
      handedOver: [{ namespace: 'gateways', name: 'edge', drainSeconds: 0 }],
    },
  ],
}
