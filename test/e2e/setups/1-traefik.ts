// Traefik with one oauth2-proxy for everybody: by hand a Middleware that the application's Ingress names.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { KubeObject } from '../../../src/core/types.ts'
import { until } from '../../integration/api.ts'
import { applied, succeeds } from '../../integration/objects.ts'
import { type Ground, header, outcome, untilClosed } from '../protected.ts'
import { type Client, clientOf } from '../stage/client.ts'
import { GROUPS } from '../stage/people.ts'
import { TRAEFIK_INGRESS } from '../stage/route-kinds.ts'
import { faultsOf } from './faults.ts'
import { describePromises } from './promises.ts'
import type { RunningSetup } from './running.ts'
import { placeOf, readSetup } from './setup.ts'
import { testTakenOver } from './taken-over.ts'
import type { OnStage } from './traefik-stage.ts'

const DOMAIN = 'everybody.corp.test'
const TITLE = '1: Traefik with one oauth2-proxy'
const leaveFault = faultsOf(TITLE)
const renamed = { 'example.com': DOMAIN }

export const everybody = readSetup({
  name: '1-traefik-with-one-oauth2-proxy',
  renamed,
  spec: { access: [{ name: 'admins', allowedGroups: [GROUPS.admins] }], passthrough: 'Always' },
})
const [bare] = everybody.applications as [KubeObject]
const [byHand] = readSetup({ name: '1-traefik-with-one-oauth2-proxy-made-by-hand', renamed }).applications as [
  KubeObject,
]

/** Both ways have these. */
const FLAGS = ['--skip-jwt-bearer-tokens=true', '--set-authorization-header=true', '--pass-access-token=true']

const headers = { stsSeconds: 315_360_000, frameDeny: true, contentTypeNosniff: true }

export const wantedByEverybody = {
  flags: [...FLAGS, '--cookie-refresh=1h'],
  objects: [middleware('headers', { headers })],
}

/** As it was described, but for a cookie that is renewed at once instead of after an hour. */
const BY_HAND = [
  ...FLAGS,
  '--oidc-email-claim=upn',
  '--scope=openid profile',
  '--reverse-proxy=true',
  '--skip-provider-button=true',
  '--set-xauthrequest=true',
  '--cookie-refresh=1s',
  `--cookie-domain=.${DOMAIN}`,
  `--redirect-url=https://login.${DOMAIN}/oauth2/callback`,
  '--upstream=static://202',
  '--whitelist-domain=*',
]

const forwardAuth = {
  address: 'http://oauth2-proxy.oauth2proxy.svc.cluster.local/',
  trustForwardHeader: true,
  authResponseHeaders: [
    'X-Auth-Request-Access-Token',
    'Authorization',
    'X-Auth-Request-Redirect',
    'X-Auth-Request-Email',
    'X-Auth-Request-User',
    'X-Auth-Request-Groups',
    'X-Auth-Request-Username',
    'Set-Cookie',
  ],
}

export function describeEverybody(on: OnStage): void {
  describe(TITLE, () => {
    describeByHand(on)
    describePromises({
      kind: { ...TRAEFIK_INGRESS, title: TITLE, slug: 'setup-1', ownLogin: true },
      stage: on.stage,
      inA: placeOf(bare),
      inB: on.elsewhere,
      teams: () => [on.running(everybody).team, on.otherTeam()],
      groups: false,
      more: ground => testRenewal(ground, () => on.running(everybody)),
    })
  })
}

function describeByHand({ stage, running }: OnStage): void {
  describe('made by hand', () => {
    const { url } = placeOf(byHand)
    const clients: Client[] = []
    const fresh = () => {
      const client = clientOf(stage())
      clients.push(client)
      return client
    }

    beforeAll(async () => {
      await running(everybody).runByHand(...BY_HAND)
      await applied(stage().cluster.controlPlane, middleware('forwardauth', { forwardAuth }), byHand)
      await untilClosed(fresh(), url('/'))
    }, 90_000)

    afterAll(async () => {
      for (const client of clients) client.close()
      await succeeds(stage().cluster.controlPlane, ['delete'], [byHand, middleware('forwardauth', { forwardAuth })])
      await running(everybody).runAsAsked()
    }, 60_000)

    test('the whitelist * matches nothing: nobody gets back to the application', async () => {
      const got = await fresh().login(url('/d/x?a=1'), 'alice')
      expect([got.url, got.status, got.reached]).toEqual([`https://login.${DOMAIN}/d/x?a=1`, 202, undefined])
      const seen = `the login ended on the host of the login, ${got.url}, with ${got.status} and an empty page`
      leaveFault('whitelist *', seen, 'the login ends on the page that was asked for')
    })

    test('a renewed session cookie goes to the application instead of the browser', async () => {
      const client = fresh()
      await client.login(url('/'), 'alice')
      const cookie = client.jar.header(new URL(url('/')))
      await until('it is renewed', async () => header(await client.ask(url('/')), 'set-cookie').length > 0)
      expect(client.jar.header(new URL(url('/')))).toBe(cookie)
      const seen = 'the application got a header Set-Cookie with the session, the browser none'
      leaveFault('Set-Cookie among the response headers', seen, 'the browser gets it, the application does not')
    }, 60_000)

    test('there is no X-Auth-Request-Username', async () => {
      const client = fresh()
      await client.login(url('/'), 'alice')
      const got = await client.ask(url('/'))
      expect(outcome(got)).toEqual([200, 'whoami'])
      expect([header(got, 'x-auth-request-username'), header(got, 'x-auth-request-user').length]).toEqual([[], 1])
      const now = 'X-Auth-Request-Preferred-Username arrives'
      leaveFault('X-Auth-Request-Username does not exist', 'the application never got it', now)
    })

    testTakenOver(stage, byHand, () => running(everybody).runAsAsked())
  })
}

function testRenewal({ inA, loggedIn }: Ground, running: () => RunningSetup): void {
  test('a renewed session cookie goes to the browser, and not to the application', async () => {
    await running().runAsAsked('--cookie-refresh=1s')
    const client = await loggedIn('alice')
    let got = await client.ask(inA.url('/'))
    await until('it is renewed', async () => {
      got = await client.ask(inA.url('/'))
      return got.header('set-cookie')?.startsWith(`${everybody.team.proxy.cookieName}=`) === true
    })
    expect([...outcome(got), header(got, 'set-cookie')]).toEqual([200, 'whoami', []])
    await running().runAsAsked()
  }, 90_000)
}

function middleware(name: string, spec: object): KubeObject {
  return { apiVersion: 'traefik.io/v1alpha1', kind: 'Middleware', metadata: { namespace: 'oauth2proxy', name }, spec }
}
