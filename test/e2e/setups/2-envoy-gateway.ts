// Envoy Gateway with one oauth2-proxy for each team: two teams on one domain, two applications of each.
import { describe, expect, test } from '@jest/globals'
import { object } from '../../../src/core/json.ts'
import type { KubeObject } from '../../../src/core/types.ts'
import { until } from '../../integration/api.ts'
import { applied, inYaml, selector, succeeds } from '../../integration/objects.ts'
import { type Ground, outcome, untilClosed, untilOpen } from '../protected.ts'
import { ENVOY_HTTP_ROUTE } from '../stage/route-kinds.ts'
import { describeByHand } from './2-by-hand.ts'
import { alertmanager, grafana, identityRoute, type OnEnvoy, prometheus, TITLE, teamA, teamB } from './2-objects.ts'
import { PREFLIGHT } from './preflight.ts'
import { describePromises } from './promises.ts'
import { placeOf } from './setup.ts'

export function describeTeams(on: OnEnvoy): void {
  const { stage, running } = on
  describe(TITLE, () => {
    describeByHand(on)
    describePromises({
      kind: { ...ENVOY_HTTP_ROUTE, title: TITLE, slug: 'setup-2' },
      stage,
      inA: placeOf(alertmanager),
      inB: placeOf(grafana),
      teams: () => [running(teamA).team, running(teamB).team],
      groups: true,
      more(ground) {
        testSecondApplication(ground)
        testSideBySide(ground)
        testSecure(ground)
        testRefused(ground)
        testIdentityRoutes(ground)
        testAnsweredPreflight(ground)
      },
    })
  })
}

function testSecondApplication({ stage, fresh, loggedIn }: Ground): void {
  const { url, application, route } = placeOf(prometheus)
  test('the second application of the team takes one label more, and no further login', async () => {
    const { controlPlane } = stage().cluster
    await applied(controlPlane, route())
    await untilOpen(fresh(), url('/'))
    await succeeds(controlPlane, ['label', ...selector(route()), 'auth.example/protect=true'])
    await untilClosed(fresh(), url('/'))
    expect(outcome(await (await loggedIn('anna')).ask(url('/graph')))).toEqual([200, application])
    await succeeds(controlPlane, ['delete'], [route()])
  }, 60_000)

  test("the login's own pages are whole on the host of the application", async () => {
    const got = await fresh().ask(placeOf(alertmanager).url('/oauth2/static/css/bulma.min.css'))
    expect([got.status, got.header('content-type')]).toEqual([200, expect.stringContaining('text/css')])
  })
}

function testSideBySide({ inA, inB, fresh }: Ground): void {
  test('who is in both teams has both sessions at once, under the same domain', async () => {
    const client = fresh()
    for (const { url } of [inA, inB]) await client.login(url('/'), 'alice')
    const got = [await client.ask(inA.url('/')), await client.ask(inB.url('/'))]
    expect(got.map(outcome)).toEqual([
      [200, inA.application],
      [200, inB.application],
    ])
  })
}

function testSecure({ inA, loggedIn }: Ground): void {
  test('the session cookie never goes over plain HTTP', async () => {
    const { jar } = await loggedIn('alice')
    expect(jar.header(new URL(inA.url('/')))).toContain(teamA.team.proxy.cookieName)
    expect(jar.header(new URL(`http://${inA.host()}/`)) ?? '').not.toContain(teamA.team.proxy.cookieName)
  })
}

function testRefused({ stage, inA }: Ground): void {
  const refusal = async (document: KubeObject) => {
    const { stderr } = await stage().cluster.controlPlane.kubectl(
      ['create', '--dry-run=server', '-f', '-'],
      inYaml([document]),
    )
    return stderr
  }

  test('a team with the cookie of another on the same domain is refused', async () => {
    const { proxy } = teamA.team
    const document = {
      apiVersion: 'auth.example/v1alpha1',
      kind: 'AuthTeam',
      metadata: { name: 'team-c' },
      spec: {
        namespaces: { names: ['monitoring-team-c'] },
        hosts: ['*-team-c.corp.test'],
        proxy: {
          ...proxy,
          service: { namespace: 'monitoring-team-c', name: 'oauth2-proxy' },
          loginHost: 'login-team-c.corp.test',
        },
      },
    }
    expect(await refusal(document)).toContain('[team-cookie]')
  })

  test('the label is refused where the namespace of the Gateway is spelled wrong', async () => {
    const { metadata, ...rest } = JSON.parse(JSON.stringify(inA.route()).replace('"gateways"', '"gateway"'))
    const labels = { 'auth.example/protect': 'true' }
    expect(await refusal({ ...rest, metadata: { ...metadata, name: 'misspelled', labels } })).toContain(
      '[gateway-unknown]',
    )
  })
}

function testIdentityRoutes({ stage, inA, loggedIn }: Ground): void {
  test('who has logged in stays on the route that the login was for', async () => {
    const { controlPlane } = stage().cluster
    const labels = { 'auth.example/protect': 'true', 'auth.example/access': 'admins' }
    const { metadata, ...rest } = identityRoute()
    await applied(controlPlane, { ...rest, metadata: { ...metadata, labels } })
    const member = await loggedIn('anna')
    const headers = { 'X-Auth-Request-Email': 'alice@corp.test' }
    for (let count = 0; count < 30; count++) {
      expect(outcome(await member.ask(inA.url('/'), { headers }))).toEqual([200, inA.application])
    }
    await succeeds(controlPlane, ['delete'], [identityRoute()])
  }, 60_000)
}

function testAnsweredPreflight({ stage, fresh }: Ground): void {
  const { url, route } = placeOf(prometheus)
  const { accept, origin } = PREFLIGHT.headers

  test('with a CORS filter in the route the gateway answers preflights, and a login is asked for as before', async () => {
    const { controlPlane } = stage().cluster
    await applied(controlPlane, withCors(route(), origin))
    const ask = () => fresh().ask(url('/api'), PREFLIGHT)
    await until('preflights are answered', async () => (await ask()).header('access-control-allow-origin') === origin)
    expect(outcome(await ask())).toEqual([200, undefined])
    await untilClosed(fresh(), url('/'))
    const put = await fresh().ask(url('/api'), { method: 'PUT', body: 'x', headers: { accept, origin } })
    expect(outcome(put)).toEqual([302, undefined])
    await succeeds(controlPlane, ['delete'], [route()])
  }, 60_000)
}

/** Labelled from the start. */
function withCors({ metadata, spec, ...rest }: KubeObject, origin: string): KubeObject {
  const cors = { allowOrigins: [origin], allowMethods: ['PUT'], allowHeaders: ['content-type'] }
  const [rule] = object(spec).rules as [object]
  const rules = [{ ...rule, filters: [{ type: 'CORS', cors }] }]
  const labels = { 'auth.example/protect': 'true' }
  return { ...rest, metadata: { ...metadata, labels }, spec: { ...object(spec), rules } }
}
