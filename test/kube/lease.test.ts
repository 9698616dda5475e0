// Leadership over minutes and hours, on a clock that a test turns. With a real API server and real processes, it is in
// test/integration/lease.test.ts.
import { expect, jest, test } from '@jest/globals'
import fc from 'fast-check'
import { LEASE_TIMES } from '../../src/kube/lease-record.ts'
import { type Contender, contend, type Fault, leaseServer } from './leases.ts'
import { fakeClock } from './time.ts'

// Turns of an event loop, of which a busy machine gives few.
jest.setTimeout(60_000)

const { durationMs, deadlineMs, retryMs } = LEASE_TIMES

function setting(...names: string[]) {
  const clock = fakeClock()
  const server = leaseServer(clock)
  const all = names.map(name => contend(clock, server, name))
  const leaders = () => all.filter(({ isPaused, lease }) => !isPaused && lease.isLeader())
  /** Until then nobody has led together with another; gives after how long somebody who counts led. */
  const untilLed = async (longestMs: number, by: readonly Contender[] = all): Promise<number> => {
    for (let ms = 0; ms <= longestMs; ms += 100) {
      expect(leaders().length).toBeLessThanOrEqual(1)
      if (by.some(({ lease }) => lease.isLeader())) return ms
      await clock.pass(100)
    }
    throw new Error(`nobody has led within ${longestMs} ms: ${JSON.stringify(all.map(({ logged }) => logged))}`)
  }
  const leading = async (): Promise<{ leader: Contender; others: Contender[] }> => {
    await untilLed(60_000)
    const leader = leaders()[0] as Contender
    return { leader, others: all.filter(each => each !== leader) }
  }
  return { clock, server, all, leaders, untilLed, leading }
}

test('of several that begin at once, one leads, and the others stay away for hours', async () => {
  const { clock, server, all, leading, leaders } = setting('a', 'b', 'c')
  const { leader } = await leading()
  for (let minute = 0; minute < 120; minute++) {
    await clock.pass(60_000)
    expect(leaders()).toEqual([leader])
  }
  expect(all.map(({ terms }) => terms.length).sort()).toEqual([0, 0, 1])
  expect(new Set(server.log.map(line => line.split(' ')[1])).size).toBe(1)
  expect(all.map(({ lease }) => lease.holder())).toEqual(Array(3).fill(server.lease?.spec.holderIdentity))
})

test('while one leads the others ask for next to nothing, and hear of each of its renewals', async () => {
  const { clock, server, all, leading } = setting('a', 'b', 'c')
  const { leader } = await leading()
  await clock.pass(60_000)
  const from = server.asked.length
  await clock.pass(3_600_000)
  const count = (what: string) => server.asked.slice(from).filter(each => each === what).length
  const line = ['PATCH', 'GET', 'list', 'watch'].map(each => `${count(each)} ${each}`).join(', ')
  process.stdout.write(`one leads and two wait for an hour: ${line}\n`)
  expect(count('PATCH')).toBeGreaterThan(1700)
  expect(count('GET')).toBeLessThan(10)
  expect(count('list')).toBe(0)
  expect(count('watch')).toBeLessThan(100)
  expect(new Set(all.map(({ lease }) => lease.holder())).size).toBe(1)
  expect(leader.changes).toEqual([true])
})

test('who hears nothing of the Lease any more reads it, and takes none that is renewed', async () => {
  const { clock, server, all, leading } = setting('a', 'b')
  const { leader, others } = await leading()
  await clock.pass(60_000)
  server.isSilent = true
  const from = server.asked.length
  await clock.pass(600_000)
  expect(server.asked.slice(from).filter(each => each === 'GET').length).toBeGreaterThan(200)
  expect(all.map(({ terms }) => terms.length).sort()).toEqual([0, 1])
  await leader.lease.stop()
  await clock.pass(3000)
  expect(others[0]?.lease.isLeader()).toBe(true)
})

test('a leader that stops lets the next begin within three seconds, and its work has ended by then', async () => {
  const { clock, untilLed, leading } = setting('a', 'b')
  const { leader, others } = await leading()
  const stopped = leader.lease.stop()
  expect(leader.lease.isLeader()).toBe(false)
  expect(leader.terms[0]?.term.signal.aborted).toBe(true)
  const ms = await untilLed(3000, others)
  process.stdout.write(`taken over ${ms} ms after a release\n`)
  await clock.pass(1)
  await stopped
})

test.each<Fault>([
  'refused',
  'hangs',
  'lost',
  'overloaded',
])('a leader whose renewals are %s stops at its deadline, long before another begins', async fault => {
  const { clock, untilLed, leading } = setting('a', 'b')
  const { leader, others } = await leading()
  await clock.pass(60_000)
  leader.fault = fault
  const from = clock.now()
  let stoppedAt = 0
  leader.terms[0]?.term.signal.addEventListener('abort', () => {
    stoppedAt = clock.now()
  })
  const took = await untilLed(60_000, others)
  process.stdout.write(`renewals ${fault}: stopped after ${stoppedAt - from} ms, taken over after ${took} ms\n`)
  expect(stoppedAt - from).toBeLessThanOrEqual(deadlineMs)
  expect(leader.changes).toEqual([true, false])
  // Where renewals arrive and only their answers are lost, others see them until the leader stops.
  const seen = fault === 'lost' ? deadlineMs + durationMs : durationMs
  expect(took).toBeLessThanOrEqual(seen + 2 * 1.2 * retryMs)
  expect(from + took - stoppedAt).toBeGreaterThan((durationMs - deadlineMs) / 2)
})

test('one failed renewal, or two, end nothing', async () => {
  const { clock, leading } = setting('a', 'b')
  const { leader } = await leading()
  for (const fault of ['hangs', 'refused', 'lost', 'overloaded', 'slow'] as const) {
    await clock.pass(30_000)
    leader.fault = fault
    await clock.pass(retryMs + 500)
    leader.fault = 'none'
  }
  await clock.pass(60_000)
  expect(leader.changes).toEqual([true])
})

test('a process that was paused learns that its term is over when it asks, before any timer has run', async () => {
  const { clock, leading } = setting('a', 'b')
  const { leader } = await leading()
  const term = leader.terms[0]?.term
  leader.pause()
  await clock.pass(deadlineMs)
  leader.goOn()
  expect(term?.signal.aborted).toBe(false)
  expect(term?.holds()).toBe(false)
  expect(leader.lease.isLeader()).toBe(false)
  expect(term?.signal.aborted).toBe(true)
})

test('a renewal that was under way during the pause does not bring the term back', async () => {
  const { clock, leading } = setting('a', 'b')
  const { leader } = await leading()
  leader.fault = 'slow'
  // Under way now.
  await clock.pass(retryMs + 100)
  leader.pause()
  await clock.pass(30_000)
  leader.goOn()
  leader.catchUp()
  await clock.pass(10)
  expect(leader.terms.length).toBe(1)
  expect(leader.terms[0]?.term.signal.aborted).toBe(true)
})

test('an answer that comes after the term would be over begins none', async () => {
  const clock = fakeClock()
  const server = leaseServer(clock)
  const contender = contend(clock, server, 'a')
  await clock.pass(1.5 * retryMs)
  contender.fault = 'slow'
  for (let ms = 0; ms < 20_000 && server.lease === undefined; ms += 100) await clock.pass(100)
  contender.pause()
  await clock.pass(30_000)
  contender.goOn()
  contender.catchUp()
  await clock.pass(10)
  expect(server.lease?.spec.holderIdentity).toBe('a')
  expect(contender.terms.length).toBe(0)
  contender.fault = 'none'
  await clock.pass(10_000)
  expect(contender.terms.length).toBe(1)
})

test('a Lease that is deleted is made again by the leader, which goes on', async () => {
  const { clock, server, leading, leaders } = setting('a', 'b', 'c')
  const { leader } = await leading()
  for (let i = 0; i < 5; i++) {
    await clock.pass(10_000)
    server.lease = undefined
    const fresh = contend(clock, server, `fresh-${i}`)
    await clock.pass(20_000)
    expect(fresh.terms.length).toBe(0)
  }
  expect(leaders()).toEqual([leader])
  expect(leader.changes).toEqual([true])
})

test('a Lease of which somebody took the holder out by hand goes back to the leader', async () => {
  const { clock, server, leading, leaders } = setting('a', 'b')
  const { leader } = await leading()
  edit(server, { holderIdentity: '' })
  await clock.pass(30_000)
  edit(server, { holderIdentity: undefined, renewTime: 'yesterday' })
  await clock.pass(30_000)
  expect(leaders()).toEqual([leader])
  expect(leader.changes).toEqual([true])
})

test('a leader that reads another holder stops at once, and somebody leads again within 20 seconds', async () => {
  const { clock, server, all, leading, untilLed } = setting('a', 'b')
  const { leader } = await leading()
  edit(server, { holderIdentity: 'somebody', leaseDurationSeconds: 1_000_000 })
  await clock.pass(retryMs + 100)
  expect(leader.changes).toEqual([true, false])
  const ms = await untilLed(20_000)
  process.stdout.write(`somebody leads ${ms + retryMs} ms after a strange holder was written\n`)
  expect(server.lease?.spec).toMatchObject({ leaseDurationSeconds: 15, leaseTransitions: 1 })
  expect(all.map(({ lease }) => lease.holder())).toContain(server.lease?.spec.holderIdentity)
})

test('what others put on the Lease stays, and ends nothing', async () => {
  const { clock, server, leading } = setting('a', 'b')
  const { leader } = await leading()
  Object.assign(server.lease?.metadata ?? {}, { labels: { theirs: 'yes' } })
  edit(server, { strategy: 'OldestEmulationVersion' })
  await clock.pass(30_000)
  expect(server.lease).toMatchObject({ metadata: { labels: { theirs: 'yes' } }, spec: { strategy: /./ } })
  expect(leader.changes).toEqual([true])
})

test('times of day that are hours away from each other change nothing', async () => {
  const clock = fakeClock()
  const server = leaseServer(clock)
  const at = (hours: number) => ({ date: () => new Date(clock.now() + hours * 3_600_000) })
  const all = [contend(clock, server, 'a', at(-10)), contend(clock, server, 'b', at(20)), contend(clock, server, 'c')]
  await clock.pass(600_000)
  expect(all.map(({ terms }) => terms.length).sort()).toEqual([0, 0, 1])
})

test('work that does not end when it is told to keeps its process from leading, and others are not kept', async () => {
  const clock = fakeClock()
  const server = leaseServer(clock)
  let running = 0
  let mostRunning = 0
  const work = () =>
    new Promise<void>(() => {
      running++
      mostRunning = Math.max(mostRunning, running)
    })
  const stubborn = contend(clock, server, 'stubborn', { work })
  await clock.pass(10_000)
  expect(stubborn.lease.isLeader()).toBe(true)
  const other = contend(clock, server, 'other')
  stubborn.fault = 'refused'
  await clock.pass(30_000)
  expect(other.lease.isLeader()).toBe(true)
  stubborn.fault = 'none'
  await other.lease.stop()
  await clock.pass(60_000)
  expect(stubborn.lease.isLeader()).toBe(false)
  expect(server.lease?.spec.holderIdentity).toBe('')
  expect(mostRunning).toBe(1)
})

test('a shutdown does not wait for such work, and gives nothing back before the term would be over', async () => {
  const clock = fakeClock()
  const server = leaseServer(clock)
  const stubborn = contend(clock, server, 'stubborn', { work: () => new Promise(() => {}) })
  await clock.pass(10_000)
  const stopped = stubborn.lease.stop()
  await clock.pass(deadlineMs)
  await stopped
  expect(server.lease?.spec.holderIdentity).toBe('stubborn')
})

test('work that fails is given up and begun again, and the failure is told', async () => {
  const clock = fakeClock()
  const server = leaseServer(clock)
  let begun = 0
  const work = () => {
    begun++
    throw new Error('the work is broken')
  }
  const broken = contend(clock, server, 'broken', { work })
  await clock.pass(20_000)
  expect(begun).toBeGreaterThan(2)
  expect(begun).toBeLessThan(12)
  expect(broken.logged.join()).toContain('the work of the leader failed')
  await broken.lease.stop()
  expect(server.lease?.spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 })
})

const fault = fc.constantFrom<Fault>('none', 'none', 'none', 'refused', 'hangs', 'lost', 'overloaded', 'slow')
const happening = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('fault' as const), who: fc.nat(2), fault }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('pause' as const, 'goOn' as const), who: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('label' as const) }) },
)

test('whatever happens to connections and processes, never do two lead; afterwards one does', async () => {
  let terms = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(happening, fc.integer({ min: 100, max: 20_000 })), { minLength: 10, maxLength: 30 }),
      async happenings => {
        const { clock, server, all, leaders, untilLed } = setting('a', 'b', 'c')
        for (const [what, ms] of happenings) {
          if (what.do === 'fault') (all[what.who] as Contender).fault = what.fault
          if (what.do === 'pause') all[what.who]?.pause()
          if (what.do === 'goOn') goOn(all[what.who] as Contender, leaders)
          if (what.do === 'label' && server.lease !== undefined) edit(server, {})
          for (let passed = 0; passed < ms; passed += 500) {
            await clock.pass(500)
            expect(leaders().length).toBeLessThanOrEqual(1)
          }
        }
        for (const each of all) {
          each.fault = 'none'
          goOn(each, leaders)
        }
        await untilLed(40_000)
        terms += all.reduce((sum, each) => sum + each.terms.length, 0)
      },
    ),
    { numRuns: 60 },
  )
  process.stdout.write(`${terms} terms in 60 histories\n`)
}, 120_000)

/** What it does first, before any timer of it, is to ask whether it leads. */
function goOn(contender: Contender, leaders: () => readonly Contender[]): void {
  contender.goOn()
  expect(leaders().length).toBeLessThanOrEqual(1)
  contender.catchUp()
}

function edit(server: ReturnType<typeof leaseServer>, spec: Record<string, unknown>): void {
  const { lease } = server
  if (lease === undefined) throw new Error('no Lease to edit')
  // Not one that the server will give.
  const resourceVersion = `${lease.metadata.resourceVersion}0`
  server.lease = { ...lease, metadata: { ...lease.metadata, resourceVersion }, spec: { ...lease.spec, ...spec } }
}
