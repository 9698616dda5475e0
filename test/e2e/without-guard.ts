// The measure of the tests for leaks: without the authorization guard, intruders do get through.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { pathOf } from '../integration/api.ts'
import { applied, selector, succeeds } from '../integration/objects.ts'
import { type Intruders, startIntruders } from './intruders/intruders.ts'
import { untilClosed, untilOpen } from './protected.ts'
import { type Client, clientOf } from './stage/client.ts'
import { ENVOY_HTTP_ROUTE } from './stage/route-kinds.ts'
import type { Stage } from './stage/stage.ts'

const LONGEST_OLD_MS = 10_000

/** The last of a stage: Portcullis is gone from it afterwards. */
export function describeWithoutGuard(stage: () => Stage): void {
  describe('with the policies as Portcullis makes them, but for the guard', () => {
    let intruders: Intruders
    let client: Client
    const hosts = () => ['unguarded', 'unguarded-open'].map(name => `${name}.team-a.${stage().domain}`)
    const controlPlane = () => stage().cluster.controlPlane
    const route = (host: string) =>
      ENVOY_HTTP_ROUTE.route({
        namespace: 'monitoring',
        name: host.split('.')[0] as string,
        host,
        service: 'prometheus',
        port: 80,
      })

    beforeAll(async () => {
      client = clientOf(stage())
      await applied(controlPlane(), ...hosts().map(route))
      await untilOpen(client, ...hosts().map(host => `https://${host}/`))
    }, 60_000)
    afterAll(async () => {
      client?.close()
      await intruders?.stop()
    })

    test('connections that are older than the policy get through, and the intruders see it', async () => {
      const [closed, open] = hosts() as [string, string]
      await succeeds(controlPlane(), ['label', ...selector(route(closed)), 'auth.example/protect=true'])
      await untilClosed(client, `https://${closed}/`)
      const policies = await withoutPortcullis(stage())
      await untilOpen(client, `https://${closed}/`)
      intruders = startIntruders(stage(), open, 100)
      intruders.watch(closed, 'once closed')
      await sleep(LONGEST_OLD_MS)
      await applied(controlPlane(), ...policies.map(unguarded))
      await untilClosed(client, `https://${closed}/`)
      await sleep(LONGEST_OLD_MS)
      const { leaks, asked } = await intruders.report()
      process.stdout.write(`without the guard: ${leaks.length} leaks in ${asked} requests\n`)
      expect(leaks.length).toBeGreaterThan(0)
    }, 120_000)
  })
}

/** Takes out whoever keeps the policies as they are, then the policies; gives those of the teams. */
async function withoutPortcullis({ cluster }: Stage): Promise<KubeObject[]> {
  await cluster.portcullis.controller.kill()
  const kinds = 'validatingadmissionpolicybindings,validatingwebhookconfigurations,mutatingwebhookconfigurations'
  await succeeds(cluster.controlPlane, ['delete', kinds, '-l', 'app.kubernetes.io/name=portcullis'])
  const ours = ['-n', 'monitoring', '-l', 'app.kubernetes.io/managed-by=portcullis', '-o', 'json']
  const { items } = JSON.parse(await succeeds(cluster.controlPlane, ['get', 'securitypolicies', ...ours]))
  for (const each of items as KubeObject[]) await cluster.api.send('DELETE', pathOf(each))
  return (items as KubeObject[]).filter(each => 'extAuth' in object(each.spec))
}

function unguarded({ apiVersion, kind, metadata, spec }: KubeObject): KubeObject {
  const { authorization: _, ...rest } = object(spec)
  return { apiVersion, kind, metadata: { namespace: metadata.namespace, name: metadata.name }, spec: rest }
}
