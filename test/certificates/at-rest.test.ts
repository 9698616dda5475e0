// A leader and three replicas that go on by themselves: what they ask for while nothing happens, and that they notice at once
// what does, on a clock and at a time of day that the test turns.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { type Authorities, bundleOf, readAuthorities } from '../../src/certificates/authorities.ts'
import { trustedBy } from '../../src/certificates/ca-bundles.ts'
import { followShared } from '../../src/certificates/follow-shared.ts'
import { keepAuthorities } from '../../src/certificates/keep-authorities.ts'
import { BACKSTOP_MS, TURN_MS } from '../../src/certificates/lookout.ts'
import { CONFIGURATIONS } from '../../src/certificates/objects.ts'
import { ROTATION_TIMES, type Step } from '../../src/certificates/rotation.ts'
import type { ObjectRef } from '../../src/kube/write.ts'
import { type FakeClock, fakeClock } from '../kube/time.ts'
import { configuration, type MemoryCluster, memoryCluster, NAMESPACE } from './cluster.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const REPLICAS = 3
const log = { info() {}, warn() {}, error() {} }

let cluster: MemoryCluster
let clock: FakeClock
/** The time of day. */
let today: number
let steps: Step[]
let used: string[][]
let ends: (() => unknown)[]

beforeEach(async () => {
  cluster = memoryCluster()
  clock = fakeClock()
  today = Date.now()
  steps = []
  used = Array.from({ length: REPLICAS }, () => [])
  ends = []
  const common = {
    ...{ writer: cluster.writer, namespace: NAMESPACE, watch: cluster.watch, times: () => ROTATION_TIMES },
    ...{ clock, random: () => 0.5, now: () => today, log },
  }
  const told = { changed: (step: Step) => void steps.push(step), repaired() {}, seen() {} }
  const leader = keepAuthorities({ ...common, told })
  ends.push(leader.stop)
  await soon(() => cluster.data() !== undefined)
  for (const certs of used) {
    const names = ['portcullis-webhook.portcullis.svc']
    const replica = await followShared({ ...common, names, use: ({ cert }) => void certs.push(cert) })
    ends.push(replica.stop)
  }
  await turns(5)
  await soon(() => isRight() && used.every(certs => certs.length === 1))
}, 60_000)

afterEach(async () => {
  for (const end of ends) await end()
})

/** Keys are made meanwhile, in real time. */
async function soon(holds: () => boolean): Promise<void> {
  for (let i = 0; !holds(); i++) {
    if (i === 3_000) throw new Error(`not so: ${holds}`)
    await sleep(10)
  }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await clock.pass(TURN_MS)
    await sleep(20)
  }
}

const authorities = () => readAuthorities(cluster.data(), today).authorities as Authorities
const isRight = () => {
  const bundle = bundleOf(authorities())
  return CONFIGURATIONS.every(
    ({ kind }) => trustedBy([cluster.get(kind) ?? configuration({ kind } as ObjectRef)]) === bundle,
  )
}

test('in an hour of rest they read each of their objects about once a minute, and write nothing', async () => {
  const [reads, writes] = [cluster.reads.length, cluster.writes.length]
  await clock.pass(HOUR)
  const counts = Object.entries(Object.groupBy(cluster.reads.slice(reads), kind => kind))
  const perMinute = counts.map(([kind, all = []]) => `${(all.length / 60).toFixed(2)} ${kind}`)
  process.stdout.write(`reads a minute of a leader and ${REPLICAS} replicas at rest: ${perMinute.join(', ')}\n`)
  const most = HOUR / BACKSTOP_MS + 1
  for (const [kind, all = []] of counts) {
    expect(all.length).toBeLessThanOrEqual(most * (kind === 'Secret' ? 1 + REPLICAS : 1))
  }
  expect(counts.map(([kind]) => kind).sort()).toEqual(['Secret', ...CONFIGURATIONS.map(({ kind }) => kind)].sort())
  expect(cluster.writes).toHaveLength(writes)
}, 60_000)

test('what somebody overwrites is right again at once, and a change a millisecond is answered every two seconds', async () => {
  const other = configuration(CONFIGURATIONS[0] as ObjectRef)
  cluster.put(other)
  await clock.pass(0)
  await soon(isRight)
  const writes = cluster.writes.length
  for (let i = 0; i < 1000; i++) {
    cluster.put(other)
    await clock.pass(10)
  }
  expect(cluster.writes.length - writes).toBeLessThanOrEqual(2 + 10_000 / TURN_MS)
  await clock.pass(TURN_MS)
  await soon(isRight)
}, 60_000)

test('a Secret that is gone is made again at once, and all replicas follow', async () => {
  cluster.remove('Secret')
  await clock.pass(0)
  await soon(() => cluster.data() !== undefined && isRight())
  today += 6_000
  await turns(3)
  await soon(() => used.every(certs => certs.length === 2))
}, 60_000)

test('what is due by the time of day is done though nothing says so: a leaf, an authority, and where the time leaps', async () => {
  for (const certs of used) expect(certs).toHaveLength(1)
  today += 5 * DAY
  await turns(2)
  await soon(() => used.every(certs => certs.length === 2))
  today += 300 * DAY
  await turns(2)
  await soon(() => steps.includes('publish'))
  expect(steps).not.toContain('promote')
  await turns(ROTATION_TIMES.overlapMs / TURN_MS + 3)
  expect(steps.at(-1)).toBe('promote')
  today += 9 * DAY
  await turns(2)
  await soon(() => steps.at(-1) === 'prune' && isRight())
}, 60_000)
