import { describe, expect, test } from '@jest/globals'
import type { Context, Said } from '../../src/controller/context.ts'
import { OwnedObjects } from '../../src/controller/owned.ts'
import { loopGuard } from '../../src/controller/queue/loop-guard.ts'
import { settleRoute } from '../../src/controller/route.ts'
import { companions } from '../../src/core/companions.ts'
import type { KubeObject, RouteRef } from '../../src/core/types.ts'
import { StoredCompanions } from '../../src/facts/companions.ts'
import { FactStore } from '../../src/facts/store.ts'
import { gateways } from '../../src/gateways/index.ts'
import { systemClock } from '../../src/kube/clock.ts'
import {
  config,
  ENVOY_GATEWAY,
  gateway,
  gatewayClass,
  httpRoute,
  namespace,
  parent,
  TRAEFIK_GATEWAY,
  team,
} from '../facts/cluster.ts'
import { made, NOW } from './stored.ts'

const REF: RouteRef = { kind: 'HTTPRoute', namespace: 'apps', name: 'shop' }
const ROUTE = httpRoute(
  { name: 'shop', namespace: 'apps', labels: { 'auth.example/protect': 'true' } },
  { parentRefs: [parent('envoy')], hostnames: ['shop.a.example.com'] },
)

function controller(...stored: readonly KubeObject[]) {
  return controllerOf(ROUTE, stored)
}

/** A cluster of which the API server gives back this route, and takes every write. */
function controllerOf(route: KubeObject, stored: readonly KubeObject[]) {
  const facts = new FactStore(config(), new StoredCompanions(gateways, () => NOW))
  const classes = [gatewayClass('envoy', ENVOY_GATEWAY), gatewayClass('traefik', TRAEFIK_GATEWAY)]
  const parents = [gateway('envoy', 'envoy'), gateway('traefik', 'traefik')]
  const given = [namespace('apps'), namespace('infra'), ...classes, ...parents]
  for (const each of [...given, team('team-a'), route, ...stored]) facts.put(each)
  const owned = new OwnedObjects()
  for (const each of stored) owned.put(each)
  const said: Said[] = []
  const patched: unknown[] = []
  const done = (object: KubeObject) => ({ outcome: 'done', object }) as const
  const context: Context = {
    facts: () => facts,
    owned: () => owned,
    gateways,
    isAbsent: () => false,
    loops: loopGuard(systemClock),
    say: each => said.push(each),
    wrote: () => {},
    drifted: () => {},
    clock: systemClock,
    now: () => NOW,
    writer: {
      get: async ({ kind, name }) => (kind === 'HTTPRoute' && name === 'shop' ? done(route) : { outcome: 'gone' }),
      apply: async object => done(made(object, 0)),
      create: async object => done(object),
      remove: async () => ({ outcome: 'gone' }),
      patch: async (_, __, operations) => {
        patched.push(operations)
        return done(route)
      },
    },
  }
  return { context, said, patched, facts }
}

function guards(facts: FactStore): KubeObject[] {
  const scopes = [
    { of: 'namespace', team: 'team-a', namespace: 'apps' },
    { of: 'gateway', namespace: 'infra', name: 'envoy' },
  ] as const
  return scopes.flatMap(scope => companions(scope, facts, gateways)).map(({ object }) => object)
}

describe('a route that waits for its guards', () => {
  test('is asked for less and less often while they are missing: nobody knows when they come', async () => {
    const { context, said, patched } = controller()
    expect(await settleRoute(REF, context)).toEqual({ outcome: 'failed', afterMs: 2000 })
    expect(said.map(each => each.said)).toEqual(['WaitsForGuards'])
    expect(patched).toEqual([])
  })

  test('is looked at as soon as they have settled, once they are there', async () => {
    const old = guards(controller().facts).map(each =>
      made(each, String(each.metadata.name).startsWith('portcullis-team') ? 2 : 1000),
    )
    const { context, patched } = controller(...old)
    expect(await settleRoute(REF, context)).toEqual({ outcome: 'later', afterMs: 3000 })
    expect(patched).toEqual([])
  })

  test('is protected when they are in force', async () => {
    const { context, said, patched } = controller(...guards(controller().facts).map(each => made(each, 1000)))
    expect(await settleRoute(REF, context)).toEqual({ outcome: 'settled' })
    expect(said.map(each => each.said)).toEqual(['Protected'])
    expect(patched).toHaveLength(1)
  })

  test.each([
    ['traefik', 'Protected'],
    ['envoy', 'WaitsForGuards'],
  ])('behind %s, while a policy of Envoy Gateway is missing: %s', async (name, outcome) => {
    const { spec, ...rest } = ROUTE
    const route = { ...rest, spec: { ...(spec as object), parentRefs: [parent(name)] } }
    const [, ...others] = guards(controller().facts).filter(each => each.kind === 'SecurityPolicy')
    const rightly = guards(controller().facts).filter(each => each.kind !== 'SecurityPolicy')
    const stored = [...rightly, ...others].map(each => made(each, 1000))
    const { context, said } = controllerOf(route, stored)
    await settleRoute(REF, context)
    expect(said.map(each => each.said)).toEqual([outcome])
  })
})
