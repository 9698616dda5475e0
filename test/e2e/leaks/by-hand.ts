// A login as it is made by hand for one route, in the way of each gateway, without anybody's label.
import { array, object } from '../../../src/core/json.ts'
import type { KubeObject } from '../../../src/core/types.ts'
import { INGRESS_NGINX, TRAEFIK_INGRESS } from '../stage/route-kinds.ts'
import { NAMESPACE, type Spot } from './watched.ts'

const PROXY = { namespace: 'login-team-a', name: 'oauth2-proxy', port: 80 }
const ADDRESS = `http://${PROXY.name}.${PROXY.namespace}.svc.cluster.local:${PROXY.port}`
const MIDDLEWARE = 'login-by-hand'

/** The route with its login, and the objects that it takes beside it. */
export type ByHand = { readonly route: KubeObject; readonly besides: readonly KubeObject[] }

export function loginByHand({ kind }: Spot, route: KubeObject, host: string): ByHand {
  if (kind.gateway === 'envoy-gateway') return { route, besides: [securityPolicy(String(route.metadata.name), host)] }
  if (kind === INGRESS_NGINX) return { route: annotated(route, ofIngressNginx(host)), besides: [] }
  const list = { 'traefik.ingress.kubernetes.io/router.middlewares': `${NAMESPACE}-${MIDDLEWARE}@kubernetescrd` }
  return { route: kind === TRAEFIK_INGRESS ? annotated(route, list) : filtered(route), besides: [middleware()] }
}

function annotated(route: KubeObject, more: Readonly<Record<string, string>>): KubeObject {
  const { metadata } = route
  return { ...route, metadata: { ...metadata, annotations: { ...object(metadata.annotations), ...more } } }
}

function ofIngressNginx(host: string): Record<string, string> {
  return {
    'nginx.ingress.kubernetes.io/auth-url': `${ADDRESS}/oauth2/auth`,
    'nginx.ingress.kubernetes.io/auth-signin': `https://${host.replace(/^[^.]+/, 'login')}/oauth2/start?rd=https://$host$escaped_request_uri`,
    'nginx.ingress.kubernetes.io/auth-response-headers': 'X-Auth-Request-User,X-Auth-Request-Email',
  }
}

function filtered(route: KubeObject): KubeObject {
  const { spec } = route
  const extensionRef = { group: 'traefik.io', kind: 'Middleware', name: MIDDLEWARE }
  const rules = array(object(spec).rules).map(rule => ({
    ...object(rule),
    filters: [{ type: 'ExtensionRef', extensionRef }],
  }))
  return { ...route, spec: { ...object(spec), rules } }
}

function middleware(): KubeObject {
  const forwardAuth = { address: `${ADDRESS}/`, trustForwardHeader: true, authResponseHeaders: ['X-Auth-Request-User'] }
  const metadata = { namespace: NAMESPACE, name: MIDDLEWARE }
  return { apiVersion: 'traefik.io/v1alpha1', kind: 'Middleware', metadata, spec: { forwardAuth } }
}

function securityPolicy(name: string, host: string): KubeObject {
  const http = { backendRefs: [PROXY], path: `/?rd=https://${host}`, headersToBackend: ['x-auth-request-user'] }
  const headersToExtAuth = ['cookie', 'accept', 'authorization', 'x-forwarded-proto']
  const spec = {
    targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name }],
    extAuth: { failOpen: false, headersToExtAuth, http },
  }
  const metadata = { namespace: NAMESPACE, name: `${name}-by-hand` }
  return { apiVersion: 'gateway.envoyproxy.io/v1alpha1', kind: 'SecurityPolicy', metadata, spec }
}
