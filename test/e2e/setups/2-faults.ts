// What is wrong with the setup of two teams behind Envoy Gateway as it was made by hand, each seen.
import { expect, test } from '@jest/globals'
import type { KubeObject } from '../../../src/core/types.ts'
import { until } from '../../integration/api.ts'
import { header, outcome } from '../protected.ts'
import type { Client, Got } from '../stage/client.ts'
import { GROUPS } from '../stage/people.ts'
import type { HandMade } from './2-by-hand.ts'
import { identityRoute, PARENT, TITLE } from './2-objects.ts'
import { faultsOf } from './faults.ts'
import { placeOf } from './setup.ts'

const leaveFault = faultsOf(TITLE)

export function testFaults(handMade: HandMade): void {
  testLogin(handMade)
  testPolicies(handMade)
  testObjects(handMade)
}

function testLogin({ url, fresh }: HandMade): void {
  test('the return address loses everything after the first ampersand', async () => {
    const got = await signIn(fresh(), url('/d/x?a=1&b=2'), 'alice')
    expect([got.url, got.status]).toEqual([url('/d/x?a=1'), 200])
    leaveFault('path: /?rd=', `asked for /d/x?a=1&b=2, back at ${pathAndQuery(got)}`, 'back at /d/x?a=1&b=2')
  })

  test('identity that a client makes up is passed on', async () => {
    const client = fresh()
    await signIn(client, url('/'), 'anna')
    const names = ['X-Forwarded-User', 'X-Forwarded-Email', 'X-Forwarded-Groups', 'X-Auth-Request-Preferred-Username']
    const headers = Object.fromEntries(names.map(each => [each, 'evil']))
    const got = await client.ask(url('/'), { headers })
    const arrived = names.filter(each => header(got, each.toLowerCase()).includes('evil'))
    expect(arrived).toEqual(names)
    leaveFault(
      'made-up headers are passed on',
      `anna was to the application what she said in ${arrived.join(', ')}`,
      'none arrives',
    )
  })

  test('the session cookie goes over plain HTTP', async () => {
    const client = fresh()
    await signIn(client, url('/'), 'alice')
    const plain = client.jar.header(new URL(url('/').replace('https:', 'http:')))
    expect(plain).toContain('_oauth2_proxy=')
    leaveFault(
      '--cookie-secure=false',
      'a browser would send the session over plain HTTP',
      'a cookie named __Secure- is none without Secure',
    )
  })
}

function testPolicies({ inA, url, fresh, apply, remove }: HandMade): void {
  test('whoever is in the team lets themselves into what is for its administrators', async () => {
    const member = fresh()
    await signIn(member, url('/'), 'anna')
    await apply(forAdministrators(inA.policy))
    await until('it is for administrators', async () => (await member.ask(url('/'))).status === 403)
    const got = await member.ask(url(`/?z=1&allowed_groups=${GROUPS['team-a']}`))
    expect(outcome(got)).toEqual([200, 'alertmanager'])
    await apply(inA.policy)
    await until('it is for all again', async () => (await member.ask(url('/'))).status === 200)
    leaveFault('groups in path', `anna, no administrator, added allowed_groups to her query: ${got.status}`, '403')
  }, 60_000)

  test('recomputeRoute leads who has logged in to another route, whose own policy is not asked', async () => {
    const [route, policy] = [identityRoute(), forAdministrators(inA.policy, 'for-administrators')]
    await apply(policy, route)
    const member = fresh()
    await signIn(member, url('/'), 'anna')
    const asked = () => member.ask(url('/'), { headers: { 'X-Auth-Request-Email': 'anna@corp.test' } })
    await until('asked directly, it refuses her', async () => (await asked()).status === 403)
    await until('she is there', async () => (await member.ask(url('/'))).reached?.application === 'prometheus')
    expect(outcome(await asked())).toEqual([403, undefined])
    await remove(policy, route)
    leaveFault(
      'recomputeRoute',
      'anna reached a route for administrators, where asked directly she got 403',
      'she stays on the route that she asked for',
    )
  }, 60_000)
}

function testObjects({ inA, inB, url, fresh, apply }: HandMade): void {
  test("the teams' cookies have one name on one domain: a session with one team ends that with the other", async () => {
    const client = fresh()
    const there = placeOf(inB.route).url('/')
    await signIn(client, url('/'), 'alice')
    expect(outcome(await client.ask(url('/')))).toEqual([200, 'alertmanager'])
    await signIn(client, there, 'alice')
    expect(outcome(await client.ask(there))).toEqual([200, 'grafana'])
    const got = await client.ask(url('/'))
    expect(got.reached).toBeUndefined()
    leaveFault(
      'one cookie name for every team',
      `after a login at team-b, team-a's application: ${got.status}, the login again`,
      'both sessions at once; a second team with the name is refused',
    )
  })

  test('a passthrough that spells the namespace of the Gateway otherwise is attached nowhere: a broken login page', async () => {
    const [css, was] = [url('/oauth2/static/css/bulma.min.css'), inA.passthrough]
    expect((await fresh().ask(css)).status).toBe(200)
    await apply(JSON.parse(JSON.stringify(was).replace(PARENT, PARENT.replace('gateways', 'gateway'))))
    await until('it is attached nowhere', async () => (await fresh().ask(css)).status !== 200)
    const got = await fresh().ask(css)
    await apply(was)
    await until('it is attached', async () => (await fresh().ask(css)).status === 200)
    leaveFault(
      "the Gateway's namespace in two spellings",
      `the style of the login page: ${got.status}, and no object says why`,
      'the label is refused: gateway-unknown',
    )
  }, 60_000)
}

/** The page of oauth2-proxy with its button, which this setup has; then the OpenID provider. */
async function signIn(client: Client, url: string, person: string): Promise<Got> {
  const page = await client.ask(url)
  const target = /name="rd" value="([^"]*)"/.exec(page.body)?.[1]?.replaceAll('&amp;', '&') ?? ''
  const start = new URL(`/oauth2/start?rd=${encodeURIComponent(target)}`, url)
  return client.login(start.href, person)
}

function pathAndQuery({ url }: Got): string {
  return url.slice(new URL(url).origin.length)
}

function forAdministrators({ metadata, spec, ...rest }: KubeObject, route?: string): KubeObject {
  const text = JSON.stringify(spec).replace('/?rd=', `/?allowed_groups=${GROUPS.admins}&rd=`)
  const changed = JSON.parse(text)
  if (route === undefined) return { ...rest, metadata, spec: changed }
  const targetRefs = [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: route }]
  return { ...rest, metadata: { ...metadata, name: route }, spec: { ...changed, targetRefs } }
}
