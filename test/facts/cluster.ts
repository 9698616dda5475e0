// A small cluster as documents: three teams, four classes, two Gateways. Tests vary it a document at a time.
import { type Config, parseConfig } from '../../src/api/config.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { FactStore } from '../../src/facts/store.ts'

type Json = Readonly<Record<string, unknown>>

export const NGINX = 'k8s.io/ingress-nginx'
export const TRAEFIK_INGRESS = 'traefik.io/ingress-controller'
export const TRAEFIK_GATEWAY = 'traefik.io/gateway-controller'
export const ENVOY_GATEWAY = 'gateway.envoyproxy.io/gatewayclass-controller'

export function namespace(name: string, labels: Json = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }
}

/** `spec` is merged over a team that admits namespace `apps`; its proxy lives in `auth`. */
export function team(name: string, spec: Json = {}, metadata: Json = {}): KubeObject {
  return {
    apiVersion: 'auth.example/v1alpha1',
    kind: 'AuthTeam',
    metadata: { name, creationTimestamp: '2026-01-01T00:00:00Z', ...metadata },
    spec: {
      namespaces: { names: ['apps'] },
      proxy: {
        service: { namespace: 'auth', name: `proxy-${name}` },
        cookieDomains: ['a.example.com'],
        loginHost: 'login.a.example.com',
      },
      access: [
        { name: 'admins', allowedGroups: ['group-1', 'group-2'] },
        { name: 'robots', allowedGroups: ['robots'], headers: { authorization: true } },
      ],
      ...spec,
    },
  }
}

export function ingressClass(name: string, controller: string, isDefault = false): KubeObject {
  const annotations = isDefault ? { 'ingressclass.kubernetes.io/is-default-class': 'true' } : {}
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name, annotations },
    spec: { controller },
  }
}

export function gatewayClass(name: string, controllerName: string): KubeObject {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name },
    spec: { controllerName },
  }
}

/** In namespace `infra`, one HTTPS listener for every host, open to every namespace. */
export function gateway(name: string, gatewayClassName: string, listeners: readonly Json[] = [listener()]): KubeObject {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { namespace: 'infra', name },
    spec: { gatewayClassName, listeners },
  }
}

export function listener(change: Json = {}): Json {
  return { name: 'https', port: 443, protocol: 'HTTPS', allowedRoutes: { namespaces: { from: 'All' } }, ...change }
}

/** In namespace `apps`, labelled, host `app.a.example.com`, class `nginx`. */
export function ingress(metadata: Json = {}, spec: Json = {}): KubeObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { namespace: 'apps', name: 'app', labels: { 'auth.example/protect': 'true' }, ...metadata },
    spec: { ingressClassName: 'nginx', rules: [rule('app.a.example.com')], ...spec },
  }
}

export function rule(host?: string, path = '/', service = 'app'): Json {
  const backend = { service: { name: service, port: { number: 80 } } }
  return { ...(host === undefined ? {} : { host }), http: { paths: [{ path, pathType: 'Prefix', backend }] } }
}

/** In namespace `apps`, labelled, host `app.a.example.com`, parent `infra/traefik`. */
export function httpRoute(metadata: Json = {}, spec: Json = {}): KubeObject {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { namespace: 'apps', name: 'app', labels: { 'auth.example/protect': 'true' }, ...metadata },
    spec: {
      parentRefs: [parent('traefik')],
      hostnames: ['app.a.example.com'],
      rules: [{ matches: [{ path: { type: 'PathPrefix', value: '/' } }], backendRefs: [{ name: 'app', port: 80 }] }],
      ...spec,
    },
  }
}

export function parent(name: string, change: Json = {}): Json {
  return { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'infra', name, ...change }
}

/** team-a is the default of `apps`, team-b and team-c are chosen by name; team-c owns hosts of its own. */
export const CLUSTER: readonly KubeObject[] = [
  namespace('apps'),
  namespace('auth'),
  namespace('infra'),
  namespace('elsewhere'),
  team('team-a', { namespaces: { names: ['apps'], default: true } }),
  team('team-b', {}, { creationTimestamp: '2026-02-01T00:00:00Z' }),
  team('team-c', {
    namespaces: { names: ['elsewhere'] },
    proxy: { service: { namespace: 'auth', name: 'proxy-c' }, cookieDomains: ['c.example.com'] },
  }),
  ingressClass('nginx', NGINX),
  ingressClass('nginx-internal', 'example.com/second-nginx'),
  ingressClass('traefik', TRAEFIK_INGRESS),
  ingressClass('other', 'example.com/other'),
  gatewayClass('traefik', TRAEFIK_GATEWAY),
  gatewayClass('envoy', ENVOY_GATEWAY),
  gateway('traefik', 'traefik'),
  gateway('envoy', 'envoy'),
]

export function config(change: Json = {}): Config {
  const parsed = parseConfig({
    apiVersion: 'config.auth.example/v1alpha1',
    kind: 'PortcullisConfig',
    controllers: [
      { controller: NGINX, gateway: 'ingress-nginx' },
      { controller: 'example.com/second-nginx', gateway: 'ingress-nginx', annotationPrefix: 'internal.example.com' },
      { controller: TRAEFIK_INGRESS, gateway: 'traefik' },
      { controller: TRAEFIK_GATEWAY, gateway: 'traefik' },
      { controller: ENVOY_GATEWAY, gateway: 'envoy-gateway', handedOver: [{ namespace: 'infra', name: 'envoy' }] },
    ],
    ...change,
  })
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems))
  return parsed.value
}

/** The cluster, with documents added or, of the same kind and name, replaced. */
export function cluster(...more: readonly KubeObject[]): FactStore {
  return storeOf([...CLUSTER, ...more])
}

export function storeOf(documents: readonly KubeObject[], from: Config = config()): FactStore {
  const store = new FactStore(from)
  for (const document of documents) {
    const problems = store.put(document)
    if (problems.length > 0) throw new Error(`${document.kind}: ${JSON.stringify(problems)}`)
  }
  return store
}
