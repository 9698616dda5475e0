import { describe, expect, test } from '@jest/globals'
import type { Context } from '../../src/controller/context.ts'
import { type Key, keyText } from '../../src/controller/keys.ts'
import { type Passed, pass } from '../../src/controller/pass.ts'
import { loopGuard } from '../../src/controller/queue/loop-guard.ts'
import type { KubeObject } from '../../src/core/types.ts'
import type { FactStore } from '../../src/facts/store.ts'
import { gateways } from '../../src/gateways/index.ts'
import type { Writer } from '../../src/kube/write.ts'
import { cluster, httpRoute, parent } from '../facts/cluster.ts'
import { fakeClock } from '../kube/time.ts'
import { NET, stored } from './stored.ts'

const ROUTE = httpRoute({}, { parentRefs: [parent('envoy')] })
type Options = {
  readonly facts?: FactStore
  /** What the API server lists. */
  readonly routes?: readonly KubeObject[]
  readonly outcome?: 'complete' | 'failed'
  /** A namespace in which a net is stored, and is open. */
  readonly left?: string
  /** Others have their turn. */
  readonly meanwhile?: (context: { facts: FactStore }) => void
}

function openNet(namespace: string): KubeObject {
  const labels = { 'app.kubernetes.io/managed-by': 'portcullis' }
  const metadata = { name: `${NET}.1`, namespace, labels, resourceVersion: '1' }
  return { apiVersion: 'gateway.envoyproxy.io/v1alpha1', kind: 'SecurityPolicy', metadata, spec: {} }
}

/** Everything is looked at, where of ours nothing is stored but what team-a has for itself, and something odd. */
async function passOver(options: Options): Promise<{ passed: Passed; asked: string[]; patient: string[] }> {
  const { facts = cluster(ROUTE), routes = [ROUTE], outcome = 'complete', left, meanwhile = () => {} } = options
  const state = { facts }
  const { owned, settle } = stored(facts)
  settle({ of: 'team', team: 'team-a' })
  owned.put({
    apiVersion: 'v1',
    kind: 'ReferenceGrant',
    metadata: { name: 'odd', namespace: 'apps', labels: { 'app.kubernetes.io/managed-by': 'portcullis' } },
  })
  if (left !== undefined) owned.put(openNet(left))
  const clock = fakeClock()
  const context: Context = {
    facts: () => state.facts,
    owned: () => owned,
    gateways,
    isAbsent: () => false,
    writer: {} as Writer,
    loops: loopGuard(clock),
    say: () => {},
    wrote: () => {},
    drifted: () => {},
    clock,
    now: () => 0,
  }
  const asked: string[] = []
  const patient: string[] = []
  const add = (key: Key, _: number, canWait?: boolean) => {
    asked.push(keyText(key))
    if (canWait) patient.push(keyText(key))
  }
  const passed = await pass({
    context,
    queue: { add, depth: 0 } as Parameters<typeof pass>[0]['queue'],
    async list(kind, receive) {
      const of = routes.filter(each => each.kind === kind)
      for (const each of of) receive(each)
      return outcome === 'complete' ? { outcome, count: of.length } : { outcome, message: 'no' }
    },
    pause: async () => meanwhile(state),
    before: new Set(),
  })
  return { passed, asked, patient }
}

describe('a full pass', () => {
  test('looks at guards before the routes that rely on them, and lets only routes and statuses wait', async () => {
    const { asked, patient, passed } = await passOver({ facts: cluster(ROUTE) })
    expect(asked).toEqual([
      'gateway/infra/envoy',
      'team/team-a',
      'team/team-b',
      'team/team-c',
      'namespace/apps',
      'namespace/elsewhere',
      'route/HTTPRoute/apps/app',
    ])
    expect(patient).toEqual(['team/team-a', 'route/HTTPRoute/apps/app'])
    expect(passed).toMatchObject({ complete: true, routes: 1, queued: 7, orphans: 1 })
  })

  test('looks first at a net that somebody has opened, where no team may use the namespace', async () => {
    const { asked } = await passOver({ facts: cluster(ROUTE), left: 'nobodys' })
    expect(asked[0]).toBe('namespace/nobodys')
    expect(asked.filter(each => each.startsWith('namespace/'))).toHaveLength(3)
  })

  test('sweeps nothing where not every route could be read', async () => {
    const { passed } = await passOver({ outcome: 'failed' })
    expect(passed).toMatchObject({ complete: false, orphans: 0, swept: 0 })
  })

  test('sweeps nothing by facts that were exchanged for others meanwhile', async () => {
    const many = Array.from({ length: 200 }, (_, index) => httpRoute({ name: `app-${index}` }))
    const facts = cluster(...many)
    const exchange = (state: { facts: FactStore }) => {
      state.facts = cluster(...many)
    }
    expect((await passOver({ facts, meanwhile: exchange })).passed).toMatchObject({ complete: false, orphans: 0 })
    expect((await passOver({ facts })).passed).toMatchObject({ complete: true, orphans: 1 })
  })
})
