// A large cluster: teams with a namespace each, Ingresses and HTTPRoutes of about 2 to 3 kB, every second one protected.
import jsonPatch from 'fast-json-patch'
import { parseConfig } from '../../src/api/config.ts'
import { companions } from '../../src/core/companions.ts'
import { plan } from '../../src/core/planner.ts'
import type { KubeObject, Scope } from '../../src/core/types.ts'
import { FactStore } from '../../src/facts/store.ts'
import { gateways } from '../../src/gateways/index.ts'
import { CONFIG, ENVOY, GATEWAY, namespace } from '../integration/cluster-objects.ts'
import { facts, ingress, team, teamName } from './inputs.ts'

export type Size = { readonly teams: number; readonly ingresses: number; readonly httpRoutes: number }

/** Each group has what the one before it needs, and is in any order. */
export function clusterOf({ teams, ingresses, httpRoutes }: Size, withPassthroughs: boolean): KubeObject[][] {
  const config = parseConfig(CONFIG)
  if ('problems' in config) throw new Error(JSON.stringify(config.problems))
  const store = new FactStore(config.value)
  const [classes, rest] = [facts(teams).slice(0, 1), facts(teams).slice(1)]
  const own = String(GATEWAY.metadata.namespace)
  const namespaces: KubeObject[] = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: own } },
    ...rest.filter(each => each.kind === 'Namespace'),
  ]
  const others = [...classes, ENVOY, GATEWAY, ...rest.filter(each => each.kind !== 'Namespace')]
  for (const document of [...namespaces, ...others]) store.put(document)
  const passthroughs: KubeObject[] = []
  const routes = [
    ...many(ingresses, index => protectedEverySecond(bareIngress(index, teamName(index % teams)), index, store)),
    ...many(httpRoutes, index => {
      const route = protectedEverySecond(bareHTTPRoute(index, teamName(index % teams)), index, store)
      store.put(route)
      if (withPassthroughs) passthroughs.push(...companions(scopeOf(route), store, gateways).map(each => each.object))
      return route
    }),
  ]
  return [namespaces, others, [...routes, ...passthroughs.filter(each => each.kind === 'HTTPRoute')]]
}

/** The team that has many routes, in many namespaces. */
export const LARGE_TEAM = 'large'
const LARGE_NAMESPACES: readonly string[] = many(10, index => `${LARGE_TEAM}-${index}`)

/** The same without anything of ours: every route has the label. `ofLarge`: routes of each kind that the large team has. */
export function bareClusterOf({ teams, ingresses, httpRoutes }: Size, ofLarge: number): KubeObject[][] {
  const all = [...facts(teams - 1), team(LARGE_TEAM, LARGE_NAMESPACES)]
  const names = [String(GATEWAY.metadata.namespace), LARGE_TEAM, ...LARGE_NAMESPACES]
  const namespaces = [...names.map(namespace), ...all.filter(each => each.kind === 'Namespace')]
  const place = (index: number): [string, string] =>
    index < ofLarge
      ? [LARGE_NAMESPACES[index % LARGE_NAMESPACES.length]!, LARGE_TEAM]
      : [teamName(index % (teams - 1)), teamName(index % (teams - 1))]
  const routes = [
    ...many(ingresses, index => labelled(bareIngress(index, ...place(index)))),
    ...many(httpRoutes, index => labelled(bareHTTPRoute(index, ...place(index)))),
  ]
  return [namespaces, [ENVOY, GATEWAY, ...all.filter(each => each.kind !== 'Namespace')], routes]
}

function labelled(bare: KubeObject): KubeObject {
  const labels = { ...(bare.metadata.labels as object), 'auth.example/protect': 'true' }
  return { ...bare, metadata: { ...bare.metadata, labels } }
}

/** As it would be stored, with its record. */
function protectedEverySecond(bare: KubeObject, index: number, store: FactStore): KubeObject {
  if (index % 2 === 1) return bare
  const route = labelled(bare)
  const planned = plan(route, store, gateways)
  if (planned.outcome !== 'protect') throw new Error(`not protected: ${JSON.stringify(planned)}`)
  return jsonPatch.applyPatch(route, planned.patch as jsonPatch.Operation[], false, false).newDocument
}

function bareIngress(index: number, namespace: string, team = namespace): KubeObject {
  const name = `app-${index}`
  return withChart(ingress(name, namespace, `${name}.${team}.example.com`), name)
}

function bareHTTPRoute(index: number, namespace: string, team = namespace): KubeObject {
  const name = `web-${index}`
  const spec = {
    parentRefs: [{ ...nameOf(GATEWAY), sectionName: 'web' }],
    hostnames: [`${name}.${team}.example.com`, `www-${name}.${team}.example.com`],
    rules: ['/', '/api', '/static'].map(value => ({
      matches: [{ path: { type: 'PathPrefix', value }, headers: [{ name: 'x-stage', value: 'live' }] }],
      filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-app', value: name }] } }],
      backendRefs: [
        { name, port: 8080, weight: 90 },
        { name: `${name}-next`, port: 8080, weight: 10 },
      ],
      timeouts: { request: '30s' },
    })),
  }
  const metadata = { name, namespace }
  return withChart({ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata, spec }, name)
}

/** What Helm and a delivery tool leave on everything. */
function withChart(bare: KubeObject, name: string): KubeObject {
  const { labels, annotations, ...metadata } = bare.metadata
  const chart = {
    'app.kubernetes.io/name': name,
    'app.kubernetes.io/instance': `${name}-live`,
    'app.kubernetes.io/part-of': 'shop',
    'app.kubernetes.io/managed-by': 'Helm',
    'app.kubernetes.io/version': `1.4.${name.length}`,
    'helm.sh/chart': 'application-2.7.1',
  }
  const kept: Record<string, string> = { ...(labels as object), ...chart }
  delete kept['auth.example/protect']
  const notes = {
    ...(annotations as object),
    'meta.helm.sh/release-name': name,
    'meta.helm.sh/release-namespace': String(metadata.namespace),
    'argocd.argoproj.io/tracking-id': `${name}:${bare.apiVersion}/${bare.kind}:${metadata.namespace}/${name}`,
  }
  return { ...bare, metadata: { ...metadata, labels: kept, annotations: notes } }
}

function scopeOf({ metadata }: KubeObject): Scope {
  const { namespace, name } = metadata
  return { of: 'route', route: { kind: 'HTTPRoute', namespace: String(namespace), name: String(name) } }
}

function nameOf({ metadata: { namespace, name } }: KubeObject) {
  return { namespace, name }
}

function many<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}
