import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { KubeObject } from '../../src/core/types.ts'
import { StoredCompanions } from '../../src/facts/companions.ts'
import { FACT_KINDS, FactStore } from '../../src/facts/store.ts'
import { gateways } from '../../src/gateways/index.ts'
import { runs } from '../property/arbitrary.ts'
import {
  CLUSTER,
  cluster,
  config,
  ENVOY_GATEWAY,
  gateway,
  gatewayClass,
  httpRoute,
  ingress,
  ingressClass,
  NGINX,
  namespace,
  parent,
  storeOf,
  TRAEFIK_INGRESS,
  team,
} from './cluster.ts'

function policy(kind: string, name: string, spec: object, inNamespace = 'apps', labels = {}): KubeObject {
  const metadata = { namespace: inNamespace, name, labels, creationTimestamp: '2026-01-01T00:00:00Z' }
  return { apiVersion: 'gateway.envoyproxy.io/v1alpha1', kind, metadata, spec }
}

function exemption(name: string, route: string): KubeObject {
  const spec = {
    route: { kind: 'Ingress', namespace: 'apps', name: route },
    hosts: ['app.a.example.com'],
    reason: 'public',
  }
  return { apiVersion: 'auth.example/v1alpha1', kind: 'AuthExemption', metadata: { name }, spec }
}

const across = { targetSelectors: [{ kind: 'HTTPRoute', namespaces: { from: 'All' } }] }
const selector = { matchLabels: { tier: 'web' } }

/** Several documents for each name, so that one replaces another; a few that are not valid. */
const POOL: readonly KubeObject[] = [
  team('a'),
  team('a', { namespaces: { selector, default: true } }),
  team('a', { namespaces: { names: ['elsewhere'] } }, { creationTimestamp: '2025-01-01T00:00:00Z' }),
  team('b', { namespaces: { names: ['apps', 'elsewhere'], default: true } }),
  team('b', { namespaces: {} }),
  team('b', { hosts: ['no host'] }),
  namespace('apps'),
  namespace('apps', { tier: 'web' }),
  namespace('apps', { 'auth.example/protect': 'b' }),
  namespace('elsewhere', { tier: 'web' }),
  ingressClass('x', NGINX, true),
  ingressClass('x', TRAEFIK_INGRESS),
  ingressClass('y', NGINX, true),
  gatewayClass('x', ENVOY_GATEWAY),
  gatewayClass('x', 'example.com/other'),
  gateway('g', 'x'),
  gateway('g', 'y', []),
  policy('SecurityPolicy', 'p', {}),
  policy('SecurityPolicy', 'p', across),
  policy('SecurityPolicy', 'p', across, 'elsewhere'),
  policy('ClientTrafficPolicy', 'p', {}, 'apps', { 'app.kubernetes.io/managed-by': 'portcullis' }),
  exemption('e', 'app'),
  exemption('e', 'other'),
  exemption('f', 'Not A Name'),
  { apiVersion: 'traefik.io/v1alpha1', kind: 'Middleware', metadata: { namespace: 'apps', name: 'm' } },
  ingress(),
  ingress({ labels: {} }, { rules: [] }),
  httpRoute(),
  httpRoute({}, { parentRefs: [parent('g')] }),
  httpRoute({}, { parentRefs: [parent('g'), parent('traefik'), parent('g', { port: 443 })] }),
  httpRoute({ name: 'other' }, { parentRefs: [parent('g')] }),
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'apps', name: 'x' } },
]

const NAMESPACES = ['apps', 'elsewhere', 'infra', 'unknown']

/** Everything that planning can read of a store, in one order. */
function view(store: FactStore): object {
  const sorted = (list: Iterable<unknown>) => [...list].map(each => JSON.stringify(each)).sort()
  const routes = [ingress(), httpRoute(), httpRoute({ name: 'other' })].map(({ kind, metadata }) => ({
    kind: kind as 'Ingress',
    namespace: 'apps',
    name: String(metadata.name),
  }))
  const byDefault = store.ingressClass(undefined)
  return {
    teams: sorted(store.teams()),
    team: store.team('a'),
    namespaces: sorted(store.namespaces()),
    teamsIn: NAMESPACES.map(each => {
      const { admitted, defaults } = store.teamsIn(each)
      return [admitted.map(of => of.name), defaults.map(of => of.name)]
    }),
    classes: ['x', 'y'].map(name => store.ingressClass(name)),
    byDefault: 'code' in byDefault ? byDefault.code : byDefault.name,
    gateways: sorted(store.gateways()),
    gateway: store.gateway('infra', 'g'),
    gatewayClass: store.gatewayClass('x'),
    controllers: (['Ingress', 'HTTPRoute'] as const).map(kind => sorted(store.controllersOf(kind))),
    policies: (['SecurityPolicy', 'ClientTrafficPolicy'] as const).map(kind =>
      NAMESPACES.map(each => sorted(store.policies(kind, each))),
    ),
    across: sorted(store.policiesAcrossNamespaces()),
    exemptions: routes.map(ref =>
      store
        .exemptions(ref)
        .map(each => each.name)
        .sort(),
    ),
    routes: routes.map(ref => store.routes.get(ref)),
    size: store.routes.size,
    ofGateway: ['g', 'traefik', 'gone'].map(name => sorted(store.routes.ofGateway({ namespace: 'infra', name }))),
  }
}

const empty = () => new FactStore(config())
const idOf = ({ apiVersion, kind, metadata }: KubeObject) =>
  [apiVersion, kind, metadata.namespace, metadata.name].join(' ')

test('after any puts and removes a store says what a new one of the same documents says', () => {
  const step = fc.record({ put: fc.boolean(), document: fc.constantFrom(...POOL) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25, size: 'max' }), steps => {
      const store = empty()
      const left = new Map<string, KubeObject>()
      for (const { put, document } of steps) {
        if (!put) {
          store.remove(document)
          left.delete(idOf(document))
        } else if (store.put(document).length === 0) left.set(idOf(document), document)
        // What is asked for in between may be remembered, and must not be when it has changed.
        for (const each of NAMESPACES) store.teamsIn(each)
      }
      const fresh = empty()
      for (const document of left.values()) fresh.put(document)
      expect(view(store)).toEqual(view(fresh))
    }),
    runs(300),
  )
})

test('with everything removed a store is as it was at first', () => {
  const store = storeOf(POOL.filter(document => empty().put(document).length === 0))
  expect(view(store)).not.toEqual(view(empty()))
  for (const document of POOL) store.remove(document)
  expect(view(store)).toEqual(view(empty()))
})

test('a document is removed by its name alone, whatever else a watch says last', () => {
  const store = storeOf([httpRoute({}, { parentRefs: [parent('g')] }), policy('SecurityPolicy', 'p', across)])
  store.remove(httpRoute({ labels: {} }, { parentRefs: [] }))
  store.remove(policy('SecurityPolicy', 'p', {}))
  expect(view(store)).toEqual(view(empty()))
})

describe('a document that is not valid', () => {
  const broken = team('team-a', { namespaces: { names: ['apps'] }, hosts: ['not a host'], passthrough: 'Sometimes' })

  test('is not taken, each of its problems is returned, and what was there goes on serving', () => {
    const store = cluster()
    const before = view(store)
    const problems = store.put(broken)
    expect(problems.map(each => each.path)).toEqual(['spec.hosts[0]', 'spec.passthrough'])
    expect(view(store)).toEqual(before)
  })

  test('is replaced by the next that is', () => {
    const store = cluster()
    store.put(broken)
    expect(store.put(team('team-a', { hosts: ['*.new.a.example.com'] }))).toEqual([])
    expect(store.team('team-a')?.hosts).toEqual(['*.new.a.example.com'])
  })

  test('makes nothing of a team that was not there', () => {
    const store = empty()
    store.put(broken)
    expect(store.teamsIn('apps').admitted).toEqual([])
  })

  test('keeps an exemption too', () => {
    const store = storeOf([exemption('e', 'app')])
    expect(store.put(exemption('e', 'Not A Name'))).toHaveLength(1)
    expect(store.exemptions({ kind: 'Ingress', namespace: 'apps', name: 'app' }).map(each => each.name)).toEqual(['e'])
  })
})

describe('the teams of a namespace', () => {
  const names = (store: FactStore, of = 'apps') => store.teamsIn(of).admitted.map(each => each.name)

  test('come oldest first, then by name, those that are not stored yet last', () => {
    const created = (creationTimestamp?: string) => ({ creationTimestamp })
    const store = storeOf([
      team('d', {}, created()),
      team('c', {}, created('2026-02-01T00:00:00Z')),
      team('b', {}, created('2026-02-01T00:00:00Z')),
      team('a', {}, created('2026-03-01T00:00:00Z')),
    ])
    expect(names(store)).toEqual(['b', 'c', 'a', 'd'])
  })

  test('follow its labels, also when they were asked for before', () => {
    const store = storeOf([namespace('apps'), team('a', { namespaces: { selector } })])
    expect(names(store)).toEqual([])
    store.put(namespace('apps', { tier: 'web' }))
    expect(names(store)).toEqual(['a'])
    store.remove(namespace('apps'))
    expect(names(store)).toEqual([])
  })

  test('are the same list until something changes', () => {
    const store = cluster()
    expect(store.teamsIn('apps')).toBe(store.teamsIn('apps'))
  })

  test('are not remembered for namespaces that nobody described, whose names are anybody’s text', () => {
    const store = cluster()
    expect(store.teamsIn('made-up')).not.toBe(store.teamsIn('made-up'))
    expect(names(store, '__proto__')).toEqual([])
  })
})

describe('of a route', () => {
  const ref = { kind: 'Ingress', namespace: 'apps', name: 'app' } as const

  test('a projection is kept: none of its other annotations, and not the object', () => {
    const annotations = { 'example.com/big': 'x'.repeat(1000), 'kubernetes.io/ingress.class': 'nginx' }
    const stored = storeOf([ingress({ annotations })]).routes.get(ref)!
    expect({ ...stored.annotations }).toEqual({ 'kubernetes.io/ingress.class': 'nginx' })
    expect(JSON.stringify(stored)).not.toContain('xxx')
    expect(stored.object).toEqual({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { namespace: 'apps', name: 'app' },
    })
  })

  test('the team of its record is kept', () => {
    const record = JSON.stringify({ format: 1, gateway: 'traefik', team: 'team-b', set: {}, was: {} })
    const store = storeOf([ingress({ annotations: { 'auth.example/injected': record } })])
    expect(store.routes.get(ref)?.recordedTeam).toBe('team-b')
  })

  test('kinds are kept apart', () => {
    const store = storeOf([ingress(), httpRoute()])
    store.remove(httpRoute())
    expect(store.routes.get(ref)).toBeDefined()
    expect(store.routes.size).toBe(1)
  })

  test('a Service of the name of a Gateway is no Gateway', () => {
    const store = storeOf([httpRoute({}, { parentRefs: [parent('g', { group: '', kind: 'Service' })] })])
    expect([...store.routes.ofGateway({ namespace: 'infra', name: 'g' })]).toEqual([])
  })
})

test('guards count as ready where nobody makes them, and else when they are there', () => {
  const scope = { of: 'namespace', team: 'team-a', namespace: 'apps' } as const
  const fill = (store: FactStore) => {
    for (const document of CLUSTER) store.put(document)
    return store
  }
  expect(fill(new FactStore(config())).readySince(scope)).toBe(0)
  expect(fill(new FactStore(config(), new StoredCompanions(gateways, () => 1))).readySince(scope)).toBeUndefined()
})

test('a kind of the same name in another group is no fact', () => {
  const store = new FactStore(config())
  store.put({
    apiVersion: 'networking.istio.io/v1',
    kind: 'Gateway',
    metadata: { namespace: 'gateways', name: 'main' },
  })
  expect(store.gateway('gateways', 'main')).toBeUndefined()
})

test('every kind of the pool but the one that is no fact is a kind of fact', () => {
  const kinds = new Set(POOL.map(document => document.kind))
  expect([...kinds].filter(kind => !FACT_KINDS.has(kind))).toEqual(['ConfigMap'])
  expect([...FACT_KINDS.keys()].filter(kind => !kinds.has(kind))).toEqual([])
})
