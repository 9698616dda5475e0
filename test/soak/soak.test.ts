// What a soak says rests on these: a slope is the slope, a sample is of the process, and what is bad fails the run.
import { closeSync, openSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, jest, test } from '@jest/globals'
import type { Sent } from '../integration/load.ts'
import { gateUntil } from './gate.ts'
import { lateByOthers } from './late.ts'
import { report, type Soaked } from './report.ts'
import { type Sample, sample } from './sample.ts'
import { slope } from './slope.ts'
import { draw } from './svg.ts'

test('the slope of points around a line is that of the line', () => {
  const noise = [0.5, -0.5, -0.5, 0.5]
  const points = Array.from({ length: 400 }, (_, x) => ({ x, y: 3 * x + 7 + (noise[x % 4] as number) }))
  expect(slope(points)).toBeCloseTo(3, 3)
  expect(slope([{ x: 1, y: 2 }])).toBeNaN()
})

test('a sample counts the descriptors and sockets of a process, and of one that has ended there is none', async () => {
  const before = sample(process.pid, 0) as Sample
  const file = openSync(import.meta.filename, 'r')
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()))
  const after = sample(process.pid, 1) as Sample
  expect(after.descriptors - before.descriptors).toBeGreaterThanOrEqual(2)
  expect(after.sockets - before.sockets).toBe(1)
  expect(after.megabytes).toBeGreaterThan(20)
  closeSync(file)
  await new Promise(resolve => server.close(resolve))
  expect(sample(2 ** 22 + 1, 0)).toBeUndefined()
})

test('late by others is what had no answer in time while something without the label was slow', () => {
  const sent = (began: number, milliseconds: number, more: Partial<Sent> = {}): Sent => ({
    ...{ name: 'a', isLabelled: true, isDryRun: true, status: 201, message: '', isProtected: true },
    ...{ began, milliseconds, ...more },
  })
  const of = { status: 500, message: 'failed calling webhook "validate.auth.example": context deadline exceeded' }
  const late = sent(1_000, 5_000, of)
  const others = (milliseconds: number, more: Partial<Sent> = {}) =>
    sent(500, milliseconds, { isLabelled: false, ...more })
  expect(lateByOthers([late], [late, others(20)])).toEqual([])
  expect(lateByOthers([late], [late, sent(500, 2_000), others(400)])).toEqual([])
  expect(lateByOthers([late], [late, others(1_200)])).toEqual([late])
  expect(lateByOthers([late], [late, others(600, { status: 504 })])).toEqual([late])
  expect(lateByOthers([sent(9_000, 5_000, of)], [others(1_200)])).toEqual([])
  expect(lateByOthers([sent(1_000, 5_000, { status: 500, message: 'x509' })], [others(1_200)])).toEqual([])
})

test('a gate waits for what is under way, holds back what comes, and counts no time while it is closed', async () => {
  const gate = gateUntil(Number.POSITIVE_INFINITY)
  const order: string[] = []
  let over = () => {}
  const underWay = new Promise<void>(resolve => {
    over = resolve
  })
  const first = gate.during(() => underWay.then(() => void order.push('what was under way')))
  const closed = gate.closedWhile(async () => {
    order.push('the work')
    const before = gate.openMs()
    await sleep(20)
    expect(gate.openMs()).toBeCloseTo(before, 6)
  })
  expect(gate.isClosed()).toBe(true)
  const next = gate.during(async () => void order.push('what came meanwhile'))
  await sleep(20)
  expect(order).toEqual([])
  over()
  await Promise.all([first, closed, next])
  expect(order).toEqual(['what was under way', 'the work', 'what came meanwhile'])
  expect(gate.isClosed()).toBe(false)
})

const series = ['webhook', '<controller>'].map(name => ({
  name,
  samples: [0, 0.5, 1].map(hours => ({ hours, megabytes: 80 + hours, descriptors: 30, sockets: 12 })),
}))

test('the drawing has a line for each process in each panel, and no markup of others', () => {
  const drawn = draw('An hour', series)
  expect(drawn.match(/<polyline /g)).toHaveLength(6)
  expect(drawn).toContain('&lt;controller>')
  expect(drawn).not.toMatch(/NaN|undefined|Infinity/)
})

const good: Soaked = {
  minutes: 1,
  series,
  churned: { made: 1, changed: 1, removed: 1, teams: 1, again: 0, failed: [], unprotected: [] },
  repairs: { guards: [100], bundles: [200], missed: [] },
  restarts: { webhooks: 1, controllers: 1, apiServer: 1 },
  authorities: 1,
  requests: { sent: 2, failed: [], late: [], notYet: 1, unprotected: [] },
  open: [],
  svg: 'soak.svg',
}
const bad = { name: 'a', status: 500, message: 'no' } as Sent
const growing = (name: string, of: (turn: number) => Partial<Sample>): Partial<Soaked> => ({
  series: [
    {
      name,
      samples: Array.from({ length: 90 }, (_, turn) => ({
        ...{ hours: turn / 90, megabytes: 80, descriptors: 30, sockets: 12, ...of(turn) },
      })),
    },
  ],
})
test.each<[string, number, Partial<Soaked>]>([
  ['nothing', 0, {}],
  ['a start that takes its time', 0, growing('webhook', turn => ({ megabytes: Math.min(200, 50 + turn * 5) }))],
  ['memory that comes and goes', 0, growing('webhook', turn => ({ megabytes: 80 + (turn % 10) * turn }))],
  [
    'connections that are gone for a moment while the API server starts anew',
    0,
    growing('webhook', turn => ({ sockets: turn > 40 && turn < 50 ? 1 : 22 })),
  ],
  ['what others hold', 0, growing('etcd', turn => ({ megabytes: 80 * 2 ** (turn / 10) }))],
  ['memory that only grows', 1, growing('webhook', turn => ({ megabytes: 50 + turn * 5 }))],
  ['descriptors that are never closed', 1, growing('controller', turn => ({ descriptors: 10 + 2 * turn }))],
  ['sockets that are never closed', 1, growing('controller', turn => ({ sockets: 10 + 2 * turn }))],
  ['a request that failed', 1, { requests: { ...good.requests, failed: [bad] } }],
  ['a request that was late, as others were', 0, { requests: { ...good.requests, failed: [bad], late: [bad] } }],
  ['a request without the login', 1, { requests: { ...good.requests, unprotected: [bad] } }],
  ['a change that failed', 1, { churned: { ...good.churned, failed: [bad] } }],
  ['a change without the login', 1, { churned: { ...good.churned, unprotected: ['create a'] } }],
  ['a route that is stored without the login', 1, { open: ['a'] }],
  ['an authority that nobody follows', 1, { authorities: 0 }],
  ['a repair that was missed', 1, { repairs: { ...good.repairs, missed: ['a guard'] } }],
])('%s ends a soak with %i', (_, code, more) => {
  const said = [jest.spyOn(console, 'log'), jest.spyOn(console, 'table')]
  for (const each of said) each.mockImplementation(() => {})
  expect(report({ ...good, ...more })).toBe(code)
  for (const each of said) each.mockRestore()
})
