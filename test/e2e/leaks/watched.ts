// What tests for leaks start from: intruders on a stage, and routes of one gateway in every kind that it reads.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect } from '@jest/globals'
import type { KubeObject } from '../../../src/core/types.ts'
import { pathOf, until } from '../../integration/api.ts'
import { applied, stored } from '../../integration/objects.ts'
import { type Intruders, startIntruders } from '../intruders/intruders.ts'
import { untilOpen } from '../protected.ts'
import { clientOf } from '../stage/client.ts'
import type { RouteKindOnStage } from '../stage/route-kinds.ts'
import type { Stage } from '../stage/stage.ts'

/** Of each name and kind. */
const ROUTES = 4
/** What follows each change: connections of every age meet what it has made. */
const AFTERWARDS_MS = 4_000
/** Of leaks, where there are many. */
const SHOWN = 10

export const PROTECTED = { 'auth.example/protect': 'true' }
export const NAMESPACE = 'monitoring'

export type Team = 'team-a' | 'team-b'
export type Spot = { readonly kind: RouteKindOnStage; readonly name: string }

export type Watched = {
  readonly kinds: readonly RouteKindOnStage[]
  readonly stage: () => Stage
  readonly intruders: () => Intruders
  /** Some of this name in every kind. */
  spots(name: string): readonly Spot[]
  host(spot: Spot, team?: Team): string
  /** As its owner writes it, with these labels. */
  route(spot: Spot, labels?: object, team?: Team): KubeObject
  /** All hosts of this name: must never answer, or not once they have been closed. */
  watch(name: string, open: 'never' | 'once closed', team?: Team): void
  untilClosed(name: string, team?: Team): Promise<void>
  /** Waits for what a change may have made, and fails where somebody got through since it was asked last. */
  settled(what: string): Promise<void>
}

/** Made before the tests of the describe block that this is called in. */
export function prepareWatched(kinds: readonly RouteKindOnStage[], stage: () => Stage, perSecond: number): Watched {
  let intruders: Intruders
  let told = 0
  const host = ({ kind, name }: Spot, team: Team = 'team-a') => `${name}-${kind.slug}.${team}.${stage().domain}`
  const route = (spot: Spot, labels: object = {}, team?: Team): KubeObject => {
    const name = `${spot.name}-${spot.kind.slug}`
    const backend = { namespace: NAMESPACE, name, host: host(spot, team), service: 'prometheus', port: 80 }
    const { metadata, ...rest } = spot.kind.route(backend)
    return { ...rest, metadata: { ...metadata, labels } } as KubeObject
  }
  const spots = (name: string) =>
    kinds.flatMap(kind => Array.from({ length: ROUTES }, (_, nth) => ({ kind, name: `${name}-${nth}` })))
  const open: Spot = { kind: kinds[0] as RouteKindOnStage, name: 'open' }
  beforeAll(async () => {
    // Said on purpose, so that whatever else happens to the namespace it stays open.
    await applied(stage().cluster.controlPlane, route(open, { 'auth.example/protect': 'false' }))
    const client = clientOf(stage())
    await untilOpen(client, `https://${host(open)}/`)
    client.close()
    intruders = startIntruders(stage(), host(open), perSecond)
  }, 120_000)
  afterAll(() => intruders?.stop())
  return {
    kinds,
    stage,
    intruders: () => intruders,
    spots,
    host,
    route,
    watch(name, open, team) {
      for (const each of spots(name)) intruders.watch(host(each, team), open)
    },
    untilClosed: (name, team) =>
      until(`${name} closed`, async () => {
        const { hosts } = await intruders.report()
        return spots(name).every(each => hosts.includes(host(each, team)))
      }),
    async settled(what) {
      await sleep(AFTERWARDS_MS)
      const { leaks } = await intruders.report()
      const [count, some] = [leaks.length - told, leaks.slice(told, told + SHOWN)]
      told = leaks.length
      expect({ after: what, count, leaks: some }).toEqual({ after: what, count: 0, leaks: [] })
    },
  }
}

/** As a tool does that knows nothing of what others have written. */
export async function overwrite({ stage }: Pick<Watched, 'stage'>, route: KubeObject): Promise<void> {
  const { api, controlPlane } = stage().cluster
  const [now] = await stored(controlPlane, [route])
  const { resourceVersion } = (now as KubeObject).metadata
  const { status, message } = await api.send('PUT', pathOf(route), {
    ...route,
    metadata: { ...route.metadata, resourceVersion },
  })
  if (status !== 200) throw new Error(`${pathOf(route)} is not written again: ${message}`)
}
