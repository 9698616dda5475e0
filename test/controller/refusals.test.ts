// What could not be made is said of its team until it is made, or nobody wants it any more.
import { expect, test } from '@jest/globals'
import { Refusals } from '../../src/commands/controller/refusals.ts'
import type { KubeObject } from '../../src/core/types.ts'
import type { Written } from '../../src/kube/write.ts'

const REFUSED: Written = { outcome: 'refused', status: 403, message: 'exceeded quota' }

const OURS: KubeObject = {
  apiVersion: 'gateway.envoyproxy.io/v1alpha1',
  kind: 'SecurityPolicy',
  metadata: { namespace: 'apps', name: 'x' },
}
const DONE: Written = { outcome: 'done', object: OURS }

function start() {
  const clock = { now: 0 }
  return { clock, refusals: new Refusals(() => clock.now) }
}

test('what is refused is said of its teams, which are told once, until it is written', () => {
  const { refusals } = start()
  const teams = ['team-a', 'team-b']
  expect([refusals.note(OURS, REFUSED, teams), refusals.note(OURS, REFUSED, teams)]).toEqual([teams, []])
  for (const team of teams)
    expect(refusals.of(team)).toEqual([{ object: 'SecurityPolicy apps/x', message: 'exceeded quota' }])
  expect(refusals.of('team-c')).toEqual([])
  expect([refusals.note(OURS, DONE, teams), refusals.note(OURS, DONE, teams)]).toEqual([teams, []])
  expect(refusals.of('team-a')).toEqual([])
})

test('a name that somebody else has is said of the team that needs it', () => {
  const { refusals } = start()
  const { apiVersion, kind } = OURS
  const about = { apiVersion, kind, namespace: 'apps', name: 'x' }
  expect([refusals.noteTaken(about, ['team-a']), refusals.noteTaken(about, ['team-a'])]).toEqual([['team-a'], []])
  expect(refusals.of('team-a')).toEqual([{ object: 'SecurityPolicy apps/x', isTaken: true, message: '' }])
  expect(refusals.note(OURS, DONE, ['team-a'])).toEqual(['team-a'])
})

test('what is not tried again is forgotten after three minutes', () => {
  const { clock, refusals } = start()
  refusals.note(OURS, REFUSED, ['team-a'])
  clock.now = 180_000
  expect(refusals.of('team-a')).toHaveLength(1)
  clock.now = 180_001
  expect(refusals.of('team-a')).toEqual([])
})
