import { describe, expect, test } from '@jest/globals'
import { defaultConfig } from '../../src/api/config.ts'
import { companionMetadata, companions } from '../../src/core/companions.ts'
import { isRight } from '../../src/core/right.ts'
import type { KubeObject, Scope } from '../../src/core/types.ts'
import { StoredCompanions } from '../../src/facts/companions.ts'
import { FactStore } from '../../src/facts/store.ts'
import { gateways } from '../../src/gateways/index.ts'
import { CLUSTER, config } from './cluster.ts'

const SCOPE: Scope = { of: 'namespace', team: 'team-a', namespace: 'apps' }
const OLD = Date.parse('2026-01-01T00:00:00Z')
const YOUNG = Date.parse('2026-02-01T00:00:00Z')

/** A store that watches companions, and the guards that it waits for, as the API server would give them. */
function watching(now: () => number = () => YOUNG): { store: FactStore; guards: KubeObject[] } {
  const store = new FactStore(config(), new StoredCompanions(gateways, now))
  for (const document of CLUSTER) store.put(document)
  const guards = companions(SCOPE, store, gateways)
    .filter(each => each.guards)
    .map(({ object }) => made(object, OLD))
  return { store, guards }
}

function made(object: KubeObject, at: number, uid = 'a'): KubeObject {
  return { ...object, metadata: { ...object.metadata, uid, creationTimestamp: new Date(at).toISOString() } }
}

describe('the guards of a scope', () => {
  test('are ready when the last of them is there, since the youngest was made', () => {
    const { store, guards } = watching()
    const [first, ...others] = guards
    for (const guard of others) store.put(guard)
    expect(store.readySince(SCOPE)).toBeUndefined()
    store.put(made(first!, YOUNG - 1))
    expect(store.readySince(SCOPE)).toBe(YOUNG - 1)
  })

  test('count from when an object that is seen first says that it was put right', () => {
    const { store, guards } = watching()
    const said = (object: KubeObject, since: string): KubeObject => ({
      ...object,
      metadata: { ...object.metadata, annotations: { 'auth.example/since': since } },
    })
    const [first, second, ...others] = guards
    for (const guard of others) store.put(guard)
    store.put(said(first!, new Date(OLD + 5000).toISOString()))
    store.put(said(second!, new Date(OLD - 5000).toISOString()))
    expect(store.readySince(SCOPE)).toBe(OLD + 5000)
    store.put(said(second!, 'yesterday'))
    expect(store.readySince(SCOPE)).toBe(OLD + 5000)
  })

  test('are not ready while one is not right, and new from when it is again', () => {
    let now = YOUNG
    const { store, guards } = watching(() => now)
    for (const guard of guards) store.put(guard)
    const [first] = guards
    store.put({ ...first!, spec: { ...(first!.spec as object), mergeType: 'StrategicMerge' } })
    expect(store.readySince(SCOPE)).toBeUndefined()
    now += 60_000
    store.put(first!)
    expect(store.readySince(SCOPE)).toBe(YOUNG + 60_000)
  })

  test('are not ready when one is gone, is going, or was taken over by somebody', () => {
    const { store, guards } = watching()
    for (const guard of guards) store.put(guard)
    const [first] = guards
    store.remove(first!)
    expect(store.readySince(SCOPE)).toBeUndefined()
    store.put(first!)
    store.put({ ...first!, metadata: { ...first!.metadata, deletionTimestamp: '2026-03-01T00:00:00Z' } })
    expect(store.readySince(SCOPE)).toBeUndefined()
    store.put({ ...first!, metadata: { ...first!.metadata, labels: {} } })
    expect(store.readySince(SCOPE)).toBeUndefined()
  })

  test.each(['envoy-gateway', 'traefik'] as const)('hold up nobody behind another gateway than %s', broken => {
    const { store, guards } = watching()
    const other = broken === 'traefik' ? 'envoy-gateway' : 'traefik'
    const isBroken = ({ apiVersion }: KubeObject) => apiVersion.startsWith('traefik.io') === (broken === 'traefik')
    for (const guard of guards) store.put(guard)
    const [first] = guards.filter(each => each.kind !== 'ReferenceGrant').filter(isBroken)
    store.put({ ...first!, spec: {} })
    const since = () => [store.readySince(SCOPE, broken), store.readySince(SCOPE, other), store.readySince(SCOPE)]
    expect(since()).toEqual([undefined, OLD, undefined])
    store.put(first!)
    expect(since()).toEqual([YOUNG, OLD, YOUNG])
  })

  test('that are made under our eyes count from then, whatever the clock of the API server said', () => {
    let isCaughtUp = false
    const store = new FactStore(
      config(),
      new StoredCompanions(
        gateways,
        () => YOUNG,
        () => isCaughtUp,
      ),
    )
    for (const document of CLUSTER) store.put(document)
    const [first, ...others] = watching().guards
    for (const guard of others) store.put(guard)
    isCaughtUp = true
    store.put(made(first!, YOUNG - 60_000))
    expect(store.readySince(SCOPE)).toBe(YOUNG)
    store.remove(first!)
    isCaughtUp = false
    store.put(made(first!, YOUNG - 60_000))
    expect(store.readySince(SCOPE)).toBe(YOUNG - 60_000)
  })

  test('that say they are of the future count from when that was noticed, however far our clock was set back', () => {
    let now = YOUNG
    const { store, guards } = watching(() => now)
    for (const guard of guards) store.put(guard)
    const [first, ...others] = guards
    store.put(made(first!, YOUNG - 5000, 'b'))
    expect(store.readySince(SCOPE)).toBe(YOUNG - 5000)
    now = OLD + 10
    expect(store.readySince(SCOPE)).toBe(OLD + 10)
    now += 7000
    for (const guard of others)
      store.put({ ...guard, metadata: { ...guard.metadata, labels: { ...(guard.metadata.labels as object), a: 'b' } } })
    expect(store.readySince(SCOPE)).toBe(OLD + 10)
    now = OLD + 5
    expect(store.readySince(SCOPE)).toBe(OLD + 5)
    now = YOUNG
    expect(store.readySince(SCOPE)).toBe(YOUNG - 5000)
  })

  test('stay ready, and are not looked at again, when only a status changes or the login of a route comes', () => {
    const { store, guards } = watching()
    for (const guard of guards) store.put(guard)
    let looked = 0
    const scopes = gateways.map(each => ({
      ...each,
      companions: (...args: Parameters<typeof each.companions>) => {
        looked++
        return each.companions(...args)
      },
    }))
    const counted = new FactStore(config(), new StoredCompanions(scopes, () => YOUNG))
    for (const document of [...CLUSTER, ...guards]) counted.put(document)
    expect(counted.readySince(SCOPE)).toBe(OLD)
    const before = looked
    for (const document of [...CLUSTER, ...guards]) {
      const metadata = { ...document.metadata, resourceVersion: '8' }
      counted.put({ ...document, metadata, status: { conditions: [] } })
    }
    const login = companionMetadata({ namespace: 'auth', name: 'login' }, 'login', 'route/HTTPRoute/apps/app')
    counted.put({ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata: login, spec: {} })
    expect(counted.readySince(SCOPE)).toBe(OLD)
    expect(looked).toBe(before)
  })

  test('are looked at again when one of them changes, or what they are made of', () => {
    const { store, guards } = watching()
    for (const guard of guards) store.put(guard)
    expect(store.readySince(SCOPE)).toBe(OLD)
    const team = CLUSTER.find(each => each.kind === 'AuthTeam' && each.metadata.name === 'team-a')!
    const proxy = { ...((team.spec as { proxy: object }).proxy as object), service: { namespace: 'auth', name: 'b' } }
    store.put({ ...team, spec: { ...(team.spec as object), proxy } })
    expect(store.readySince(SCOPE)).toBeUndefined()
    store.put(team)
    expect(store.readySince(SCOPE)).toBe(OLD)
  })

  test('stay ready when a route changes', () => {
    const { store, guards } = watching()
    for (const guard of guards) store.put(guard)
    store.put({ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { namespace: 'apps', name: 'x' } })
    expect(store.readySince(SCOPE)).toBe(OLD)
  })
})

describe('an object is right', () => {
  const ours = { a: 1, list: [{ name: 'x' }] }

  test('with defaults of the server', () => {
    expect(isRight({ a: 1, list: [{ name: 'x', group: '', kind: 'Service', weight: 1 }] }, ours)).toBe(true)
  })

  test.each([
    ['another value', { a: 2, list: [{ name: 'x' }] }],
    ['a field that we did not write', { a: 1, list: [{ name: 'x' }], failOpen: true }],
    ['a longer list', { a: 1, list: [{ name: 'x' }, { name: 'y' }] }],
    ['a field less', { list: [{ name: 'x' }] }],
    ['nothing', undefined],
  ])('and not with %s', (_, actual) => {
    expect(isRight(actual, ours)).toBe(false)
  })
})

test('a Gateway that somebody prepared is ready since the youngest of their policies', () => {
  const store = new FactStore(defaultConfig(), new StoredCompanions(gateways, () => YOUNG))
  for (const document of CLUSTER) store.put(document)
  const group = 'gateway.envoyproxy.io/v1alpha1'
  const metadata = (name: string, at: number) => ({
    namespace: 'infra',
    name,
    creationTimestamp: new Date(at).toISOString(),
  })
  const targetRefs = [{ kind: 'Gateway', name: 'envoy' }]
  store.put({
    apiVersion: group,
    kind: 'ClientTrafficPolicy',
    metadata: metadata('clients', YOUNG),
    spec: { targetRefs },
  })
  expect(store.readySince({ of: 'gateway', namespace: 'infra', name: 'envoy' })).toBe(YOUNG)
})
