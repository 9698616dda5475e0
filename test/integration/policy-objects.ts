// Objects for the tests of policies: routes bare and protected, namespaces, who may write what.
import { join } from 'node:path'
import fastJsonPatch from 'fast-json-patch'
import { object } from '../../src/core/json.ts'
import { PROTECT } from '../../src/core/keys.ts'
import { plan } from '../../src/core/planner.ts'
import { routeKind } from '../../src/core/route.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { readFolder, storeOf } from '../../src/facts/documents.ts'
import { gateways } from '../../src/gateways/index.ts'
import { MANIFESTS } from '../manifests/documents.ts'

export function namespace(name: string, labels: object = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }
}

export function ingress(
  name: string,
  of: { namespace: string; labels?: object; annotations?: object; hosts?: readonly string[] },
): KubeObject {
  const paths = [{ path: '/', pathType: 'Prefix', backend: { service: { name, port: { number: 80 } } } }]
  const hosts = of.hosts ?? [`${name}.example.org`]
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: of.namespace, labels: of.labels ?? {}, annotations: of.annotations ?? {} },
    spec: { rules: hosts.map(host => ({ host, http: { paths } })) },
  }
}

export function httpRoute(
  name: string,
  of: { namespace: string; labels?: object; hosts?: readonly string[] },
): KubeObject {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name, namespace: of.namespace, labels: of.labels ?? {} },
    spec: { hostnames: of.hosts ?? [`${name}.example.org`], rules: [{ backendRefs: [{ name, port: 80 }] }] },
  }
}

/** Routes of the examples as they are stored once they are protected, in a namespace of the test. */
export async function protectedRoutes(namespace: string): Promise<KubeObject[]> {
  const { documents } = await readFolder(join(MANIFESTS, 'examples'))
  const { store } = storeOf(documents)
  return documents.flatMap(({ object: route }) => {
    if (routeKind(route) === undefined || object(route.metadata.labels)[PROTECT] === undefined) return []
    const planned = plan(route, store, gateways)
    if (planned.outcome !== 'protect') throw new Error(`${String(route.metadata.name)}: ${planned.outcome}`)
    const { newDocument } = fastJsonPatch.applyPatch(structuredClone(route), [...planned.patch] as never, true)
    return [{ ...newDocument, metadata: { ...newDocument.metadata, namespace } }]
  })
}

/** May write everything that is a route or a companion, in every namespace. */
export function routeEditors(...users: readonly string[]): KubeObject[] {
  const role = 'route-editors'
  const apiGroups = ['networking.k8s.io', 'gateway.networking.k8s.io', 'gateway.envoyproxy.io', 'traefik.io']
  const group = 'rbac.authorization.k8s.io'
  return [
    {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRole',
      metadata: { name: role },
      rules: [{ apiGroups, resources: ['*'], verbs: ['*'] }],
    },
    {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: role },
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: role },
      subjects: users.map(name => ({ apiGroup: group, kind: 'User', name })),
    },
  ]
}
