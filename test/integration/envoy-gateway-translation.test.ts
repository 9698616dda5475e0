// What Envoy Gateway's own translator makes of the companions: who is asked, who is denied, on which listener.
import { beforeAll, expect, test } from '@jest/globals'
import { array, object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { describeWithParts } from '../parts/require.ts'
import { cluster, companionsFor, route } from './envoy-gateway-cluster.ts'
import { PROTECT } from './routes.ts'
import { type Translation, translate } from './translation.ts'

const ACCESS = 'auth.example/access'
const ASKED = { asks: '/', guard: 'ALLOW x-auth-request-user @in request.headers', otherwise: 'DENY' }
const RBAC = 'envoy.filters.http.rbac'

const ungranted = { namespace: 'shop', domain: 'team-b.example.com', listener: 'shared' }
const unserved = { namespace: 'monitoring-team-a', listener: 'shared' }

const routes = [
  route('member', { [PROTECT]: 'true' }, { listener: 'shared' }),
  route('admin', { [PROTECT]: 'team-a', [ACCESS]: 'admins' }, { listener: 'shared' }),
  route('typo', { [PROTECT]: 'team-z' }, { listener: 'shared' }),
  route('unknown-level', { [PROTECT]: 'true', [ACCESS]: 'admin' }, { listener: 'shared' }),
  route('open', {}, { listener: 'shared' }),
  route('on-purpose', { [PROTECT]: 'false' }, { listener: 'shared' }),
  route('strict-member', { [PROTECT]: '' }, { listener: 'strict' }),
  route('strict-open', {}, { listener: 'strict' }),
  route('login', {}, { listener: 'strict', namespace: 'monitoring-team-a', service: 'oauth2-proxy' }),
  route('ungranted', { [PROTECT]: 'true' }, ungranted),
  route('unserved', { [PROTECT]: 'true' }, unserved),
  route('idle', {}, { gateway: 'idle' }),
  route('foreign', {}, { gateway: 'other' }),
]

/** Two are taken away: a grant, and the policies of the team in a namespace. */
function isThere({ kind, metadata }: KubeObject): boolean {
  if (kind === 'ReferenceGrant') return metadata.namespace !== 'login-team-b'
  return metadata.namespace !== unserved.namespace || !String(metadata.name).startsWith('portcullis-team.')
}

describeWithParts("Envoy Gateway's translator", ['egctl'], () => {
  const made = companionsFor(routes, ['route/HTTPRoute/monitoring-team-a/login', 'gateway/gateways/idle'])
  let translation: Translation

  beforeAll(async () => {
    translation = await translate([...(await cluster(routes)), ...routes, ...made.filter(isThere)])
  }, 60_000)

  const passthroughOf = (name: string) => {
    const host = `${name}.team-a.example.com`
    const found = made.find(({ kind, spec }) => kind === 'HTTPRoute' && array(object(spec).hostnames)[0] === host)
    return translation.route(String(found?.metadata.name))
  }

  test('policies of a team are accepted, and the net is in conflict with them, as it is to be', () => {
    expect(translation.policy('wiki', 'portcullis-team.team-a')).toEqual(['shared: Accepted', 'strict: Accepted'])
    expect(translation.policy('wiki', 'portcullis-team.team-a.admins')).toEqual(['shared: Accepted'])
    expect(translation.policy('wiki', 'portcullis-zz-net.1')).toEqual(['shared: Conflicted', 'strict: Conflicted'])
  })

  test('a labelled route asks oauth2-proxy, and only what it has marked goes through', () => {
    expect(translation.route('member')).toEqual(ASKED)
    expect(translation.route('strict-member')).toEqual(ASKED)
  })

  test('an access level asks with its groups, at a path that takes nothing from the request', () => {
    const groups = ['0b1f4cb6-4f2a-4b0e-a5c4-111111111111', '0b1f4cb6-4f2a-4b0e-a5c4-222222222222']
    expect(translation.route('admin')).toEqual({ ...ASKED, asks: `/?allowed_groups=${groups.join(',')}` })
  })

  test('the net denies a label that no team serves, and an access level that the team has not', () => {
    expect(translation.route('typo')).toEqual({ otherwise: 'DENY' })
    expect(translation.route('unknown-level')).toEqual({ otherwise: 'DENY' })
  })

  test('where the policies of the team are missing, the net takes over', () => {
    expect(translation.policy(unserved.namespace, 'portcullis-zz-net.1')).toEqual(['shared: Accepted'])
    expect(translation.route('unserved')).toEqual({ otherwise: 'DENY' })
  })

  test('where the grant of the team is missing, nothing reaches the application', () => {
    expect(translation.policy('shop', 'portcullis-team.team-b')).toEqual(['shared: Invalid'])
    expect(translation.route('ungranted')).toMatchObject({ answers: 500 })
  })

  test('a route without the label, or with "false", is as open as before on a shared listener', () => {
    expect(translation.route('open')).toEqual({})
    expect(translation.route('on-purpose')).toEqual({})
  })

  test('the login path on the host of an application passes by the login', () => {
    expect(passthroughOf('member')).toEqual({})
    expect(passthroughOf('strict-member')).toEqual({ otherwise: 'ALLOW' })
  })

  test('a strict listener denies a route without the label, but not the login', () => {
    expect(translation.route('strict-open')).toEqual({ otherwise: 'DENY' })
    expect(translation.route('login')).toEqual({ otherwise: 'ALLOW' })
  })

  test('anchors keep the authorization filter in the chain of every listener, before any route is labelled', () => {
    expect(translation.chains.get('gateways/idle/wildcard')?.filters).toContain(RBAC)
    expect(translation.chains.get('gateways/idle/one-host')?.filters).toContain(RBAC)
    // On a Gateway that is not handed over there is nothing of ours.
    expect(translation.chains.get('gateways/other/https')?.filters).not.toContain(RBAC)
    expect(translation.chains.get('gateways/other/https')?.headers).toEqual([])
  })

  test.each([
    'main/shared',
    'main/strict',
    'idle/wildcard',
  ])('listener %s takes identity from clients and sets the return address', listener => {
    const headers = translation.chains.get(`gateways/${listener}`)?.headers ?? []
    const returnAddress = 'X-Auth-Request-Redirect: https://%REQ(:authority)%%REQ(:path)%'
    expect(headers[0]).toBe(`OVERWRITE_IF_EXISTS_OR_ADD ${returnAddress}`)
    const identity = ['User', 'Email', 'Groups', 'Preferred-Username', 'Access-Token']
    const removed = identity.flatMap(each => [`remove X-Auth-Request-${each}`, `remove X-Forwarded-${each}`])
    expect(headers).toEqual(expect.arrayContaining([...removed, 'remove GAP-Auth']))
  })
})
