import { beforeEach, describe, expect, test } from '@jest/globals'
import { type Config, defaultConfig } from '../../src/api/config.ts'
import { companions } from '../../src/core/companions.ts'
import type { Companion, KubeObject } from '../../src/core/types.ts'
import type { Sink } from '../../src/facts/expiry.ts'
import { WatchedFacts } from '../../src/facts/watched.ts'
import { gateways } from '../../src/gateways/index.ts'
import { CLUSTER, config as clusterConfig } from './cluster.ts'

type TestFeed = { sink: Sink; isReady: boolean; stopped: boolean; ready(): boolean; stop(): Promise<void> }

let now: number
/** By how much the time of day is wrong. */
let aheadMs: number
let feeds: TestFeed[]
let facts: WatchedFacts<TestFeed>

function feed(sink: Sink): TestFeed {
  const next: TestFeed = {
    sink,
    isReady: false,
    stopped: false,
    ready: () => next.isReady,
    async stop() {
      next.stopped = true
    },
  }
  feeds.push(next)
  return next
}

const config = (settleSeconds: number): Config => ({ ...defaultConfig(), settleSeconds })
const namespace = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
const later = (ms: number) => {
  now += ms
  facts.tick()
}

const ROUTE = { kind: 'Ingress' as const, namespace: 'shops', name: 'shop' }
const exempt = (until: number) => {
  const spec = { route: ROUTE, hosts: ['shop.example.com'], reason: 'a test', expires: new Date(until).toISOString() }
  const metadata = { name: 'open' }
  return feeds[0]?.sink.put({ apiVersion: 'auth.example/v1alpha1', kind: 'AuthExemption', metadata, spec })
}

beforeEach(() => {
  now = 0
  feeds = []
  aheadMs = 0
  facts = new WatchedFacts({
    config: config(1),
    gateways: [],
    feed,
    now: () => now + aheadMs,
    clock: { now: () => now },
    rebuildEveryMs: 60_000,
  })
})

describe('facts that watches bring', () => {
  test('are there as they come, and ready when the watches are', () => {
    feeds[0]?.sink.put(namespace('shops'))
    expect(facts.store.namespace('shops')).toBeDefined()
    expect(facts.ready()).toBe(false)
    expect(feeds[0]).toBeDefined()
    if (feeds[0] !== undefined) feeds[0].isReady = true
    expect(facts.ready()).toBe(true)
    feeds[0]?.sink.remove(namespace('shops'))
    expect(facts.store.namespace('shops')).toBeUndefined()
  })

  test('are kept by a new configuration until all of them have come again', () => {
    const [first] = feeds as [TestFeed]
    first.isReady = true
    first.sink.put(namespace('shops'))
    now = 60_000
    facts.use(config(2))
    const [, second] = feeds as [TestFeed, TestFeed]
    later(1_000)
    expect(facts.store.config.settleSeconds).toBe(1)
    expect(facts.ready()).toBe(true)
    first.sink.put(namespace('new'))
    expect(facts.store.namespace('new')).toBeDefined()
    second.sink.put(namespace('shops'))
    second.isReady = true
    later(1_000)
    expect(facts.store.config.settleSeconds).toBe(2)
    expect(facts.store.namespace('shops')).toBeDefined()
    expect(facts.feed).toBe(second)
    expect([first.stopped, second.stopped]).toEqual([true, false])
  })

  test('are asked for anew once a minute at most, by the last configuration', () => {
    facts.use(config(2))
    later(59_999)
    facts.use(config(3))
    expect(feeds).toHaveLength(1)
    later(1)
    expect(feeds).toHaveLength(2)
    facts.use(config(4))
    later(30_000)
    expect(feeds).toHaveLength(2)
    later(30_000)
    expect(feeds.map(({ stopped }) => stopped)).toEqual([false, true, false])
    const last = feeds[2] as TestFeed
    last.isReady = true
    later(1_000)
    expect(facts.store.config.settleSeconds).toBe(4)
  })

  test('have guards that come after everything else ready from when they came, by our clock', () => {
    facts = new WatchedFacts({
      ...{ config: clusterConfig(), gateways, feed, rebuildEveryMs: 60_000 },
      now: () => now + aheadMs,
      clock: { now: () => now },
    })
    const sink = feeds[1]?.sink as Sink
    const scope = { of: 'namespace', team: 'team-a', namespace: 'apps' } as const
    for (const document of CLUSTER) sink.put(document)
    const guards = companions(scope, facts.store, gateways).filter(({ guards }) => guards)
    const made = ({ object }: Companion, at: number): KubeObject => ({
      ...object,
      metadata: { ...object.metadata, uid: 'a', creationTimestamp: new Date(at).toISOString() },
    })
    const [first, ...others] = guards as [Companion, ...Companion[]]
    now = 1_000_000
    for (const guard of others) sink.put(made(guard, 0))
    if (feeds[1] !== undefined) feeds[1].isReady = true
    sink.put(made(first, now - 60_000))
    expect(facts.store.readySince(scope)).toBe(now)
  })

  test('follow a new configuration though the time of day was set back by weeks', () => {
    aheadMs = -5 * 7 * 24 * 3_600_000
    later(60_000)
    facts.use(config(2))
    expect(feeds).toHaveLength(2)
  })

  test('lose an exemption when its time is over', () => {
    expect(exempt(5_000)).toEqual([])
    expect(facts.store.exemptions(ROUTE)).toHaveLength(1)
    later(5_000)
    expect(facts.store.exemptions(ROUTE)).toEqual([])
  })

  test('have an exemption again when the clock by which its time was over is put right', () => {
    exempt(60_000)
    aheadMs = 3_600_000
    later(1_000)
    expect(facts.store.exemptions(ROUTE)).toEqual([])
    exempt(60_000)
    expect(facts.store.exemptions(ROUTE)).toEqual([])
    aheadMs = 0
    later(1_000)
    expect(facts.store.exemptions(ROUTE)).toHaveLength(1)
    later(60_000)
    expect(facts.store.exemptions(ROUTE)).toEqual([])
  })

  test('have no exemption that was removed while its time was over', () => {
    exempt(60_000)
    aheadMs = 3_600_000
    later(1_000)
    feeds[0]?.sink.remove({ apiVersion: 'auth.example/v1alpha1', kind: 'AuthExemption', metadata: { name: 'open' } })
    aheadMs = 0
    later(1_000)
    expect(facts.store.exemptions(ROUTE)).toEqual([])
  })

  test('end with all that fills them', async () => {
    now = 60_000
    facts.use(config(2))
    await facts.stop()
    expect(feeds.map(({ stopped }) => stopped)).toEqual([true, true])
  })
})
