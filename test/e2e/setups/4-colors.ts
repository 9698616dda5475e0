// A web application with annotations of its own behind ingress-nginx, and an internal API that no route leads to.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { strings } from '../../../src/core/json.ts'
import type { KubeObject } from '../../../src/core/types.ts'
import { until } from '../../integration/api.ts'
import { applied, succeeds } from '../../integration/objects.ts'
import { type Ground, header, outcome, untilClosed } from '../protected.ts'
import { type Client, clientOf } from '../stage/client.ts'
import { GROUPS } from '../stage/people.ts'
import { INGRESS_NGINX } from '../stage/route-kinds.ts'
import { faultsOf } from './faults.ts'
import { describePromises } from './promises.ts'
import type { RunningSetup } from './running.ts'
import { placeOf, readSetup } from './setup.ts'
import { testTakenOver } from './taken-over.ts'
import type { OnStage } from './traefik-stage.ts'

const TITLE = '4: a web application with annotations of its own, and an internal API'
const leaveFault = faultsOf(TITLE)
const renamed = { 'example.com': 'corp.test' }

export const colors = readSetup({
  name: '4-a-web-application-with-annotations-of-its-own',
  renamed,
  spec: { access: [{ name: 'admins', allowedGroups: [GROUPS.admins] }] },
})
const [bare] = colors.applications as [KubeObject]
const handMade = readSetup({ name: '4-a-web-application-with-annotations-of-its-own-made-by-hand', renamed })
const [byHand] = handMade.applications as [KubeObject]
const handMadeLogin = handMade.facts.filter(each => each.kind === 'Ingress')

export const wantedByColors = {
  flags: [
    '--pass-access-token=true',
    '--set-authorization-header=true',
    '--cookie-csrf-expire=5m',
    '--user-id-claim=oid',
    '--session-store-type=cookie',
  ],
  internal: [{ namespace: 'colors-api', name: 'colors-api' }],
}

export function describeColors(on: OnStage): void {
  describe(TITLE, () => {
    describeByHand(on)
    describePromises({
      kind: { ...INGRESS_NGINX, title: TITLE, slug: 'setup-4', ownLogin: true },
      stage: on.stage,
      inA: placeOf(bare),
      inB: on.elsewhere,
      teams: () => [on.running(colors).team, on.otherTeam()],
      groups: false,
      more(ground) {
        testPreserved(ground)
        testInternal(() => on.running(colors))
      },
    })
  })
}

function describeByHand({ stage }: OnStage): void {
  describe('made by hand', () => {
    const { url } = placeOf(byHand)
    let client: Client

    beforeAll(async () => {
      client = clientOf(stage())
      await applied(stage().cluster.controlPlane, byHand, ...handMadeLogin)
      await untilClosed(client, url('/'))
      const start = async () => (await client.ask(url('/oauth2/start'))).location ?? ''
      await until('its login is there', async () => (await start()).startsWith(stage().openId.issuer))
    }, 90_000)

    afterAll(async () => {
      client?.close()
      await succeeds(stage().cluster.controlPlane, ['delete'], [byHand, ...handMadeLogin])
    }, 60_000)

    test('of two names for the access token that it waits for, one never comes', async () => {
      const got = await client.login(url('/'), 'alice')
      expect(outcome(got)).toEqual([200, 'colors-web'])
      const [one, other] = [header(got, 'authorization'), header(got, 'x-forwarded-access-token')]
      expect([one.length, other]).toEqual([1, []])
      const seen = 'the answer of oauth2-proxy has none: the application never got it'
      leaveFault('X-Forwarded-Access-Token is awaited', seen, 'X-Auth-Request-Access-Token arrives')
    })

    testTakenOver(stage, byHand)
  })
}

function testPreserved({ inA, now, before, loggedIn }: Ground): void {
  test('every annotation of its own is what it was, byte for byte, and the larger buffer stays', async () => {
    const [as, is] = [before()[0], (await now())[0]].map(each => strings(each?.metadata.annotations))
    expect(Object.keys(as ?? {})).toHaveLength(12)
    expect(is).toMatchObject({ ...as })
    expect(is).toHaveProperty(['nginx.ingress.kubernetes.io/proxy-buffer-size'], '32k')
    expect(is).toHaveProperty(['nginx.ingress.kubernetes.io/auth-url'])
  })

  test('they do what they did: the cookie for affinity is set', async () => {
    const client = await loggedIn('alice')
    await client.ask(inA.url('/'))
    expect(client.jar.names()).toContain('colors-affinity')
  })

  test('the application gets the access token, which its team allows, and no made-up one', async () => {
    const headers = { authorization: 'Bearer evil', 'x-forwarded-access-token': 'evil' }
    const got = await (await loggedIn('alice')).ask(inA.url('/'), { headers })
    expect(header(got, 'authorization')).toEqual([expect.stringMatching(/^Bearer ey/)])
    expect(header(got, 'x-auth-request-access-token')).toEqual([expect.stringMatching(/^\S{20,}$/)])
    expect(got.body).not.toContain('evil')
  })
}

function testInternal(running: () => RunningSetup): void {
  test('as before, the internal API answers whoever is in the cluster: no route leads there, so no label can', async () => {
    const { host, port } = running().listens.get('colors-api') ?? { host: '', port: 0 }
    const got = await fetch(`http://${host}:${port}/colors`)
    expect(got.status).toBe(200)
    const now = 'unchanged: only a NetworkPolicy helps'
    leaveFault('the internal API has no login', `a pod without a session got ${got.status}`, now)
  })
}
