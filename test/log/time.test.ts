import { expect, test } from '@jest/globals'
import { isoTime } from '../../src/log.ts'

test('the time in the log is the time, to the millisecond, also where the second turns', () => {
  const start = Date.UTC(2026, 11, 31, 23, 59, 58, 996)
  for (const passed of [0, 1, 3, 4, 5, 13, 1_003, 1_004, 1_103, 1_104, 500]) {
    const now = start + passed
    const time = isoTime(() => now)
    expect(`{"a":1${time()}}`).toBe(`{"a":1,"time":"${new Date(now).toISOString()}"}`)
  }
  let now = start
  const running = isoTime(() => now)
  for (; now < start + 2_100; now += 7) expect(running()).toBe(`,"time":"${new Date(now).toISOString()}"`)
})
