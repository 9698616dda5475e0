// A Traefik that serves Ingresses and a Gateway for every namespace.
import { object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'

const GATEWAY_API = 'gateway.networking.k8s.io/v1'
const LISTENER = { name: 'web', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } }

export const TRAEFIK: readonly KubeObject[] = [
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'traefik' },
    spec: { controller: 'traefik.io/ingress-controller' },
  },
  {
    apiVersion: GATEWAY_API,
    kind: 'GatewayClass',
    metadata: { name: 'traefik' },
    spec: { controllerName: 'traefik.io/gateway-controller' },
  },
  {
    apiVersion: GATEWAY_API,
    kind: 'Gateway',
    metadata: { name: 'traefik', namespace: 'gateways' },
    spec: { gatewayClassName: 'traefik', listeners: [LISTENER] },
  },
]

/** The same HTTPRoute with that Gateway for its parent. */
export function behindTraefik({ spec, ...rest }: KubeObject): KubeObject {
  return { ...rest, spec: { ...object(spec), parentRefs: [{ name: 'traefik', namespace: 'gateways' }] } }
}
