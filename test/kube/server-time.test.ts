// Whose clock counts: our own, unless API servers agree that it is wrong.
import { describe, expect, test } from '@jest/globals'
import { correctionOf, keepServerTime, skewOf } from '../../src/kube/server-time.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const MONTHS = 150 * 24 * HOUR
const RIGHT = Date.UTC(2026, 5, 1)

/** As Go writes it. */
const stamp = (at: number) => new Date(at).toUTCString()

describe('one answer', () => {
  test.each([0, 1, -30, 3600, MONTHS / SECOND, -MONTHS / SECOND])('says that its server is %i s ahead', seconds => {
    expect(skewOf(stamp(RIGHT + seconds * SECOND), RIGHT, 20)).toBe(seconds * SECOND)
  })

  test.each([
    undefined,
    '',
    'soon',
    '0',
    '2026-11-01',
    '2026-11-01T00:00:00Z',
    ' GMT',
    'Thu, 01 Jan 1970 00:00:00 GMT',
    'Fri, 01 Jan 2106 00:00:00 GMT',
  ])('says nothing with Date %j', date => {
    expect(skewOf(date, RIGHT, 20)).toBeUndefined()
  })

  test('says nothing when it took long: the head of what was asked before this process was stopped', () => {
    expect(skewOf(stamp(RIGHT), RIGHT + HOUR, HOUR)).toBeUndefined()
  })
})

test.each<[string, number[], number]>([
  ['nobody has said anything', [], 0],
  ['it is right', [0], 0],
  ['the difference is a network, and whole seconds', [-59 * SECOND], 0],
  ['it is five months ahead', [-MONTHS], -MONTHS],
  ['it is five months behind', [MONTHS], MONTHS],
  ['it is ahead, as two say that are two hours apart', [-MONTHS, 2 * HOUR - MONTHS], 2 * HOUR - MONTHS],
  ['one of two API servers is five months ahead', [MONTHS, 300], 0],
])('our clock is corrected, where %s (%j), by %i ms', (_, skews, correction) => {
  expect(correctionOf(skews)).toBe(correction)
})

describe('time goes on', () => {
  function start(skew: number) {
    const clock = { skew, passed: 0 }
    const time = keepServerTime(
      () => RIGHT + clock.passed + clock.skew,
      () => clock.passed,
    )
    const wrong = () => time.now() - RIGHT - clock.passed
    /** An answer of a server whose clock is that wrong. */
    const hear = (ms = 0, tookMs = 20) => time.heard(stamp(RIGHT + clock.passed + ms), tookMs)
    return { clock, time, wrong, hear }
  }

  test.each([MONTHS, -MONTHS])('by our own clock, which is %i ms wrong, until the first answer', skew => {
    const { clock, wrong, hear } = start(skew)
    expect(wrong()).toBe(skew)
    hear()
    for (let hour = 0; hour < 24; hour++, clock.passed += HOUR) expect(wrong()).toBe(0)
  })

  test('by our own clock where it is right, whatever one of several API servers says', () => {
    const { clock, wrong, hear } = start(0)
    hear()
    for (let minute = 0; minute < 60; minute++, clock.passed += MINUTE) {
      hear(MONTHS)
      if (minute % 5 === 4) hear()
      expect(wrong()).toBe(0)
    }
  })

  test('by the only one that answers, once none has agreed with our clock for twenty minutes', () => {
    const { clock, wrong, hear } = start(0)
    hear()
    for (let minute = 0; minute < 25; minute++, clock.passed += MINUTE) hear(MONTHS)
    expect(wrong()).toBe(MONTHS)
    hear()
    expect(wrong()).toBe(0)
  })

  test('by the server, without a break, when our clock is set, and set right again', () => {
    const { clock, wrong, hear } = start(0)
    hear()
    for (const skew of [MONTHS, -MONTHS, HOUR, 0]) {
      clock.passed += 2 * SECOND
      clock.skew = skew
      expect(wrong()).toBe(0)
      hear()
      expect(wrong()).toBe(0)
    }
  })

  test('by our own clock again, with the next answer, when the machine has slept', () => {
    const { clock, wrong, hear } = start(0)
    hear()
    // The clock that is never set stood still meanwhile; what time it is has moved on with ours.
    clock.skew = 8 * HOUR
    hear(8 * HOUR)
    expect(wrong()).toBe(8 * HOUR)
  })

  test('by our own clock when what it was set by is no more than what is tolerated', () => {
    const { clock, wrong, hear } = start(0)
    hear()
    clock.skew = -45 * SECOND
    hear()
    expect(wrong()).toBe(-45 * SECOND)
  })

  test('by what was known when an answer says nothing', () => {
    const { time, wrong, hear } = start(MONTHS)
    hear()
    time.heard(undefined, 20)
    time.heard('rubbish', 20)
    hear(-MONTHS, HOUR)
    expect(wrong()).toBe(0)
  })
})
