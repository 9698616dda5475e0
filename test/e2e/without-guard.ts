// The measure of the tests for leaks: without what guards routes, intruders do get through.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { pathOf, until } from '../integration/api.ts'
import { applied, succeeds } from '../integration/objects.ts'
import { type Intruders, startIntruders } from './intruders/intruders.ts'
import { overwrite, PROTECTED } from './leaks/watched.ts'
import { untilClosed, untilOpen } from './protected.ts'
import { leaveFigure } from './report/evidence.ts'
import { type Client, clientOf } from './stage/client.ts'
import type { RouteKindOnStage } from './stage/route-kinds.ts'
import type { Stage } from './stage/stage.ts'

const LONGEST_OLD_MS = 10_000
/** In which intruders meet every route. */
const SEEN_MS = 3_000

type Labelled = { readonly route: KubeObject; readonly host: string; readonly url: string }

type Unguarded = {
  readonly stage: Stage
  readonly client: Client
  readonly intruders: Intruders
  readonly labelled: readonly Labelled[]
}

/** The last of a stage: Portcullis is gone from it afterwards. */
export function describeWithoutGuard(kinds: readonly RouteKindOnStage[], stage: () => Stage): void {
  const [first] = kinds as readonly [RouteKindOnStage, ...RouteKindOnStage[]]
  const { title, happens } = WITHOUT[first.gateway]
  describe('with nobody who guards the routes', () => {
    let intruders: Intruders
    let client: Client
    const controlPlane = () => stage().cluster.controlPlane
    const host = (name: string, { slug }: RouteKindOnStage) => `${name}-${slug}.team-a.${stage().domain}`
    const route = (kind: RouteKindOnStage, name: string): KubeObject => {
      const backend = { namespace: 'monitoring', host: host(name, kind), service: 'prometheus', port: 80 }
      return kind.route({ ...backend, name: `${name}-${kind.slug}` })
    }
    const unguarded = () =>
      kinds.map((kind): Labelled => {
        const { metadata, ...rest } = route(kind, 'unguarded')
        const of = host('unguarded', kind)
        return { route: { ...rest, metadata: { ...metadata, labels: PROTECTED } }, host: of, url: `https://${of}/` }
      })

    beforeAll(async () => {
      client = clientOf(stage())
      // What was deleted before has to be back for as long as a Gateway needs to be prepared.
      await until('routes may be labelled', () =>
        applied(controlPlane(), route(first, 'beside'), ...unguarded().map(each => each.route)).then(
          () => true,
          () => false,
        ),
      )
      await untilOpen(client, `https://${host('beside', first)}/`)
      await untilClosed(client, ...unguarded().map(each => each.url))
      intruders = startIntruders(stage(), host('beside', first), 100)
    }, 60_000)
    afterAll(async () => {
      client?.close()
      await intruders?.stop()
    })

    test(`${title}, and the intruders see it`, async () => {
      await happens({ stage: stage(), client, intruders, labelled: unguarded() })
      const { leaks, answered } = await intruders.report()
      const figure = `${leaks.length} answers from an application in ${answered.toLocaleString('en')} requests`
      process.stdout.write(`with nobody who guards the routes: ${figure}\n`)
      leaveFigure('without a session', figure)
      expect(new Set(leaks.map(each => each.host))).toEqual(new Set(unguarded().map(each => each.host)))
    }, 120_000)
  })
}

const WITHOUT = {
  'envoy-gateway': {
    title: 'with the policies as Portcullis makes them but for the guard, connections that are older get through',
    happens: policiesWithoutGuard,
  },
  traefik: {
    title: 'routes that are written again as their owner has them are open',
    happens: writtenAgain,
  },
} as const

async function policiesWithoutGuard({ stage, client, intruders, labelled }: Unguarded): Promise<void> {
  const urls = labelled.map(each => each.url)
  await withoutPortcullis(stage)
  const policies = await policiesTaken(stage)
  await untilOpen(client, ...urls)
  for (const each of labelled) intruders.watch(each.host, 'once closed')
  await sleep(LONGEST_OLD_MS)
  await applied(stage.cluster.controlPlane, ...policies.map(unguarded))
  await untilClosed(client, ...urls)
  await sleep(LONGEST_OLD_MS)
}

async function writtenAgain({ stage, client, intruders, labelled }: Unguarded): Promise<void> {
  for (const each of labelled) intruders.watch(each.host, 'once closed')
  await sleep(SEEN_MS)
  await withoutPortcullis(stage)
  for (const { route } of labelled) await overwrite({ stage: () => stage }, route)
  await untilOpen(client, ...labelled.map(each => each.url))
  await sleep(SEEN_MS)
}

/** Takes out whoever keeps things as they are: nobody is asked, and nobody puts anything back. */
async function withoutPortcullis({ cluster }: Stage): Promise<void> {
  await cluster.portcullis.controller.kill()
  const kinds = 'validatingadmissionpolicybindings,validatingwebhookconfigurations,mutatingwebhookconfigurations'
  await succeeds(cluster.controlPlane, ['delete', kinds, '-l', 'app.kubernetes.io/name=portcullis'])
}

/** Gives those of the teams, which are gone then. */
async function policiesTaken({ cluster }: Stage): Promise<KubeObject[]> {
  const ours = ['-n', 'monitoring', '-l', 'app.kubernetes.io/managed-by=portcullis', '-o', 'json']
  const { items } = JSON.parse(await succeeds(cluster.controlPlane, ['get', 'securitypolicies', ...ours]))
  for (const each of items as KubeObject[]) await cluster.api.send('DELETE', pathOf(each))
  return (items as KubeObject[]).filter(each => 'extAuth' in object(each.spec))
}

function unguarded({ apiVersion, kind, metadata, spec }: KubeObject): KubeObject {
  const { authorization: _, ...rest } = object(spec)
  return { apiVersion, kind, metadata: { namespace: metadata.namespace, name: metadata.name }, spec: rest }
}
