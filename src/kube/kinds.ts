// Every kind that is read or written, and where the API server has it.
import { GROUP, VERSION } from '../api/resource.ts'
import type { KubeObject } from '../core/types.ts'
import type { ObjectRef } from './write.ts'

const TRAEFIK = 'traefik.io/v1alpha1'
const ENVOY_GATEWAY = 'gateway.envoyproxy.io/v1alpha1'
const GATEWAY_API = 'gateway.networking.k8s.io/v1'
const NETWORKING = 'networking.k8s.io/v1'
const ADMISSION = 'admissionregistration.k8s.io/v1'
const OURS = `${GROUP}/${VERSION}`

export type Resource = {
  /** In which it is listed; an object's own goes before it. */
  readonly apiVersion: string
  readonly plural: string
  readonly scope: 'cluster' | 'namespace'
}

const RESOURCES: ReadonlyMap<string, Resource> = new Map([
  ['AuthTeam', clusterWide(OURS, 'authteams')],
  ['AuthExemption', clusterWide(OURS, 'authexemptions')],
  ['Namespace', clusterWide('v1', 'namespaces')],
  ['IngressClass', clusterWide(NETWORKING, 'ingressclasses')],
  ['Ingress', namespaced(NETWORKING, 'ingresses')],
  ['GatewayClass', clusterWide(GATEWAY_API, 'gatewayclasses')],
  ['Gateway', namespaced(GATEWAY_API, 'gateways')],
  ['HTTPRoute', namespaced(GATEWAY_API, 'httproutes')],
  ['SecurityPolicy', namespaced(ENVOY_GATEWAY, 'securitypolicies')],
  ['ClientTrafficPolicy', namespaced(ENVOY_GATEWAY, 'clienttrafficpolicies')],
  ['Middleware', namespaced(TRAEFIK, 'middlewares')],
  // Gateway API 1.6.1 serves v1 too; earlier releases have v1beta1 only.
  ['ReferenceGrant', namespaced('gateway.networking.k8s.io/v1beta1', 'referencegrants')],
  ['BackendTLSPolicy', namespaced(GATEWAY_API, 'backendtlspolicies')],
  ['Service', namespaced('v1', 'services')],
  ['Secret', namespaced('v1', 'secrets')],
  ['ConfigMap', namespaced('v1', 'configmaps')],
  ['Event', namespaced('events.k8s.io/v1', 'events')],
  ['Lease', namespaced('coordination.k8s.io/v1', 'leases')],
  ['Deployment', namespaced('apps/v1', 'deployments')],
  ['MutatingWebhookConfiguration', clusterWide(ADMISSION, 'mutatingwebhookconfigurations')],
  ['ValidatingWebhookConfiguration', clusterWide(ADMISSION, 'validatingwebhookconfigurations')],
  ['ValidatingAdmissionPolicy', clusterWide(ADMISSION, 'validatingadmissionpolicies')],
  ['ValidatingAdmissionPolicyBinding', clusterWide(ADMISSION, 'validatingadmissionpolicybindings')],
])

const FACTS = [
  'AuthTeam',
  'AuthExemption',
  'Namespace',
  'IngressClass',
  'Ingress',
  'GatewayClass',
  'Gateway',
  'HTTPRoute',
  'SecurityPolicy',
  'ClientTrafficPolicy',
  'Middleware',
]

/** The kinds that are facts, each with the path of its list. */
export const FACT_PATHS: Readonly<Record<string, string>> = listPaths(FACTS)

/** Kind to the path of its list, over all namespaces. */
export function listPaths(kinds: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(kinds.map(kind => [kind, listPath(kind)]))
}

export function listPath(kind: string): string {
  const { apiVersion, plural } = resourceOf(kind)
  return `${root(apiVersion)}/${plural}`
}

export function refOf({ apiVersion, kind, metadata: { namespace, name } }: KubeObject): ObjectRef {
  const where = typeof namespace === 'string' && namespace !== '' ? { namespace } : {}
  return { apiVersion, kind, ...where, name: typeof name === 'string' ? name : '' }
}

/** Where objects of this kind are made, and listed in their namespace. */
export function collectionPath({ apiVersion, kind, namespace }: Omit<ObjectRef, 'name'>): string {
  const { plural, scope } = resourceOf(kind)
  if ((scope === 'namespace') !== (namespace !== undefined) || namespace === '')
    throw new Error(`a ${kind} is one of a ${scope}`)
  const within = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`
  return `${root(apiVersion)}${within}/${plural}`
}

export function objectPath(ref: ObjectRef): string {
  // Without a name it would be the whole collection.
  if (ref.name === '') throw new Error(`a ${ref.kind} without a name has no address`)
  return `${collectionPath(ref)}/${encodeURIComponent(ref.name)}`
}

function resourceOf(kind: string): Resource {
  const resource = RESOURCES.get(kind)
  if (resource === undefined) throw new Error(`nobody said where the API server has kind ${kind}`)
  return resource
}

function root(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
}

function clusterWide(apiVersion: string, plural: string): Resource {
  return { apiVersion, plural, scope: 'cluster' }
}

function namespaced(apiVersion: string, plural: string): Resource {
  return { apiVersion, plural, scope: 'namespace' }
}
