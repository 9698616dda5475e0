// A small cluster with Traefik in it, as documents: what the tests of its gateway and of the passthrough stand on.
import type { Config, Traefik } from '../../../src/api/config.ts'
import { defaultConfig } from '../../../src/api/config.ts'
import type { Companion, KubeObject, Plan } from '../../../src/core/types.ts'
import { FactStore } from '../../../src/facts/store.ts'

export const INGRESS_CONTROLLER = 'traefik.io/ingress-controller'
export const GATEWAY_CONTROLLER = 'traefik.io/gateway-controller'

type Fields = { readonly [key: string]: unknown }
type Settings = Partial<Pick<Traefik, 'separator' | 'trustForwardHeader'>>

export function config(settings: Settings = {}): Config {
  const controller = (name: string): Traefik => ({
    controller: name,
    gateway: 'traefik',
    separator: '-',
    trustForwardHeader: false,
    ...settings,
  })
  return { ...defaultConfig(), controllers: [controller(INGRESS_CONTROLLER), controller(GATEWAY_CONTROLLER)] }
}

export function facts(documents: readonly KubeObject[], configuration: Config = config()): FactStore {
  const store = new FactStore(configuration)
  for (const document of documents) {
    const problems = store.put(document)
    if (problems.length > 0) throw new Error(JSON.stringify(problems))
  }
  return store
}

/** Namespace, classes, Gateway and a team: everything but the routes. */
export function cluster(team: Fields = {}, ...more: KubeObject[]): KubeObject[] {
  return [namespace('app'), namespace('auth'), ingressClass(), gatewayClass(), gateway(), authTeam(team), ...more]
}

export function namespace(name: string, labels: Fields = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }
}

export function ingressClass(name = 'web', controller = INGRESS_CONTROLLER): KubeObject {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name }, spec: { controller } }
}

export function gatewayClass(name = 'web', controllerName = GATEWAY_CONTROLLER): KubeObject {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name },
    spec: { controllerName },
  }
}

export function gateway(...listeners: Fields[]): KubeObject {
  const all = { name: 'https', port: 443, protocol: 'HTTPS', allowedRoutes: { namespaces: { from: 'All' } } }
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'edge', namespace: 'infra' },
    spec: { gatewayClassName: 'web', listeners: listeners.length === 0 ? [all] : listeners },
  }
}

export function authTeam({ name = 'team-a', proxy = {}, ...rest }: Fields = {}): KubeObject {
  return {
    apiVersion: 'auth.example/v1alpha1',
    kind: 'AuthTeam',
    metadata: { name },
    spec: {
      namespaces: { names: ['app'] },
      proxy: {
        service: { namespace: 'auth', name: 'oauth2-proxy' },
        cookieDomains: ['example.com'],
        ...(proxy as Fields),
      },
      access: [{ name: 'admins', allowedGroups: ['g-1', 'g-2'] }],
      ...rest,
    },
  }
}

export function ingress(annotations: Fields | undefined, labels: Fields = {}, hosts = ['app.example.com']): KubeObject {
  const backend = { service: { name: 'app', port: { number: 80 } } }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name: 'app',
      namespace: 'app',
      labels: { 'auth.example/protect': 'true', ...labels },
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: {
      ingressClassName: 'web',
      rules: hosts.map(host => ({ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } })),
    },
  }
}

export function httpRoute(spec: Fields = {}, labels: Fields = {}): KubeObject {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'app', namespace: 'app', labels: { 'auth.example/protect': 'true', ...labels } },
    spec: {
      parentRefs: [{ name: 'edge', namespace: 'infra' }],
      hostnames: ['app.example.com'],
      rules: [{ backendRefs: [{ name: 'app', port: 80 }] }],
      ...spec,
    },
  }
}

export function protectedPlan(plan: Plan): Extract<Plan, { outcome: 'protect' }> {
  if (plan.outcome !== 'protect') throw new Error(JSON.stringify(plan))
  return plan
}

/** Where a companion is and what it is called, by its words. */
export function byWords(companions: readonly Companion[]): Map<string, KubeObject> {
  return new Map(companions.map(({ object }) => [wordsOf(object), object]))
}

export function wordsOf(object: KubeObject): string {
  return (object.metadata.annotations as { [key: string]: string })['auth.example/stands-for'] ?? ''
}

export function nameOf(object: KubeObject): string {
  return `${object.metadata.namespace}/${object.metadata.name}`
}
