// Nobody without a session reaches an application, whatever is changed, killed or deleted meanwhile.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { KubeObject } from '../../src/core/types.ts'
import { pathOf, until } from '../integration/api.ts'
import { applied, fromYaml, selector, succeeds } from '../integration/objects.ts'
import { type Intruders, startIntruders } from './intruders/intruders.ts'
import { untilOpen } from './protected.ts'
import { clientOf } from './stage/client.ts'
import type { RouteKindOnStage } from './stage/route-kinds.ts'
import type { Stage } from './stage/stage.ts'
import { loginNamespace } from './stage/team.ts'

const ROUTES = 6
const PER_SECOND = Number(process.env.PORTCULLIS_INTRUSIONS_PER_SECOND ?? 600)
const ENOUGH = Number(process.env.PORTCULLIS_INTRUSIONS ?? 100_000)
/** What follows each change: connections of every age meet what it has made. */
const AFTERWARDS_MS = 6_000

export function describeLeaks(kind: RouteKindOnStage, stage: () => Stage): void {
  describe(`${kind.title}, with intruders all the time`, () => {
    let intruders: Intruders
    const cluster = () => stage().cluster
    const host = (name: string) => `${name}-${kind.slug}.team-a.${stage().domain}`
    const route = (name: string, labels: object = {}): KubeObject => {
      const backend = { namespace: 'monitoring', name, host: host(name), service: 'prometheus', port: 80 }
      const { metadata, ...rest } = kind.route(backend)
      return { ...rest, metadata: { ...metadata, labels } } as KubeObject
    }
    const names = (prefix: string) => Array.from({ length: ROUTES }, (_, nth) => `${prefix}-${nth}`)
    const settled = async (what: string) => {
      await sleep(AFTERWARDS_MS)
      expect({ after: what, leaks: (await intruders.report()).leaks }).toEqual({ after: what, leaks: [] })
    }
    const untilWatchedClosed = (prefix: string) =>
      until(`${prefix} closed`, async () => {
        const { hosts } = await intruders.report()
        return names(prefix).every(each => hosts.includes(host(each)))
      })

    beforeAll(async () => {
      await applied(cluster().controlPlane, route('open'))
      const client = clientOf(stage())
      await untilOpen(client, `https://${host('open')}/`)
      client.close()
      intruders = startIntruders(stage(), host('open'), PER_SECOND)
    }, 120_000)
    afterAll(() => intruders?.stop())

    test('routes that are created with the label are never open', async () => {
      for (const name of names('new')) intruders.watch(host(name), 'never')
      await applied(cluster().controlPlane, ...names('new').map(name => route(name, PROTECTED)))
      await untilWatchedClosed('new')
      await settled('routes created')
    }, 120_000)

    test('routes that get the label are closed for good once they have been closed', async () => {
      await applied(cluster().controlPlane, ...names('old').map(name => route(name)))
      for (const name of names('old')) intruders.watch(host(name), 'once closed')
      const routes = names('old').map(name => route(name))
      for (const each of routes) {
        await succeeds(cluster().controlPlane, ['label', ...selector(each), 'auth.example/protect=true'])
      }
      await untilWatchedClosed('old')
      await settled('routes labelled')
    }, 120_000)

    test('so are routes that are edited', async () => {
      for (const level of ['access=admins', 'access-', 'client=api', 'client-']) {
        for (const name of names('old')) {
          const label = ['label', '--overwrite', ...selector(route(name)), `auth.example/${level}`]
          await succeeds(cluster().controlPlane, label)
        }
      }
      await settled('routes edited')
    }, 120_000)

    for (const which of ['webhook', 'controller'] as const) {
      test(`so are all while the ${which} is killed and comes back`, async () => {
        await cluster().restart(which, () => sleep(2_000))
        await settled(`${which} killed`)
      }, 120_000)
    }

    test('so are all while each process of the gateway is killed and comes back', async () => {
      for (const part of Object.keys(stage().gateway.parts)) {
        await stage().gateway.restart(part, () => sleep(2_000))
        await settled(`${part} killed`)
      }
    }, 120_000)

    test('so are all while oauth2-proxy is killed, and its Service deleted and restored', async () => {
      const [team] = stage().teams
      await team?.restart(() => sleep(2_000))
      await settled('oauth2-proxy killed')
      if (team === undefined) throw new Error('the stage has no team')
      const service = ['service', 'oauth2-proxy', '-n', loginNamespace(team.options)]
      const [stored] = fromYaml(await succeeds(cluster().controlPlane, ['get', ...service, '-o', 'yaml']))
      await succeeds(cluster().controlPlane, ['delete', ...service])
      await sleep(3_000)
      await applied(cluster().controlPlane, bare(stored as KubeObject))
      await settled('Service deleted and restored')
    }, 120_000)

    test('so are all while somebody who may deletes what protects them', async () => {
      const ours = (await ownedGuards()).filter(each => each.metadata.namespace !== 'gateways')
      for (const each of ours) {
        const { status, message } = await cluster().api.send('DELETE', pathOf(each))
        // The controller may have put another in its place already.
        if (status !== 200 && status !== 404) throw new Error(`${pathOf(each)} stays: ${message}`)
        await sleep(1_000)
      }
      await settled(`${ours.length} guards and grants deleted`)
    }, 180_000)

    test(
      `not one of ${ENOUGH} requests without a session has reached an application`,
      async () => {
        while ((await intruders.report()).asked < ENOUGH) await sleep(1_000)
        const { leaks, ...rest } = await intruders.report()
        process.stdout.write(`${kind.title}: ${JSON.stringify({ ...rest, hosts: rest.hosts.length, leaks })}\n`)
        expect(leaks).toEqual([])
        expect(rest.hosts).toHaveLength(2 * ROUTES)
        expect(rest.closed).toBeGreaterThan(ENOUGH / 2)
      },
      LONG_MS,
    )

    async function ownedGuards(): Promise<KubeObject[]> {
      const kinds = kind.gateway === 'traefik' ? 'middlewares.traefik.io' : 'securitypolicies,referencegrants'
      const args = ['get', kinds, '-A', '-l', 'app.kubernetes.io/managed-by=portcullis', '-o', 'json']
      return JSON.parse(await succeeds(cluster().controlPlane, args)).items
    }
  })
}

const PROTECTED = { 'auth.example/protect': 'true' }
const LONG_MS = 600_000

/** As its owner would apply it again. */
function bare({ apiVersion, kind, metadata, spec }: KubeObject): KubeObject {
  return { apiVersion, kind, metadata: { namespace: metadata.namespace, name: metadata.name }, spec }
}
