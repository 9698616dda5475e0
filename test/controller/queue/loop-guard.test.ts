// Fights end: what is undone again and again is left alone for a while.
import { expect, test } from '@jest/globals'
import { loopGuard } from '../../../src/controller/queue/loop-guard.ts'
import { fakeClock } from '../../kube/time.ts'

test('the sixth write within a minute is the last for a while', async () => {
  const clock = fakeClock()
  const guard = loopGuard(clock)
  const tripped = Array.from({ length: 6 }, () => guard.wrote('a', 'same'))
  expect(tripped).toEqual([false, false, false, false, false, true])
  expect(guard.mayWrite('a')).toBe(false)
  expect(guard.restsFor('a')).toBe(300_000)
  expect(guard.resting).toBe(1)
  expect(guard.mayWrite('b')).toBe(true)
  await clock.pass(300_000)
  expect(guard.mayWrite('a')).toBe(true)
  expect(guard.resting).toBe(0)
  expect(guard.wrote('a', 'same')).toBe(false)
})

test('writes that are further apart are no fight', async () => {
  const clock = fakeClock()
  const guard = loopGuard(clock)
  for (let i = 0; i < 100; i++) {
    await clock.pass(12_000)
    expect(guard.wrote('a', 'same')).toBe(false)
  }
})

test('writing something else each time is no fight', () => {
  const guard = loopGuard(fakeClock())
  for (let i = 0; i < 100; i++) expect(guard.wrote('a', i)).toBe(false)
})
