// Every host serves its own login: ingress-nginx and groups of Entra ID.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { strings } from '../../../src/core/json.ts'
import type { KubeObject } from '../../../src/core/types.ts'
import { until } from '../../integration/api.ts'
import { applied, succeeds } from '../../integration/objects.ts'
import { type Ground, outcome } from '../protected.ts'
import { clientOf } from '../stage/client.ts'
import { GROUPS, TENANT } from '../stage/people.ts'
import { INGRESS_NGINX } from '../stage/route-kinds.ts'
import { faultsOf } from './faults.ts'
import { describePromises } from './promises.ts'
import { hostsOf, placeOf, readSetup } from './setup.ts'
import { signedToken } from './signed-token.ts'
import { testTakenOver } from './taken-over.ts'
import type { OnStage } from './traefik-stage.ts'

const TITLE = '5: ingress-nginx with groups of Entra ID, where every host serves its own login'
const leaveFault = faultsOf(TITLE)
const renamed = { 'example.com': 'corp.test' }
const BUFFER = 'nginx.ingress.kubernetes.io/proxy-buffer-size'

export const reports = readSetup({
  name: '5-every-host-serves-its-own-login',
  renamed,
  spec: { access: [{ name: 'admins', allowedGroups: [GROUPS.admins] }] },
})
const [bare] = reports.applications as [KubeObject]
const handMade = readSetup({ name: '5-every-host-serves-its-own-login-made-by-hand', renamed })
const [byHand] = handMade.applications as [KubeObject]
const handMadeLogin = handMade.facts.filter(each => each.kind === 'Ingress')

export const wantedByReports = {
  flags: ['--scope=openid', '--skip-jwt-bearer-tokens=true'],
  allowedGroups: [GROUPS['team-a']],
}

export function describeReports(on: OnStage): void {
  describe(TITLE, () => {
    describeByHand(on)
    describePromises({
      kind: { ...INGRESS_NGINX, title: TITLE, slug: 'setup-5', ownLogin: true },
      stage: on.stage,
      inA: placeOf(bare),
      inB: on.elsewhere,
      teams: () => [on.running(reports).team, on.otherTeam()],
      groups: true,
      more(ground) {
        testOtherHost(ground)
        testBearer(ground)
        testBuffer(ground)
      },
    })
  })
}

function describeByHand({ stage }: OnStage): void {
  describe('made by hand', () => {
    const { url } = placeOf(byHand)

    beforeAll(() => applied(stage().cluster.controlPlane, byHand, ...handMadeLogin), 60_000)
    afterAll(async () => {
      await succeeds(stage().cluster.controlPlane, ['delete'], [byHand, ...handMadeLogin])
    }, 60_000)

    test('$host in auth-url is looked up by the gateway itself, which may not know it: nobody gets in', async () => {
      const client = clientOf(stage())
      await until('it is served', async () => (await client.ask(url('/'))).status !== 404)
      const got = await client.ask(url('/'))
      client.close()
      expect(outcome(got)).toEqual([500, undefined])
      const seen = `where the name does not lead back to the gateway, everybody got ${got.status}`
      leaveFault('$host resolved by the gateway', seen, 'auth-url is the Service in the cluster')
    }, 60_000)

    testTakenOver(stage, byHand)
  })
}

function testOtherHost({ kind, fresh }: Ground): void {
  test('a login on the other host of the application leads back there', async () => {
    const other = `https://${hostsOf(bare)[1]}/d/x?a=1&b=2`
    const got = await fresh().login(other, 'anna')
    expect([got.url, got.reached?.url]).toEqual([other, kind.handsOn('/d/x?a=1&b=2')])
  })
}

function testBearer({ stage, inA, fresh, label }: Ground): void {
  test('programs get in with a token of version 2, and with none of version 1', async () => {
    const about = { aud: reports.client.id, sub: 'program', upn: 'program@corp.test', groups: [GROUPS['team-a']] }
    const ask = async (iss: string) => {
      const authorization = `Bearer ${signedToken({ ...about, iss })}`
      return outcome(await fresh().ask(inA.url('/'), { headers: { authorization } }))
    }
    await label(inA, 'auth.example/client=api')
    await until('it is for programs', async () => (await fresh().ask(inA.url('/'))).status === 401)
    const [two, one] = [await ask(stage().openId.issuer), await ask(`https://sts.windows.net/${TENANT}/`)]
    await label(inA, 'auth.example/client-')
    await until('it is for browsers', async () => (await fresh().ask(inA.url('/'))).status === 302)
    expect([two, one]).toEqual([
      [200, inA.application],
      [401, undefined],
    ])
    const seen = `a token of sts.windows.net that the same key had signed: ${one[0]}; of the version 2 issuer: ${two[0]}`
    leaveFault('tokens of version 1', seen, 'the same: the registration has to ask for version 2')
  }, 60_000)
}

function testBuffer({ now }: Ground): void {
  test('the buffer is on the Ingress of the application, where the authentication is asked for', async () => {
    const [route] = await now()
    const size = strings(route?.metadata.annotations)[BUFFER]
    expect(size).toBe('512k')
    const seen = 'not to be seen with Traefik, which has no such buffer'
    leaveFault('a buffer that is too small on the application', seen, `${size} on its Ingress`)
  })
}
