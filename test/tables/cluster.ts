// The cluster of the table tests, and a labelled route behind each gateway.
import { readDocuments } from '../../src/api/documents.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { storeOf } from '../../src/facts/documents.ts'
import type { FactStore } from '../../src/facts/store.ts'

const FACTS = `
apiVersion: config.auth.example/v1alpha1
kind: PortcullisConfig
controllers:
- {controller: k8s.io/ingress-nginx, gateway: ingress-nginx}
- {controller: traefik.io/ingress-controller, gateway: traefik}
- {controller: traefik.io/gateway-controller, gateway: traefik}
- controller: gateway.envoyproxy.io/gatewayclass-controller
  gateway: envoy-gateway
  handedOver: [{namespace: edge, name: envoy, strictListeners: [strict]}]
---
apiVersion: auth.example/v1alpha1
kind: AuthTeam
metadata: {name: blue}
spec:
  namespaces: {names: [app]}
  proxy: {service: {namespace: login, name: proxy, port: 4180}, loginHost: login.blue.example, cookieDomains: [blue.example]}
  access: [{name: ops, allowedGroups: [g1, g2]}]
---
apiVersion: auth.example/v1alpha1
kind: AuthTeam
metadata: {name: red}
spec:
  namespaces: {names: [elsewhere]}
  proxy: {service: {namespace: login, name: red}, cookieDomains: [red.example]}
---
{apiVersion: v1, kind: Namespace, metadata: {name: app}}
---
{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: nginx}, spec: {controller: k8s.io/ingress-nginx}}
---
{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: traefik}, spec: {controller: traefik.io/ingress-controller}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: traefik}, spec: {controllerName: traefik.io/gateway-controller}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: envoy}, spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: traefik, namespace: edge}
spec:
  gatewayClassName: traefik
  listeners: [{name: web, port: 8443, protocol: HTTPS, allowedRoutes: {namespaces: {from: All}}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: envoy, namespace: edge}
spec:
  gatewayClassName: envoy
  listeners:
  - {name: shared, port: 443, protocol: HTTPS, allowedRoutes: {namespaces: {from: All}}}
  - {name: strict, port: 8443, protocol: HTTPS, allowedRoutes: {namespaces: {from: All}}}
`

export function cluster(): FactStore {
  const { documents, problems } = readDocuments(FACTS, 'facts')
  const found = storeOf(documents)
  if (problems.length + found.problems.length > 0) throw new Error(JSON.stringify([...problems, ...found.problems]))
  return found.store
}

export type Labels = { readonly [label: string]: string }

/** A route named `route` in namespace `app`, behind each gateway. */
export const ROUTES: Readonly<Record<string, (labels: Labels) => KubeObject>> = {
  'ingress-nginx, Ingress': labels => ingress('nginx', labels),
  'Traefik, Ingress': labels => ingress('traefik', labels),
  'Traefik, HTTPRoute': labels => httpRoute({ namespace: 'edge', name: 'traefik' }, labels),
  'Envoy Gateway, HTTPRoute on a shared listener': labels =>
    httpRoute({ namespace: 'edge', name: 'envoy', sectionName: 'shared' }, labels),
  'Envoy Gateway, HTTPRoute on a strict listener': labels =>
    httpRoute({ namespace: 'edge', name: 'envoy', sectionName: 'strict' }, labels),
}

function ingress(ingressClassName: string, labels: Labels): KubeObject {
  const backend = { service: { name: 'web', port: { number: 80 } } }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { namespace: 'app', name: 'route', labels },
    spec: {
      ingressClassName,
      rules: [{ host: 'web.blue.example', http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
    },
  }
}

function httpRoute(parent: object, labels: Labels): KubeObject {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { namespace: 'app', name: 'route', labels },
    spec: {
      parentRefs: [parent],
      hostnames: ['web.blue.example'],
      rules: [{ backendRefs: [{ name: 'web', port: 80 }] }, { backendRefs: [{ name: 'web', port: 81 }] }],
    },
  }
}
