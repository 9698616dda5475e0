// Of several kinds of which one may not be listed: which of them everything else waits for, and what is said meanwhile.
import { afterEach, expect, test } from '@jest/globals'
import { missingFacts } from '../../src/commands/missing.ts'
import type { Connection } from '../../src/kube/connection.ts'
import { type WatchedAll, watchAll } from '../../src/kube/watch-all.ts'
import { listOf, script, status } from './script.ts'
import { fakeClock } from './time.ts'

const LOG = { info() {}, warn() {}, error() {} }
const paths = { Thing: '/things', Service: '/services' }

let running: WatchedAll | undefined
afterEach(() => running?.stop())

function start(optional: readonly string[]) {
  const clock = fakeClock()
  const { connection } = script(clock)
  const server = { mayList: false, answer: () => status(403, 'x cannot list resource "services"') }
  const guarded: Connection = {
    ...connection,
    request: async call =>
      call.path.startsWith('/services')
        ? server.mayList
          ? listOf([], '5')
          : server.answer()
        : connection.request(call),
  }
  const sink = { put: () => [], remove() {} }
  running = watchAll(guarded, sink, { log: LOG, paths, optional, clock, random: () => 0 })
  return { watched: running, clock, server }
}

test('a kind that may not be listed holds everything up, and says why, until it may', async () => {
  const { watched, clock, server } = start([])
  expect(missingFacts(watched)).toEqual(['facts: no list of Thing yet', 'facts: no list of Service yet'])
  await clock.pass(60_000)
  expect(watched.ready()).toBe(false)
  expect(missingFacts(watched)).toEqual(['facts: no list of Service yet: 403 x cannot list resource "services"'])
  server.mayList = true
  await clock.pass(120_000)
  expect(watched.ready()).toBe(true)
  expect(missingFacts(watched)).toEqual([])
})

test('an optional kind holds nothing up once it is forbidden, and is taken when it may be listed', async () => {
  const { watched, clock, server } = start(['Service'])
  expect(watched.ready()).toBe(false)
  await clock.pass(1)
  expect(watched.ready()).toBe(true)
  expect(missingFacts(watched)).toEqual([])
  server.mayList = true
  await clock.pass(120_000)
  expect(watched.kinds.get('Service')).toMatchObject({ synced: true })
})

test('an optional kind is waited for while the server is only in trouble', async () => {
  const { watched, clock, server } = start(['Service'])
  server.answer = () => status(503, 'busy')
  await clock.pass(60_000)
  expect(watched.ready()).toBe(false)
  expect(missingFacts(watched)).toEqual(['facts: no list of Service yet: 503 busy'])
})
