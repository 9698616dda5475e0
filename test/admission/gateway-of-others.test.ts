import { describe, expect, test } from '@jest/globals'
import { plan } from '../../src/core/planner.ts'
import type { KubeObject } from '../../src/core/types.ts'
import type { FactStore } from '../../src/facts/store.ts'
import { gateways } from '../../src/gateways/index.ts'
import { cluster, gateway, httpRoute, listener, parent } from '../facts/cluster.ts'

/** A Gateway that the configuration does not hand over; one of its listeners is closed to other namespaces. */
function clusterWithIt(): FactStore {
  const closed = listener({ name: 'closed', port: 8443, hostname: 'x.a.example.com', allowedRoutes: undefined })
  return cluster(gateway('other', 'envoy', [listener({ hostname: '*.a.example.com' }), closed]))
}

const route = httpRoute({}, { parentRefs: [parent('other', { sectionName: 'https' })] })

function codes(store: FactStore): string {
  const planned = plan(route, store, gateways)
  return planned.outcome === 'deny' ? planned.reasons.map(each => each.code).join(' ') : planned.outcome
}

/** The documents that the refusal asks an administrator to apply. */
function snippet(store: FactStore): KubeObject[] {
  const planned = plan(route, store, gateways)
  if (planned.outcome !== 'deny') throw new Error(planned.outcome)
  return JSON.parse(planned.reasons[0].params.snippet!).items
}

describe('a Gateway that nobody handed over', () => {
  test('is refused with a snippet, and admitted once that is applied as it is', () => {
    const store = clusterWithIt()
    expect(codes(store)).toBe('gateway-open')
    const items = snippet(store)
    expect(items.map(each => each.kind).sort()).toEqual(['ClientTrafficPolicy', 'HTTPRoute', 'SecurityPolicy'])
    for (const item of items) store.put(item)
    expect(codes(store)).toBe('protect')
  })

  type Early = { set: object[]; remove: string[]; removeOnMatch: object[] }
  test.each<[string, string, (early: Early) => Partial<Early>]>([
    ['leaves the lookalikes of headers in', 'gateway-foreign-policy', () => ({ removeOnMatch: [] })],
    [
      'leaves one kind of lookalikes in',
      'gateway-foreign-policy',
      ({ removeOnMatch }) => ({ removeOnMatch: removeOnMatch.slice(1) }),
    ],
    [
      'takes the return address out again',
      'gateway-foreign-policy',
      ({ remove }) => ({ remove: [...remove, 'x-auth-request-redirect'] }),
    ],
    [
      'takes out more',
      'protect',
      ({ remove, removeOnMatch }) => ({
        remove: [...remove, 'x-legacy'],
        removeOnMatch: [{ type: 'Prefix', value: 'x-internal-' }, ...removeOnMatch],
      }),
    ],
  ])('prepared by a policy that %s: %s', (_, expected, change) => {
    const store = clusterWithIt()
    const items = snippet(store)
    const policy = items.find(each => each.kind === 'ClientTrafficPolicy')!
    const { earlyRequestHeaders: early } = (policy.spec as { headers: { earlyRequestHeaders: Early } }).headers
    for (const item of items) store.put(item)
    store.put({
      ...policy,
      spec: { ...(policy.spec as object), headers: { earlyRequestHeaders: { ...early, ...change(early) } } },
    })
    expect(codes(store)).toBe(expected)
  })

  const anchorOf = (store: FactStore) => snippet(store).find(each => each.kind === 'HTTPRoute')!

  test.each<[string, (anchor: KubeObject) => Partial<Record<'metadata' | 'spec', object>>]>([
    ['has our label', ({ metadata }) => ({ metadata: { ...metadata, labels: { 'auth.example/protect': 'true' } } })],
    [
      'is on another section',
      ({ spec }) => ({ spec: { ...(spec as object), parentRefs: [parent('other', { sectionName: 'closed' })] } }),
    ],
    [
      'is under a Service of the name',
      ({ spec }) => ({ spec: { ...(spec as object), parentRefs: [parent('other', { group: '', kind: 'Service' })] } }),
    ],
    [
      'has a host that the listener has not',
      ({ spec }) => ({ spec: { ...(spec as object), hostnames: ['elsewhere.org'] } }),
    ],
  ])('has no anchor in a route that %s', (_, change) => {
    const store = clusterWithIt()
    const anchor = anchorOf(store)
    for (const item of snippet(store)) store.put(item)
    store.put({ ...anchor, ...change(anchor) } as KubeObject)
    expect(codes(store)).toBe('gateway-open')
  })

  test('has no anchor in a namespace that its listener does not take routes from', () => {
    const store = clusterWithIt()
    const moved = (item: KubeObject) => ({ ...item, metadata: { ...item.metadata, namespace: 'elsewhere' } })
    for (const item of snippet(store)) store.put(item.kind === 'ClientTrafficPolicy' ? item : moved(item))
    expect(codes(store)).toBe('protect')
    const selector = { matchLabels: { 'kubernetes.io/metadata.name': 'apps' } }
    const appsOnly = { hostname: '*.a.example.com', allowedRoutes: { namespaces: { from: 'Selector', selector } } }
    store.put(gateway('other', 'envoy', [listener(appsOnly)]))
    expect(codes(store)).toBe('anchor-nowhere')
  })
})
