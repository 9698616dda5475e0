// A year and more in seconds: whoever holds a leaf of ours is trusted at every moment by whoever may ask it.
import { X509Certificate } from 'node:crypto'
import { beforeEach, describe, expect, test } from '@jest/globals'
import {
  type Authorities,
  authoritiesIn,
  bundleOf,
  MOST,
  readAuthorities,
  writeAuthorities,
} from '../../src/certificates/authorities.ts'
import { createAuthority } from '../../src/certificates/authority.ts'
import { trustedBy } from '../../src/certificates/ca-bundles.ts'
import { sharedLeaf } from '../../src/certificates/follow-shared.ts'
import { Keeper } from '../../src/certificates/keep-authorities.ts'
import { CONFIGURATIONS } from '../../src/certificates/objects.ts'
import { nextStep, ROTATION_TIMES, type RotationTimes, type Step } from '../../src/certificates/rotation.ts'
import type { KubeObject } from '../../src/core/types.ts'
import type { ObjectRef } from '../../src/kube/write.ts'
import { accepts } from './clients.ts'
import { configuration, type MemoryCluster, memoryCluster, NAMESPACE, secret } from './cluster.ts'

const SECOND = 1000
const HOUR = 3600 * SECOND
const DAY = 24 * HOUR
const START = Date.parse('2026-03-01T12:00:00Z')
const log = { info() {}, warn() {}, error() {} }
const NAMES = ['portcullis-webhook.portcullis.svc']

let cluster: MemoryCluster
let now: number
let steps: Step[]
beforeEach(() => {
  cluster = memoryCluster()
  now = START
  steps = []
})

function keeper(times: RotationTimes = ROTATION_TIMES): Keeper {
  const told = { changed: (step: Step) => void steps.push(step), repaired() {}, seen() {} }
  const clock = { now: () => now }
  return new Keeper({
    writer: cluster.writer,
    namespace: NAMESPACE,
    times: () => times,
    now: clock.now,
    clock,
    log,
    told,
  })
}

function replica(times: RotationTimes = ROTATION_TIMES) {
  const used: string[] = []
  const options = { writer: cluster.writer, namespace: NAMESPACE, names: NAMES, times: () => times, log }
  return { ...sharedLeaf({ ...options, use: ({ cert }) => void used.push(cert), now: () => now }), used }
}

const found = () => readAuthorities(cluster.data(), now)
const authorities = () => found().authorities as Authorities
const configurations = () =>
  ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'].flatMap(kind => cluster.get(kind) ?? [])
const bundle = () => trustedBy(configurations())

/** The same numbers in every run. */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0
    const mixed = Math.imul(state ^ (state >>> 12), 0x297a2d39)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
}

describe('over a year and more, with replicas that are cut off for weeks and leaders that follow each other,', () => {
  test.each([
    [365, 500],
    [40, 110],
  ])(
    'every leaf is trusted by every API server, however late it hears (authorities of %i days, for %i)',
    async (life, length) => {
      const random = chance(life)
      const times = { ...ROTATION_TIMES, authorityMs: life * DAY }
      const state = { leader: keeper(times), most: 0, checks: 0, isBusy: false }
      const replicas = Array.from({ length: 2 }, () => ({ ...replica(times), cutOffUntil: 0 }))
      /** What API servers may still have, and until when. */
      let late: { bundle: string; until: number }[] = []
      const check = (current: string) => {
        late = late.filter(each => each.until > now)
        state.most = Math.max(state.most, authoritiesIn(current).length)
        for (const leaf of replicas.flatMap(each => each.current() ?? [])) {
          // Such a replica is not ready, and nobody asks it.
          if (leaf.validToDate.getTime() <= now) continue
          for (const each of new Set([current, ...late.map(({ bundle }) => bundle)])) {
            state.checks++
            if (!accepts(each, leaf, now))
              throw new Error(`${new Date(now).toISOString()}: ${leaf.issuer} is mistrusted`)
          }
        }
      }
      const lead = async () => {
        const before = bundle()
        if (random() < 0.05) state.leader = keeper(times)
        if (random() < 0.8) await state.leader.look()
        if (bundle() !== before) late.push({ bundle: before, until: now + ROTATION_TIMES.overlapMs })
        state.isBusy = authorities().next !== undefined
      }
      const follow = async (each: (typeof replicas)[number]) => {
        if (random() < 0.03) each.cutOffUntil = now + random() * 20 * DAY
        if (each.cutOffUntil < now && random() < 0.7) await each.look()
      }
      await state.leader.look()
      while (now < START + length * DAY) {
        // Slowly where something is under way, in leaps where nothing is.
        now +=
          state.isBusy || late.length > 0 ? 1 + random() * 20 * SECOND : random() * (random() < 0.9 ? 2 * DAY : 5 * DAY)
        await lead()
        for (const each of replicas) await follow(each)
        check(bundle())
      }
      expect(steps.filter(each => each === 'promote').length).toBeGreaterThanOrEqual(2)
      expect(steps.filter(each => each === 'prune').length).toBeGreaterThanOrEqual(2)
      expect(steps.filter(each => each === 'create' || each === 'rewrite')).toEqual(['create'])
      expect(state.most).toBeLessThanOrEqual(MOST)
      expect(state.checks).toBeGreaterThan(200)
    },
    240_000,
  )
})

describe('an authority follows another', () => {
  const past = (days: number) => {
    now = START + days * DAY
  }

  test('after two thirds of a year: published, then signing, then forgotten, and each step waits for the one before', async () => {
    const leader = keeper()
    await leader.look()
    const first = authorities().signing.cert
    past(243)
    await leader.look()
    expect(steps).toEqual(['create'])
    past(244)
    await leader.look()
    expect(authorities()).toMatchObject({ signing: { cert: first }, next: { cert: expect.any(String) } })
    const second = authorities().next?.cert as string
    expect(bundle()).toBe(second + first)
    await leader.look()
    now += 59 * SECOND
    await leader.look()
    expect(authorities().signing.cert).toBe(first)
    now += SECOND
    await leader.look()
    expect(authorities()).toMatchObject({ signing: { cert: second }, since: now, old: [first] })
    past(244 + 7.9)
    await leader.look()
    expect(bundle()).toBe(second + first)
    past(244 + 8.1)
    await leader.look()
    expect(bundle()).toBe(second)
    expect(steps).toEqual(['create', 'publish', 'promote', 'prune'])
  })

  test('waits anew after any look at which an entry had others, or nobody could look', async () => {
    const leader = keeper()
    await leader.look()
    past(300)
    await leader.look()
    const disturb = [
      () => cluster.put(configuration(CONFIGURATIONS[0] as ObjectRef)),
      () => {
        cluster.isAway = true
      },
    ]
    for (const each of disturb) {
      await leader.look()
      now += 50 * SECOND
      each()
      await leader.look()
      cluster.isAway = false
      await leader.look()
      now += 20 * SECOND
      await leader.look()
      expect(authorities().next).toBeDefined()
    }
    now += 60 * SECOND
    await leader.look()
    expect(authorities().next).toBeUndefined()
  })

  test('signs, however often somebody overwrites whom to trust, before what the one before signed ends', async () => {
    const leader = keeper()
    await leader.look()
    const own = replica()
    past(300)
    while (authorities().next === undefined) await leader.look()
    const end = () => new X509Certificate(authorities().signing.cert).validToDate.getTime()
    const first = end()
    for (; end() === first && now < first; now += 4 * HOUR) {
      cluster.put(configuration(CONFIGURATIONS[0] as ObjectRef))
      for (let i = 0; i < 3; i++) await leader.look()
      await own.look()
    }
    expect(steps).toEqual(['create', 'publish', 'promote'])
    expect(first - now).toBeLessThan(3 * DAY)
    expect(first - now).toBeGreaterThan(2 * DAY)
    now += 10 * SECOND
    await own.look()
    expect(own.current()?.validToDate.getTime()).toBeGreaterThan(first)
  }, 60_000)

  test('does not sign where an entry lost it since the last look', async () => {
    const leader = keeper()
    await leader.look()
    past(300)
    for (let i = 0; i < 2; i++) await leader.look()
    now += 61 * SECOND
    cluster.put(configuration(CONFIGURATIONS[1] as ObjectRef))
    await leader.look()
    expect(steps).toEqual(['create', 'publish'])
  })

  test('leaves the last leaf of the one before trusted to its end, though its replica hears of nothing any more', async () => {
    const leader = keeper()
    await leader.look()
    past(250)
    for (let i = 0; i < 2; i++) await leader.look()
    now += 60 * SECOND
    const cutOff = replica()
    await cutOff.look()
    await leader.look()
    expect(steps.at(-1)).toBe('promote')
    const leaf = cutOff.current() as X509Certificate
    for (now += HOUR; now < leaf.validToDate.getTime(); now += 4 * HOUR) {
      await leader.look()
      expect(accepts(bundle(), leaf, now)).toBe(true)
    }
    for (let i = 0; i < 10; now += 6 * HOUR, i++) await leader.look()
    expect(steps.at(-1)).toBe('prune')
  })

  test('does not wait for configurations that somebody took out: then nobody is asked', async () => {
    const leader = keeper()
    await leader.look()
    for (const { kind } of configurations()) cluster.remove(kind)
    past(300)
    for (let i = 0; i < 3; i++) {
      await leader.look()
      now += 61 * SECOND
    }
    expect(steps).toEqual(['create', 'publish', 'promote'])
  })
})

describe('the Secret, whatever somebody did to it,', () => {
  const good = async () => {
    const leader = keeper()
    await leader.look()
    now += 300 * DAY
    await leader.look()
    return { leader, before: authorities() }
  }

  test('is made anew where it is gone, and what clients trusted they trust still', async () => {
    const { leader, before } = await good()
    const each = replica()
    await each.look()
    cluster.remove('Secret')
    await each.look()
    await leader.look()
    expect(accepts(bundle(), each.current() as X509Certificate, now)).toBe(true)
    expect([before.signing.cert, before.next?.cert]).not.toContain(authorities().signing.cert)
    await each.look()
    expect(each.used).toHaveLength(1)
    now += 5 * SECOND
    await each.look()
    expect(each.current()?.issuer).toBe(new X509Certificate(authorities().signing.cert).subject)
    expect(each.problem()).toBeUndefined()
  })

  const rubbish = Buffer.from('rubbish').toString('base64')
  test.each<[string, (data: Record<string, string>) => object | undefined]>([
    ['nothing', () => undefined],
    ['an empty map', () => ({})],
    ['rubbish in every key', data => Object.fromEntries(Object.keys(data).map(key => [key, rubbish]))],
    ['no key of the one that signs, and none of the next', ({ 'signing.key': _, 'next.key': __, ...rest }) => rest],
    [
      'the keys of the two exchanged',
      data => ({ ...data, 'signing.key': data['next.key'], 'next.key': data['signing.key'] }),
    ],
    [
      'half a certificate',
      data => ({ ...data, 'signing.crt': data['signing.crt']?.slice(0, 200), 'next.crt': rubbish }),
    ],
  ])('is made anew in one go where it has %s', async (_, change) => {
    const { leader, before } = await good()
    const { data: __, ...rest } = secret({})
    const changed = change(cluster.data() as Record<string, string>)
    cluster.put(changed === undefined ? (rest as KubeObject) : secret(changed))
    const writes = cluster.writes.length
    await leader.look()
    expect(cluster.writes.slice(writes).map(({ kind }) => kind)).toEqual([
      'MutatingWebhookConfiguration',
      'ValidatingWebhookConfiguration',
      'Secret',
    ])
    expect(found().isWhole).toBe(true)
    expect(bundle()).toContain(before.signing.cert)
    expect(bundle()).toBe(bundleOf(authorities()))
    expect(authorities().old.length).toBeLessThan(MOST)
  })

  test.each<[string, (data: Record<string, string>) => object]>([
    ['rubbish for the next one', data => ({ ...data, 'next.crt': rubbish })],
    ['a moment that is none', data => ({ ...data, 'signing.since': rubbish })],
    ['a key that nobody knows', data => ({ ...data, more: rubbish })],
    ['rubbish for the one that signs', data => ({ ...data, 'signing.key': rubbish })],
    ['rubbish for old ones', data => ({ ...data, 'old.crt': rubbish })],
  ])('is put right where it has %s, and what can sign still does', async (_, change) => {
    const { leader, before } = await good()
    cluster.put(secret(change(cluster.data() as Record<string, string>)))
    await leader.look()
    expect(steps.slice(2)).toContain('rewrite')
    expect(steps.filter(step => step === 'create')).toHaveLength(1)
    expect([before.signing.cert, before.next?.cert]).toContain(authorities().signing.cert)
    expect(bundle()).toContain(before.signing.cert)
  })

  test('that nobody can change is replaced', async () => {
    const { leader } = await good()
    cluster.put({ ...secret({}), immutable: true })
    await leader.look()
    expect(found().isWhole).toBe(true)
    expect(cluster.get('Secret')?.immutable).toBeUndefined()
  })

  test.each([
    ['that may not be written', { outcome: 'refused', status: 403, message: 'exceeded quota' } as const],
    ['that others write again and again', { outcome: 'conflict' } as const],
  ])('%s costs no server its trust, however long that lasts', async (_, answer) => {
    const { leader } = await good()
    const server = replica()
    await server.look()
    const { patch } = cluster.writer
    Object.assign(cluster.writer, {
      patch: (...args: Parameters<typeof patch>) =>
        args[0].kind === 'Secret' ? Promise.resolve(answer) : patch(...args),
    })
    cluster.put(secret({}))
    for (let looks = 0; looks < 10; looks++) {
      await leader.look()
      now += 8 * SECOND
      expect(accepts(bundle(), server.current() as X509Certificate, now)).toBe(true)
    }
    Object.assign(cluster.writer, { patch })
    await leader.look()
    expect(found().isWhole).toBe(true)
    expect(accepts(bundle(), server.current() as X509Certificate, now)).toBe(true)
  })

  test('that nobody can change, and that does not go either, costs no server its trust', async () => {
    const { leader } = await good()
    const server = replica()
    await server.look()
    const { remove } = cluster.writer
    const held = { ...secret({}), immutable: true }
    const going = { ...held, metadata: { ...held.metadata, deletionTimestamp: '2026-03-01T12:00:00Z' } }
    const removed = async () => {
      cluster.put(going)
      return { outcome: 'done', object: going } as const
    }
    Object.assign(cluster.writer, { remove: removed })
    cluster.put(held)
    for (let looks = 0; looks < 5; looks++) await leader.look()
    expect(steps.length).toBeLessThan(4)
    expect(accepts(bundle(), server.current() as X509Certificate, now)).toBe(true)
    Object.assign(cluster.writer, { remove })
  })

  test('with the authority of another curve, or that is none, is made anew', async () => {
    const { leader } = await good()
    const other = await createAuthority(new Date(now - 400 * DAY))
    cluster.put(secret(writeAuthorities({ signing: other, since: now, old: [] })))
    await leader.look()
    expect(authorities().signing.cert).not.toBe(other.cert)
  })

  test('is not made anew while nobody can say whom clients trust', async () => {
    const { leader } = await good()
    cluster.remove('Secret')
    const get = cluster.writer.get
    const refused = { outcome: 'refused', status: 403, message: 'no right' } as const
    Object.assign(cluster.writer, {
      get: (ref: Parameters<typeof get>[0]) => (ref.kind === 'Secret' ? get(ref) : Promise.resolve(refused)),
    })
    await leader.look()
    expect(cluster.data()).toBeUndefined()
  })
})

describe('what the API server trusts', () => {
  test('is written where it differs, field by field, and nowhere else', async () => {
    const leader = keeper()
    await leader.look()
    const [first] = configurations() as [KubeObject & { webhooks: object[] }]
    cluster.put({ ...first, webhooks: [first.webhooks[0] as object, { name: 'b', clientConfig: { url: 'x' } }] })
    const writes = cluster.writes.length
    await leader.look()
    const [written, ...more] = cluster.writes.slice(writes)
    expect(more).toEqual([])
    expect(written).toMatchObject({ kind: first.kind, operations: [{ path: '/webhooks/1/clientConfig/caBundle' }] })
    await leader.look()
    expect(cluster.writes).toHaveLength(writes + 1)
  })
})

describe('a clock that jumps', () => {
  test('a year ahead and back leaves a Secret that signs, and a replica that is trusted', async () => {
    const leader = keeper()
    const each = replica()
    await leader.look()
    await each.look()
    for (const jump of [366 * DAY, -366 * DAY, -2 * HOUR, 3 * DAY]) {
      now += jump
      await leader.look()
      await each.look()
      expect(accepts(bundle(), each.current() as X509Certificate, now)).toBe(true)
      expect(each.problem()).toBeUndefined()
    }
  })

  test('by half an hour changes nothing', async () => {
    const leader = keeper()
    await leader.look()
    now -= HOUR / 2
    await leader.look()
    expect(nextStep(found(), now, 0, ROTATION_TIMES)).toBeUndefined()
    expect(steps).toEqual(['create'])
  })
})
