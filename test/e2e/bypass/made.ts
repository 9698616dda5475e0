// Objects that ways around a login are made of.
import { array, object } from '../../../src/core/json.ts'
import type { KubeObject } from '../../../src/core/types.ts'
import type { Scene } from './way.ts'

/** An application's Ingress or HTTPRoute with its first path changed. */
export function withPath(route: KubeObject, path: string): KubeObject {
  const spec = object(route.spec)
  const [rule, ...rules] = array(spec.rules).map(object)
  if (route.kind === 'HTTPRoute') {
    const matches = [{ path: { type: 'PathPrefix', value: path } }]
    return { ...route, spec: { ...spec, rules: [{ ...rule, matches }, ...rules] } }
  }
  const paths = array(object(object(rule).http).paths).map(each => ({ ...object(each), path }))
  return { ...route, spec: { ...spec, rules: [{ ...rule, http: { paths } }, ...rules] } }
}

export function withHost(route: KubeObject, host: string | undefined): KubeObject {
  const { hostnames: _, ...spec } = object(route.spec)
  if (route.kind === 'HTTPRoute') {
    return { ...route, spec: { ...spec, ...(host === undefined ? {} : { hostnames: [host] }) } }
  }
  const rules = array(spec.rules).map(rule => {
    const { host: __, ...rest } = object(rule)
    return host === undefined ? rest : { ...rest, host }
  })
  return { ...route, spec: { ...spec, rules } }
}

/** On all of these hosts. */
export function withHosts(route: KubeObject, ...hosts: readonly string[]): KubeObject {
  const spec = object(route.spec)
  if (route.kind === 'HTTPRoute') return { ...route, spec: { ...spec, hostnames: hosts } }
  return { ...route, spec: { ...spec, rules: hosts.flatMap(host => array(object(withHost(route, host).spec).rules)) } }
}

/** To another Service. */
export function withBackend(route: KubeObject, name: string, namespace?: string): KubeObject {
  const spec = object(route.spec)
  if (route.kind === 'HTTPRoute') {
    const ref = { name, port: 80, ...(namespace === undefined ? {} : { namespace }) }
    const rules = array(spec.rules).map(rule => ({ ...object(rule), backendRefs: [ref] }))
    return { ...route, spec: { ...spec, rules } }
  }
  const backend = { service: { name, port: { number: 80 } } }
  const rules = array(spec.rules).map(rule => {
    const paths = array(object(object(rule).http).paths).map(each => ({ ...object(each), backend }))
    return { ...object(rule), http: { paths } }
  })
  return { ...route, spec: { ...spec, rules } }
}

export function inNamespace(route: KubeObject, namespace: string, name = String(route.metadata.name)): KubeObject {
  return { ...route, metadata: { ...route.metadata, namespace, name } }
}

export function annotated(route: KubeObject, annotations: Readonly<Record<string, string>>): KubeObject {
  const all = { ...object(route.metadata.annotations), ...annotations }
  return { ...route, metadata: { ...route.metadata, annotations: all } }
}

/** The stranger's own application for the host of the scene. */
export function intruding(at: Scene, name = 'intruder'): KubeObject {
  return inNamespace(withBackend(at.route, 'intruder'), 'elsewhere', `${at.name}-${name}`)
}

export type Rule = {
  readonly match: string
  readonly service: string
  readonly kind?: string
  readonly priority?: number
}

export function ingressRoute(namespace: string, name: string, { match, service, kind, priority }: Rule): KubeObject {
  const services = [kind === undefined ? { name: service, port: 80 } : { name: service, kind }]
  const route = { match, kind: 'Rule', services, ...(priority === undefined ? {} : { priority }) }
  return {
    apiVersion: 'traefik.io/v1alpha1',
    kind: 'IngressRoute',
    metadata: { namespace, name },
    spec: { entryPoints: ['websecure'], tls: {}, routes: [route] },
  }
}

export function ingressRouteTCP(namespace: string, name: string, entryPoint: string, match: string, tls?: object) {
  const routes = [{ match, services: [{ name: 'intruder', port: 80 }] }]
  const spec = { entryPoints: [entryPoint], routes, ...(tls === undefined ? {} : { tls }) }
  return { apiVersion: 'traefik.io/v1alpha1', kind: 'IngressRouteTCP', metadata: { namespace, name }, spec }
}

export function middleware(namespace: string, name: string, spec: object): KubeObject {
  return { apiVersion: 'traefik.io/v1alpha1', kind: 'Middleware', metadata: { namespace, name }, spec }
}

/** Serves the application instead of the redirect to the login. */
export function servesInstead(namespace: string, name: string): KubeObject {
  const errors = {
    status: ['302', '401'],
    statusRewrites: { '302': 200, '401': 200 },
    service: { name: 'prometheus', port: 80, nativeLB: true },
    query: '/{url}',
  }
  return middleware(namespace, name, { errors })
}

export function ref(apiVersion: string, kind: string, namespace: string, name: string): KubeObject {
  return { apiVersion, kind, metadata: { namespace, name } }
}

/** From where in which kind, to Services here. */
export function grant(namespace: string, name: string, from: { kind: string; namespace: string }, to: object) {
  const group = from.kind === 'HTTPRoute' ? 'gateway.networking.k8s.io' : 'gateway.envoyproxy.io'
  const spec = { from: [{ group, ...from }], to: [to] }
  return {
    apiVersion: 'gateway.networking.k8s.io/v1beta1',
    kind: 'ReferenceGrant',
    metadata: { namespace, name },
    spec,
  }
}

export function parentedBy(route: KubeObject, ...parentRefs: readonly object[]): KubeObject {
  return { ...route, spec: { ...object(route.spec), parentRefs } }
}
