// The controller's queue: what is asked twice is done once, what fails is tried again, and never two at a time.
import { describe, expect, test } from '@jest/globals'
import { type Outcome, Queue, SETTLED } from '../../../src/controller/queue/queue.ts'
import { fakeClock } from '../../kube/time.ts'

type Work = (key: string) => Promise<Outcome>

function queueOf(work: Work, workers = 2) {
  const clock = fakeClock()
  const faults: unknown[] = []
  const fault = (error: unknown) => faults.push(error)
  const queue = new Queue<string>({ text: key => key, work, fault, workers, clock, random: () => 0 })
  return { queue, clock, faults }
}

/** Lets what has been promised happen. */
const turn = () => new Promise<void>(resolve => setImmediate(resolve))

describe('the queue', () => {
  test('does once what is asked for several times before it is begun', async () => {
    const done: string[] = []
    const { queue, clock } = queueOf(async key => {
      done.push(key)
      return SETTLED
    })
    queue.add('a', 100)
    queue.add('a', 100)
    queue.add('b', 100)
    expect(queue.depth).toBe(2)
    await clock.pass(100)
    await turn()
    expect(done).toEqual(['a', 'b'])
    expect(queue.depth).toBe(0)
  })

  test('does at once what is asked for at once, although it was put off before', async () => {
    const done: string[] = []
    const { queue, clock } = queueOf(async key => {
      done.push(key)
      return SETTLED
    })
    queue.add('a', 2000)
    queue.add('a')
    await turn()
    expect(done).toEqual(['a'])
    await clock.pass(5000)
    await turn()
    expect(done).toEqual(['a'])
  })

  test('does again what is asked for while it is under way, and never twice at a time', async () => {
    const ends: (() => void)[] = []
    let most = 0
    let running = 0
    const { queue } = queueOf(async () => {
      most = Math.max(most, ++running)
      await new Promise<void>(resolve => ends.push(resolve))
      running--
      return SETTLED
    })
    queue.add('a')
    queue.add('a')
    queue.add('a')
    await turn()
    expect(ends).toHaveLength(1)
    ends[0]?.()
    await turn()
    expect(ends).toHaveLength(2)
    ends[1]?.()
    await turn()
    expect({ most, depth: queue.depth, times: ends.length }).toEqual({ most: 1, depth: 0, times: 2 })
  })

  test('takes up what can wait when nothing else is due, unless somebody asks who cannot', async () => {
    const done: string[] = []
    const ends: (() => void)[] = []
    const { queue } = queueOf(async key => {
      done.push(key)
      await new Promise<void>(resolve => ends.push(resolve))
      return SETTLED
    }, 1)
    queue.add('first')
    for (const key of ['patient', 'urgent after all', 'more patient']) queue.add(key, 0, true)
    queue.add('urgent')
    queue.add('urgent after all')
    // It cannot wait because it can for somebody else, too.
    queue.add('urgent', 0, true)
    for (let ended = 0; ended < 5; ended++) {
      ends[ended]?.()
      await turn()
    }
    expect(done).toEqual(['first', 'urgent', 'urgent after all', 'patient', 'more patient'])
    expect(queue.depth).toBe(0)
  })

  test('lets nothing wait any more that was put off with patience and then is broken', async () => {
    const done: string[] = []
    const { queue, clock } = queueOf(async key => {
      done.push(key)
      return SETTLED
    }, 1)
    queue.add('a', 2000, true)
    queue.add('b', 2000, true)
    queue.add('b', 3000)
    await clock.pass(2000)
    await turn()
    expect(done).toEqual(['a', 'b'])
    expect(queue.depth).toBe(0)
  })

  test('has no more under way than there are workers, and goes on with the next', async () => {
    const ends = new Map<string, () => void>()
    const { queue } = queueOf(async key => {
      await new Promise<void>(resolve => ends.set(key, resolve))
      return SETTLED
    })
    for (const key of ['a', 'b', 'c']) queue.add(key)
    await turn()
    expect([...ends.keys()]).toEqual(['a', 'b'])
    ends.get('b')?.()
    await turn()
    expect([...ends.keys()]).toEqual(['a', 'b', 'c'])
  })

  test('tries again what failed, after pauses that grow to a minute and begin anew once it went well', async () => {
    let times = 0
    let fails = true
    const { queue, clock } = queueOf(async () => {
      times++
      return fails ? { outcome: 'failed' } : SETTLED
    })
    queue.add('a')
    const pauses: number[] = []
    for (let i = 0; i < 12; i++) {
      await turn()
      const before = times
      let waited = 0
      while (times === before) {
        await clock.pass(25)
        waited += 25
        await turn()
      }
      pauses.push(waited)
    }
    // The shortest that jitter makes of 100 ms, 200 ms, …
    expect(pauses).toEqual([50, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000])
    fails = false
    await clock.pass(60_000)
    await turn()
    expect(queue.depth).toBe(0)
  })

  test('waits as long as it is told to where that is longer', async () => {
    let times = 0
    const { queue, clock } = queueOf(async () => {
      times++
      return { outcome: 'failed', afterMs: 5000 }
    })
    queue.add('a')
    await turn()
    await clock.pass(4999)
    await turn()
    expect(times).toBe(1)
    await clock.pass(1)
    await turn()
    expect(times).toBe(2)
  })

  test('tells a fault of ours, and tries again all the same', async () => {
    let times = 0
    const { queue, clock, faults } = queueOf(async () => {
      if (times++ === 0) throw new Error('ours')
      return SETTLED
    })
    queue.add('a')
    await turn()
    expect(faults).toEqual([new Error('ours')])
    await clock.pass(100)
    await turn()
    expect({ times, depth: queue.depth }).toEqual({ times: 2, depth: 0 })
  })

  test('stopped, begins nothing any more and waits for what is under way', async () => {
    const begun: string[] = []
    let end: () => void = () => undefined
    const { queue } = queueOf(async key => {
      begun.push(key)
      await new Promise<void>(resolve => {
        end = resolve
      })
      return { outcome: 'failed' }
    }, 1)
    queue.add('a')
    queue.add('b')
    await turn()
    let stopped = false
    const stopping = queue.stop().then(() => {
      stopped = true
    })
    queue.add('c')
    await turn()
    expect(stopped).toBe(false)
    end()
    await stopping
    expect(begun).toEqual(['a'])
  })
})
