// Classes, Gateways, namespaces and policies read from their documents into what planning needs of them.
import { normaliseHost } from '../core/hosts.ts'
import { array, isObject, number, object, string, strings } from '../core/json.ts'
import { DEFAULT_CLASS, MANAGED_BY, MANAGER } from '../core/keys.ts'
import type { LabelSelector } from '../core/selector.ts'
import type {
  Gateway,
  GatewayClass,
  IngressClass,
  KubeObject,
  Listener,
  Namespace,
  ObjectName,
  Policy,
} from '../core/types.ts'

export type StoredClass = IngressClass & { readonly isDefault: boolean }

export function nameOf(document: KubeObject): ObjectName {
  return { namespace: string(document.metadata.namespace) ?? 'default', name: string(document.metadata.name) ?? '' }
}

export function readNamespace(document: KubeObject): Namespace {
  const { name } = nameOf(document)
  const labels = { ...object(document.metadata.labels), 'kubernetes.io/metadata.name': name }
  return { name, labels: strings(labels) }
}

export function readIngressClass(document: KubeObject): StoredClass {
  return {
    name: nameOf(document).name,
    controller: string(object(document.spec).controller) ?? '',
    isDefault: object(document.metadata.annotations)[DEFAULT_CLASS] === 'true',
  }
}

export function readGatewayClass(document: KubeObject): GatewayClass {
  return { name: nameOf(document).name, controller: string(object(document.spec).controllerName) ?? '' }
}

export function readGateway(document: KubeObject): Gateway {
  const spec = object(document.spec)
  return {
    ...nameOf(document),
    className: string(spec.gatewayClassName) ?? '',
    labels: strings(document.metadata.labels),
    listeners: array(spec.listeners).map(readListener),
  }
}

function readListener(value: unknown): Listener {
  const listener = object(value)
  const { namespaces, kinds } = object(listener.allowedRoutes)
  const from = string(object(namespaces).from) ?? 'Same'
  const selector = object(namespaces).selector
  return {
    name: string(listener.name) ?? '',
    hostname: normaliseHost(string(listener.hostname) ?? ''),
    port: number(listener.port) ?? 0,
    protocol: string(listener.protocol) ?? '',
    routesFrom: from === 'All' || from === 'Selector' || from === 'Same' ? from : 'None',
    ...(isObject(selector) ? { routesSelector: selector as LabelSelector } : {}),
    // Without a list of kinds, those of the protocol are admitted.
    admitsHTTPRoutes:
      !Array.isArray(kinds) || kinds.length === 0 || kinds.some(kind => object(kind).kind === 'HTTPRoute'),
  }
}

export function readPolicy(document: KubeObject): Policy {
  const created = Date.parse(string(document.metadata.creationTimestamp) ?? '')
  return {
    ...nameOf(document),
    kind: document.kind as Policy['kind'],
    created: Number.isNaN(created) ? 0 : created,
    ours: strings(document.metadata.labels)[MANAGED_BY] === MANAGER,
    object: document,
  }
}
