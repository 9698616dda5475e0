// An Ingress or an HTTPRoute read into a Route. Absent and malformed parts read as absent.
import { normaliseHost } from './hosts.ts'
import { array, isObject, type JsonObject, number, object, string, strings } from './json.ts'
import { LEGACY_CLASS } from './keys.ts'
import type { KubeObject, ObjectName, Parent, Route, RouteKind, RouteRef } from './types.ts'

export const GATEWAY_API = 'gateway.networking.k8s.io'

/** The kind of route an object is, by group and kind; every version of the group counts. */
export function routeKind(document: KubeObject): RouteKind | undefined {
  if (document.kind === 'Ingress' && document.apiVersion.startsWith('networking.k8s.io/')) return 'Ingress'
  if (document.kind === 'HTTPRoute' && document.apiVersion.startsWith(`${GATEWAY_API}/`)) return 'HTTPRoute'
  return undefined
}

/** `namespace`: where the object is or will be; the request knows it even when the object does not say. */
export function readRoute(document: KubeObject, namespace?: string): Route | undefined {
  const kind = routeKind(document)
  if (kind === undefined) return undefined
  const ref: RouteRef = {
    kind,
    namespace: namespace ?? string(document.metadata.namespace) ?? 'default',
    name: string(document.metadata.name) ?? '',
  }
  const common = {
    ref,
    object: document,
    labels: strings(document.metadata.labels),
    annotations: strings(document.metadata.annotations),
  }
  const spec = object(document.spec)
  return kind === 'Ingress'
    ? { ...common, ...readIngress(spec, common.annotations, ref) }
    : { ...common, ...readHTTPRoute(spec, ref) }
}

type Body = Omit<Route, 'ref' | 'object' | 'labels' | 'annotations'>

function readIngress(spec: JsonObject, annotations: Route['annotations'], ref: RouteRef): Body {
  const hosts = new Set<string>()
  const services = new Map<string, ObjectName>()
  const paths: string[] = []
  let exactPathsOnly = true
  for (const rule of array(spec.rules).map(object)) {
    hosts.add(normaliseHost(string(rule.host) ?? ''))
    for (const path of array(object(rule.http).paths).map(object)) {
      paths.push(string(path.path) ?? '/')
      exactPathsOnly &&= path.pathType === 'Exact'
      addIngressBackend(services, object(path.backend), ref.namespace)
    }
  }
  if (isObject(spec.defaultBackend)) addIngressBackend(services, spec.defaultBackend, ref.namespace)
  const className = string(spec.ingressClassName)
  const legacyClassName = annotations[LEGACY_CLASS]
  return {
    hosts: [...hosts],
    services: [...services.values()],
    hasDefaultBackend: isObject(spec.defaultBackend),
    parents: [],
    paths,
    exactPathsOnly: exactPathsOnly && paths.length > 0,
    ...(className === undefined ? {} : { className }),
    ...(legacyClassName === undefined ? {} : { legacyClassName }),
  }
}

function readHTTPRoute(spec: JsonObject, ref: RouteRef): Body {
  const hosts = new Set(array(spec.hostnames).map(host => normaliseHost(string(host) ?? '')))
  if (hosts.size === 0) hosts.add('')
  const services = new Map<string, ObjectName>()
  const paths: string[] = []
  let exactPathsOnly = true
  for (const rule of array(spec.rules).map(object)) {
    const matches = array(rule.matches).map(object)
    for (const path of matches.length === 0 ? [object({})] : matches.map(match => object(match.path))) {
      paths.push(string(path.value) ?? '/')
      exactPathsOnly &&= path.type === 'Exact'
    }
    for (const backend of backendsOf(rule)) {
      addBackend(services, string(backend.kind) ?? 'Service', backend.name, string(backend.namespace) ?? ref.namespace)
    }
  }
  return {
    hosts: [...hosts],
    services: [...services.values()],
    hasDefaultBackend: false,
    parents: array(spec.parentRefs).map(parent => readParent(object(parent), ref.namespace)),
    paths,
    exactPathsOnly: exactPathsOnly && paths.length > 0,
  }
}

/** Backends of a rule and those that its filters mirror to. */
function backendsOf(rule: JsonObject): JsonObject[] {
  const backends = array(rule.backendRefs).map(object)
  const filters = [rule, ...backends].flatMap(of => array(of.filters).map(object))
  const mirrors = filters
    .map(filter => object(object(filter.requestMirror).backendRef))
    .filter(ref => ref.name !== undefined)
  return [...backends, ...mirrors]
}

function addIngressBackend(services: Map<string, ObjectName>, backend: JsonObject, namespace: string): void {
  addBackend(services, 'Service', object(backend.service).name, namespace)
  const resource = object(backend.resource)
  addBackend(services, string(resource.kind) ?? '', resource.name, namespace)
}

/** A backend of another kind counts under a name that no Service has: a route to it serves more than a Service. */
function addBackend(services: Map<string, ObjectName>, kind: string, name: unknown, namespace: string): void {
  if (typeof name !== 'string') return
  const of = { namespace, name: kind === 'Service' ? name : `${kind}/${name}` }
  services.set(`${of.namespace}/${of.name}`, of)
}

function readParent(ref: JsonObject, namespace: string): Parent {
  const sectionName = string(ref.sectionName)
  const port = number(ref.port)
  return {
    group: string(ref.group) ?? GATEWAY_API,
    kind: string(ref.kind) ?? 'Gateway',
    namespace: string(ref.namespace) ?? namespace,
    name: string(ref.name) ?? '',
    ...(sectionName === undefined ? {} : { sectionName }),
    ...(port === undefined ? {} : { port }),
  }
}

/** Whether a parent is a Gateway; a Service can be one too, and bear the same name. */
export function isGateway({ group, kind }: Parent): boolean {
  return group === GATEWAY_API && kind === 'Gateway'
}
