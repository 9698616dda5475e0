// What the leader takes up of a change: whose key is looked at again, and when.
import { expect, test } from '@jest/globals'
import type { Context } from '../../src/controller/context.ts'
import { changeOf } from '../../src/controller/queue/affected.ts'
import { loopGuard } from '../../src/controller/queue/loop-guard.ts'
import { startWork } from '../../src/controller/work.ts'
import { identity } from '../../src/core/companions.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { gateways } from '../../src/gateways/index.ts'
import type { Writer, Written } from '../../src/kube/write.ts'
import { cluster, namespace, team } from '../facts/cluster.ts'
import { fakeClock } from '../kube/time.ts'
import { made, NET, NOW, stored } from './stored.ts'

const APPS = { of: 'namespace', namespace: 'apps' } as const
const POLICY = 'portcullis-team.team-a'

/** A namespace in which everything is as it has to be, and a leader that has looked at it. */
async function settled() {
  const facts = cluster(
    namespace('apps'),
    team('team-a', { access: [], namespaces: { names: ['apps'], default: true } }),
    team('team-b', { access: [], namespaces: { names: ['elsewhere'] } }),
    team('team-c', { access: [], namespaces: { names: ['elsewhere'] } }),
  )
  const { owned, settle, find } = stored(facts)
  for (const key of [{ of: 'team', team: 'team-a' }, APPS] as const) settle(key, 60)
  const gone: Written = { outcome: 'gone' }
  const done: string[] = []
  const apply: Writer['apply'] = async object => {
    done.push(`apply ${String(object.metadata.name)}`)
    return { outcome: 'done', object: made(object, 0) }
  }
  const clock = fakeClock()
  const context: Context = {
    facts: () => facts,
    owned: () => owned,
    gateways,
    isAbsent: () => false,
    writer: { get: async () => gone, apply, patch: async () => gone, create: apply, remove: async () => gone },
    loops: loopGuard(clock),
    say: () => {},
    wrote: () => {},
    drifted: ({ metadata }) => done.push(`drift ${String(metadata.name)}`),
    clock,
    now: () => NOW,
  }
  const work = startWork({
    context,
    list: async () => ({ outcome: 'complete', count: 0 }),
    async settleTeam(name) {
      done.push(`status ${name}`)
      return { outcome: 'settled' }
    },
    passed: () => {},
    log: { info() {}, warn() {}, error() {} },
    random: () => 0.5,
  })
  await clock.pass(30_000)
  done.length = 0
  /** As a watch tells it. */
  const tell = async (what: 'put' | 'remove', document: KubeObject) => {
    const before = owned.get(identity(document))
    const change = { ...changeOf(what, document, facts), ...(before === undefined ? {} : { owned: before }) }
    owned[what](document)
    work.changed(change)
    await clock.pass(10_000)
    return done.splice(0)
  }
  return { find, tell, stop: () => work.stop() }
}

test('a net that is stored has the status of every team of its namespace looked at', async () => {
  const { find, tell, stop } = await settled()
  expect(await tell('put', find(`${NET}.1`))).toEqual(['status team-a'])
  await stop()
})

test('a companion that lost what says whose it is is repaired at once', async () => {
  const { find, tell, stop } = await settled()
  const policy = find(POLICY)
  const { 'auth.example/scope': _, ...annotations } = policy.metadata.annotations as { [key: string]: string }
  const done = await tell('put', { ...policy, metadata: { ...policy.metadata, annotations } })
  expect(done.slice(0, 2)).toEqual([`drift ${POLICY}`, `apply ${POLICY}`])
  await stop()
})

test('a companion of which only the name is left is made again at once', async () => {
  const { find, tell, stop } = await settled()
  const { apiVersion, kind, metadata } = find(POLICY)
  const done = await tell('remove', { apiVersion, kind, metadata: { namespace: 'apps', name: metadata.name } })
  expect(done.slice(0, 2)).toEqual([`drift ${POLICY}`, `apply ${POLICY}`])
  await stop()
})
