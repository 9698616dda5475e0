// What is asked of the API server for the companions of a key, where it does not do as it is asked.
import { expect, test } from '@jest/globals'
import { settleCompanions } from '../../src/controller/companions.ts'
import type { Context } from '../../src/controller/context.ts'
import type { OwnedObjects } from '../../src/controller/owned.ts'
import { loopGuard } from '../../src/controller/queue/loop-guard.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { gateways } from '../../src/gateways/index.ts'
import type { Writer, Written } from '../../src/kube/write.ts'
import { cluster, namespace, team } from '../facts/cluster.ts'
import { fakeClock } from '../kube/time.ts'
import { made, NET, NOW, stored } from './stored.ts'

const APPS = { of: 'namespace', namespace: 'apps' } as const
const GONE: Written = { outcome: 'gone' }
const one = (name: string) => team(name, { access: [], namespaces: { names: ['apps'], default: true } })

/** A namespace in which the API server answers for some objects otherwise; tells what was applied. */
async function settled(
  answers: (object: KubeObject, owned: OwnedObjects) => Written | undefined,
  there: readonly KubeObject[] = [],
) {
  const facts = cluster(namespace('apps'), one('team-a'), one('team-b'), one('team-c'))
  for (const name of ['team-b', 'team-c']) facts.remove(one(name))
  const { owned } = stored(facts)
  const applied: string[] = []
  const apply = async (object: KubeObject): Promise<Written> => {
    applied.push(String(object.metadata.name))
    return answers(object, owned) ?? { outcome: 'done', object: made(object, 0) }
  }
  const get: Writer['get'] = async ({ name }) => {
    const found = there.find(each => each.metadata.name === name)
    return found === undefined ? GONE : { outcome: 'done', object: found }
  }
  const clock = fakeClock()
  const said: string[] = []
  const context: Context = {
    facts: () => facts,
    owned: () => owned,
    gateways,
    isAbsent: () => false,
    writer: { get, apply, patch: async () => GONE, create: apply, remove: async () => GONE },
    loops: loopGuard(clock),
    say: each => said.push(`${each.said} ${each.about.name}`),
    wrote: () => {},
    drifted: () => {},
    clock,
    now: () => NOW,
  }
  const outcome = await settleCompanions(APPS, context)
  const policies = (names: readonly string[]) => names.filter(name => /portcullis-(team|zz)/.test(name))
  return { outcome, applied: policies(applied), said: policies(said) }
}

test('a net that cannot be written is tried under no other name', async () => {
  const later: Written = { outcome: 'later', message: 'busy', afterMs: 3000 }
  const busy = await settled(({ kind }) => (kind === 'SecurityPolicy' ? later : undefined))
  expect(busy.applied).toEqual(['portcullis-team.team-a', `${NET}.1`])
  expect(busy.outcome).toEqual({ outcome: 'failed', afterMs: 3000 })
})

test('a net that is refused is said once, and tried again only after a minute', async () => {
  const quota: Written = { outcome: 'refused', status: 403, message: 'exceeded quota' }
  const refused = await settled(({ metadata }) => (String(metadata.name).startsWith(NET) ? quota : undefined))
  expect(refused.applied).toEqual(['portcullis-team.team-a', `${NET}.1`])
  expect(refused.said).toEqual([`Refused ${NET}.1`])
  expect(refused.outcome).toEqual({ outcome: 'failed', afterMs: 60_000 })
})

test('a net whose name is taken has the next one, and what has the name is left alone', async () => {
  const metadata = { namespace: 'apps', name: `${NET}.1`, uid: 'theirs' }
  const theirs = { apiVersion: 'gateway.envoyproxy.io/v1alpha1', kind: 'SecurityPolicy', metadata, spec: {} }
  const taken = await settled(() => undefined, [theirs])
  expect(taken.applied).toEqual(['portcullis-team.team-a', `${NET}.2`])
  expect(taken.said).toEqual([`NotOurs ${NET}.1`])
})

const POLICY = 'portcullis-team.team-a'
const open = (object: KubeObject) => ({ ...made(object, 0), spec: { authorization: { defaultAction: 'Allow' } } })
const overtaking: [string, (object: KubeObject, owned: OwnedObjects) => void][] = [
  ['edited', (object, owned) => owned.put(open(object))],
  ['removed', (object, owned) => owned.remove(object)],
  [
    'made and removed',
    (object, owned) => {
      owned.put(made(object, 0))
      owned.remove(object)
    },
  ],
]

test.each(
  overtaking,
)('a guard of which a watch tells that it was %s, before the write of it is answered, is written again', async (_, told) => {
  let writes = 0
  const { applied, outcome } = await settled((object, owned) => {
    if (object.metadata.name === POLICY && ++writes === 1) told(object, owned)
    return undefined
  })
  expect(applied.filter(name => name === POLICY)).toHaveLength(2)
  expect(outcome.outcome).not.toBe('failed')
})

test('what a watch tells of another guard meanwhile costs no second write', async () => {
  const { applied } = await settled((object, owned) => {
    if (object.metadata.name === POLICY) owned.remove({ ...object, metadata: { ...object.metadata, name: 'other' } })
    return undefined
  })
  expect(applied.filter(name => name === POLICY)).toHaveLength(1)
})
