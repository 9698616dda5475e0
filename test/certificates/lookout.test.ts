// When somebody looks, on a clock that the test turns: at once where something changed, and hardly ever where nothing does.
import { afterEach, describe, expect, test } from '@jest/globals'
import { BACKSTOP_MS, keepLookout, type Lookout, TURN_MS } from '../../src/certificates/lookout.ts'
import { fakeClock } from '../kube/time.ts'

const HOUR = 3_600_000

let running: Lookout[] = []

afterEach(async () => {
  await Promise.all(running.map(each => each.stop()))
  running = []
})

function watching(options: { isWell?: () => boolean; isDue?: () => boolean; takesMs?: number } = {}) {
  const { isWell = () => true, isDue = () => false, takesMs = 0 } = options
  const clock = fakeClock()
  const looks: number[] = []
  let atOnce = 0
  const state = { most: 0 }
  const look = async () => {
    looks.push(clock.now())
    state.most = Math.max(state.most, ++atOnce)
    if (takesMs > 0) await new Promise<void>(resolve => void clock.after(takesMs, resolve))
    atOnce--
    return isWell()
  }
  const lookout = keepLookout({ look, isDue, clock, random: () => 0.5 })
  running.push(lookout)
  return { clock, looks, lookout, state }
}

describe('somebody looks', () => {
  test('at the beginning, and where nothing happens about once a minute', async () => {
    const { clock, looks } = watching()
    await clock.pass(0)
    expect(looks).toHaveLength(1)
    await clock.pass(HOUR)
    expect(looks.length).toBeGreaterThanOrEqual(HOUR / (BACKSTOP_MS + 2 * TURN_MS))
    expect(looks.length).toBeLessThanOrEqual(1 + HOUR / BACKSTOP_MS)
  })

  test('at once when something changed', async () => {
    const { clock, looks, lookout } = watching()
    await clock.pass(10_001)
    lookout.nudge()
    await clock.pass(0)
    expect(looks.at(-1)).toBe(clock.now())
  })

  test('once in two seconds, however often something changes, and after the last change', async () => {
    const { clock, looks, lookout, state } = watching({ takesMs: 300 })
    await clock.pass(10_000)
    const before = looks.length
    for (let i = 0; i < 1000; i++) {
      lookout.nudge()
      await clock.pass(10)
    }
    const last = clock.now()
    await clock.pass(TURN_MS + 300)
    expect(looks.length - before).toBeLessThanOrEqual(2 + 10_000 / TURN_MS)
    expect(looks.at(-1)).toBeGreaterThanOrEqual(last - 10)
    expect(state.most).toBe(1)
  })

  test('again when something changed while they looked', async () => {
    const { clock, looks, lookout } = watching({ takesMs: 500 })
    await clock.pass(10_000)
    lookout.nudge()
    await clock.pass(100)
    lookout.nudge()
    await clock.pass(TURN_MS + 500)
    expect(looks).toHaveLength(3)
  })

  test('within two seconds when something is due, though nobody said so', async () => {
    let isDue = false
    const { clock, looks } = watching({ isDue: () => isDue })
    await clock.pass(10_001)
    expect(looks).toHaveLength(1)
    isDue = true
    await clock.pass(TURN_MS)
    expect(looks).toHaveLength(2)
  })

  test('again after trouble, soon and then less often, and not more often because something is due', async () => {
    let isWell = false
    const { clock, looks } = watching({ isWell: () => isWell, isDue: () => true })
    await clock.pass(5_000)
    expect(looks).toHaveLength(2)
    await clock.pass(HOUR)
    expect(looks.length).toBeLessThanOrEqual(4 + HOUR / (4 * TURN_MS))
    expect(looks.length).toBeGreaterThan(HOUR / (5 * TURN_MS))
    isWell = true
    const before = looks.length
    await clock.pass(10 * TURN_MS)
    expect(looks.length - before).toBeGreaterThan(5)
  })

  test('no more when it is over', async () => {
    const { clock, looks, lookout } = watching()
    await clock.pass(10_000)
    await lookout.stop()
    lookout.nudge()
    await clock.pass(HOUR)
    expect(looks).toHaveLength(1)
  })
})
