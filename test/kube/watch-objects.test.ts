// Watches of single objects: each change is told once, also one that the watch itself has missed.
import { expect, test } from '@jest/globals'
import { watchObjects } from '../../src/kube/watch-objects.ts'
import { event, item, listOf, script } from './script.ts'
import { fakeClock } from './time.ts'

const quiet = () => {}
const log = { info: quiet, warn: quiet, error: quiet }
const SECRET = { apiVersion: 'v1', kind: 'Secret', namespace: 'portcullis', name: 'portcullis-ca' }

function watching() {
  const clock = fakeClock()
  const server = script(clock)
  let changes = 0
  const changed = () => void changes++
  const watched = watchObjects(server.connection, [SECRET], changed, { clock, random: () => 0.5, log })
  return { clock, server, watched, changes: () => changes }
}

test('that one is there, changes and goes is told each time', async () => {
  const { clock, server, watched, changes } = watching()
  await clock.pass(1)
  expect(changes()).toBe(0)
  server.line.say(event('ADDED', 'portcullis-ca', '11'))
  await clock.pass(1)
  expect(changes()).toBe(1)
  server.line.say(event('MODIFIED', 'portcullis-ca', '12'), event('DELETED', 'portcullis-ca', '13'))
  await clock.pass(1)
  expect(changes()).toBe(3)
  expect([...watched.kinds.keys()]).toEqual(['Secret'])
  await watched.stop()
})

test('a change that a watch has missed because its version was too old is told within seconds, again and again', async () => {
  const { clock, server, watched, changes } = watching()
  await clock.pass(1)
  for (const [version, count] of [
    ['20', 1],
    ['30', 2],
    ['40', 3],
  ] as const) {
    server.list = () => listOf([item('portcullis-ca', version)], version)
    server.present = () => listOf([], version, 'more')
    server.line.say({ type: 'ERROR', object: { code: 410, message: 'too old' } })
    await clock.pass(7_000)
    expect(changes()).toBe(count)
  }
  await watched.stop()
})
