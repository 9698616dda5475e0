// A clock that a test turns, for pauses of minutes.
import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../src/kube/clock.ts'

export type FakeClock = Clock & {
  /** Runs every timer on the way, in order, and lets what it started settle. */
  pass(ms: number): Promise<void>
}

export function fakeClock(): FakeClock {
  let now = 1_000_000
  const timers = new Set<{ at: number; run: () => void }>()
  const settle = async () => {
    for (let i = 0; i < 5; i++) await setImmediate()
  }
  return {
    now: () => now,
    after(ms, run) {
      const timer = { at: now + ms, run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    async pass(ms) {
      const until = now + ms
      await settle()
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)
        if (next === undefined) break
        timers.delete(next)
        now = Math.max(now, next.at)
        next.run()
        await settle()
      }
      now = until
    },
  }
}
