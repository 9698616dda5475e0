// The same made by hand, as before Portcullis: three objects for each application, and nobody who prepares the Gateway.
import { afterAll, beforeAll, describe } from '@jest/globals'
import { array, object } from '../../../src/core/json.ts'
import { PROTECT } from '../../../src/core/keys.ts'
import type { KubeObject } from '../../../src/core/types.ts'
import { pathOf, until } from '../../integration/api.ts'
import { applied, succeeds } from '../../integration/objects.ts'
import { type Client, clientOf } from '../stage/client.ts'
import type { Stage } from '../stage/stage.ts'
import { testFaults } from './2-faults.ts'
import { groupsOf, type OnEnvoy, renamedForA, renamedForB, teamA, teamB } from './2-objects.ts'
import { placeOf, readSetup, type Setup } from './setup.ts'

const name = '2-envoy-gateway-with-one-oauth2-proxy-for-each-team-made-by-hand'

/** As it was described, but for the provider, which is nobody's here. */
function flags({ team }: Setup, of: 'team-a' | 'team-b', redis: string): string[] {
  return [
    '--upstream=static://200',
    '--reverse-proxy=true',
    '--oidc-email-claim=upn',
    '--scope=openid profile',
    `--redirect-url=https://${team.proxy.loginHost}/oauth2/callback`,
    '--whitelist-domain=*.corp.test',
    '--cookie-domain=.corp.test',
    '--set-xauthrequest=true',
    ...groupsOf(of).map(group => `--allowed-group=${group}`),
    '--cookie-secure=false',
    '--insecure-oidc-skip-issuer-verification=true',
    '--ssl-insecure-skip-verify=true',
    '--session-store-type=redis',
    `--redis-connection-url=${redis}`,
  ]
}

export type HandMade = {
  readonly inA: ReturnType<typeof objectsOf>
  readonly inB: ReturnType<typeof objectsOf>
  /** Of the application of team-a. */
  url(path: string): string
  fresh(): Client
  apply(...documents: readonly KubeObject[]): Promise<void>
  remove(...documents: readonly KubeObject[]): Promise<void>
}

function objectsOf(renamed: Readonly<Record<string, string>>) {
  const { facts, applications } = readSetup({ name, renamed })
  const of = (kind: string) => facts.find(each => each.kind === kind) as KubeObject
  return { route: applications[0] as KubeObject, passthrough: of('HTTPRoute'), policy: of('SecurityPolicy') }
}

export function describeByHand({ stage, running }: OnEnvoy): void {
  describe('made by hand', () => {
    const [inA, inB] = [objectsOf(renamedForA), objectsOf(renamedForB)]
    const { url } = placeOf(inA.route)
    const clients: Client[] = []
    const fresh = () => {
      const client = clientOf(stage())
      clients.push(client)
      return client
    }
    const apply = (...documents: readonly KubeObject[]) => applied(stage().cluster.controlPlane, ...documents)
    const remove = async (...documents: readonly KubeObject[]) => {
      await succeeds(stage().cluster.controlPlane, ['delete'], documents)
    }

    beforeAll(async () => {
      await withoutPortcullis(stage())
      await running(teamA).runByHand(...flags(teamA, 'team-a', stage().redis.url))
      await running(teamB).runByHand(...flags(teamB, 'team-b', stage().redis.url))
      await apply(...Object.values(inA), ...Object.values(inB))
      for (const { route } of [inA, inB]) await untilSignIn(fresh(), placeOf(route).url('/'))
    }, 120_000)

    afterAll(async () => {
      for (const client of clients) client.close()
      await remove(...Object.values(inA), ...Object.values(inB))
      for (const setup of [teamA, teamB]) await running(setup).runAsAsked()
      await stage().cluster.restart('controller')
      await untilAdmitted(stage())
    }, 180_000)

    testFaults({ inA, inB, url, fresh, apply, remove })
  })
}

async function untilSignIn(client: Client, url: string): Promise<void> {
  await until(`${url} shows the login`, async () => (await client.ask(url)).body.includes('/oauth2/start'))
}

/** Nobody makes companions, and the client policy of the Gateway is gone. */
async function withoutPortcullis({ cluster }: Stage): Promise<void> {
  await cluster.portcullis.controller.kill()
  const ours = ['-A', '-l', 'app.kubernetes.io/managed-by=portcullis', '-o', 'json']
  const { items } = JSON.parse(await succeeds(cluster.controlPlane, ['get', 'clienttrafficpolicies', ...ours]))
  for (const each of array(items)) await cluster.api.send('DELETE', pathOf(each as KubeObject))
}

/** The Gateway is prepared once the connections of before are gone. */
export async function untilAdmitted({ cluster }: Stage): Promise<void> {
  for (const { applications } of [teamA, teamB]) {
    const [route] = applications as [KubeObject]
    const probe = {
      ...route,
      metadata: { ...object(route.metadata), name: 'probe', labels: { [PROTECT]: 'true' } },
    } as KubeObject
    await until(`${route.metadata.namespace} may label`, async () => {
      return (await cluster.api.create(probe, undefined, '?dryRun=All')).status === 201
    })
  }
}
