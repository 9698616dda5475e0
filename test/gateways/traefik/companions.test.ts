// The objects that stand behind a route on Traefik.
import { describe, expect, test } from '@jest/globals'
import { companions } from '../../../src/core/companions.ts'
import { plan } from '../../../src/core/planner.ts'
import { sentence } from '../../../src/core/reasons.ts'
import type { Companion, KubeObject, Scope } from '../../../src/core/types.ts'
import type { FactStore } from '../../../src/facts/store.ts'
import { traefik } from '../../../src/gateways/traefik/index.ts'
import {
  authTeam,
  byWords,
  cluster,
  config,
  facts,
  GATEWAY_CONTROLLER,
  gatewayClass,
  httpRoute,
  INGRESS_CONTROLLER,
  ingress,
  ingressClass,
  nameOf,
  namespace,
  wordsOf,
} from './cluster.ts'

const TEAM: Scope = { of: 'team', team: 'team-a' }
const NAMESPACE: Scope = { of: 'namespace', team: 'team-a', namespace: 'app' }

function made(scope: Scope, store: FactStore = facts(cluster())): Companion[] {
  return companions(scope, store, [traefik])
}

type ForwardAuth = { address: string; authResponseHeaders: string[]; [field: string]: unknown }

function forwardAuth(object: KubeObject | undefined): ForwardAuth {
  return (object?.spec as { forwardAuth: ForwardAuth }).forwardAuth
}

describe('a Middleware', () => {
  const all = byWords(made(TEAM))

  test('leads a browser to the root of the oauth2-proxy, where a stranger gets the login', () => {
    expect(forwardAuth(all.get('team team-a, client browser')).address).toBe(
      'http://oauth2-proxy.auth.svc.cluster.local:80/',
    )
    expect(forwardAuth(all.get('team team-a, access level admins, client browser')).address).toBe(
      'http://oauth2-proxy.auth.svc.cluster.local:80/?allowed_groups=g-1,g-2',
    )
  })

  test('leads an api client to where a stranger gets 401', () => {
    expect(forwardAuth(all.get('team team-a, client api')).address).toBe(
      'http://oauth2-proxy.auth.svc.cluster.local:80/oauth2/auth',
    )
    expect(forwardAuth(all.get('team team-a, access level admins, client api')).address).toBe(
      'http://oauth2-proxy.auth.svc.cluster.local:80/oauth2/auth?allowed_groups=g-1,g-2',
    )
  })

  test('takes every identity header of the client out, delivers refreshed cookies and bounds the answer', () => {
    const { address: _, authResponseHeaders, ...rest } = forwardAuth(all.get('team team-a, client browser'))
    expect(authResponseHeaders).toEqual([
      'X-Auth-Request-User',
      'X-Auth-Request-Email',
      'X-Auth-Request-Groups',
      'X-Auth-Request-Preferred-Username',
      'X-Auth-Request-Access-Token',
      'X-Forwarded-User',
      'X-Forwarded-Email',
      'X-Forwarded-Groups',
      'X-Forwarded-Preferred-Username',
      'X-Forwarded-Access-Token',
      'GAP-Auth',
    ])
    const cookie = '__Secure-team-a'
    expect(rest).toEqual({
      trustForwardHeader: false,
      authRequestHeaders: ['Cookie', 'Authorization', 'Accept'],
      addAuthCookiesToResponse: [cookie, ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(part => `${cookie}_${part}`)],
      maxResponseBodySize: 65536,
    })
  })

  test('hands Authorization on where the team says so, or the access level does', () => {
    const access = [
      { name: 'plain', allowedGroups: ['g'], headers: { authorization: false } },
      { name: 'inherits', allowedGroups: ['g'] },
    ]
    const store = facts(cluster({ headers: { authorization: true }, access }))
    const passing = made(TEAM, store).filter(({ object }) =>
      forwardAuth(object).authResponseHeaders.includes('Authorization'),
    )
    expect(passing.map(({ object }) => wordsOf(object))).toEqual([
      'team team-a, client browser',
      'team team-a, client api',
      'team team-a, access level inherits, client browser',
      'team team-a, access level inherits, client api',
    ])
  })

  test('uses the prefix, the port and the domain that the administrators say', () => {
    const proxy = { service: { namespace: 'auth', name: 'proxy', port: 4180 }, pathPrefix: '/login' }
    const store = facts(cluster({ proxy }), { ...config(), clusterDomain: 'k8s.internal' })
    expect(forwardAuth(byWords(made(TEAM, store)).get('team team-a, client api')).address).toBe(
      'http://proxy.auth.svc.k8s.internal:4180/login/auth',
    )
  })

  test('checks the certificate of an oauth2-proxy with TLS', () => {
    const proxy = {
      service: { namespace: 'auth', name: 'oauth2-proxy', port: 443 },
      scheme: 'https',
      caSecret: 'proxy-ca',
    }
    const store = facts(cluster({ proxy }))
    for (const { object } of made(TEAM, store)) {
      expect(forwardAuth(object).address).toMatch(/^https:\/\/oauth2-proxy\.auth\.svc\.cluster\.local:443\//)
      expect(forwardAuth(object).tls).toEqual({ caSecret: 'proxy-ca' })
    }
    expect(made(NAMESPACE, store)).toEqual([])
  })
})

describe('for a team', () => {
  test('there is a guard in our own namespace for every access level and kind of client', () => {
    const list = made(TEAM)
    expect(list.map(({ object }) => wordsOf(object))).toEqual([
      'team team-a, client browser',
      'team team-a, client api',
      'team team-a, access level admins, client browser',
      'team team-a, access level admins, client api',
    ])
    for (const { object, guards } of list) {
      expect(guards).toBe(true)
      expect(object.metadata.namespace).toBe('portcullis')
    }
  })

  test('there is one for each setting of the Traefiks that are in the cluster, and none for those that are not', () => {
    const controllers = [
      { controller: INGRESS_CONTROLLER, gateway: 'traefik', separator: '-', trustForwardHeader: false },
      { controller: 'traefik.io/inner', gateway: 'traefik', separator: '_', trustForwardHeader: true },
      { controller: 'traefik.io/same', gateway: 'traefik', separator: '_', trustForwardHeader: false },
    ] as const
    const both = facts(
      [authTeam(), ingressClass(), ingressClass('inner', 'traefik.io/inner'), ingressClass('same', 'traefik.io/same')],
      { ...config(), controllers },
    )
    expect(made(TEAM, both)).toHaveLength(8)
    expect(made(TEAM, facts([authTeam(), ingressClass()], { ...config(), controllers }))).toHaveLength(4)
    expect(
      made(TEAM, facts([authTeam(), ingressClass('other', 'k8s.io/ingress-nginx')], { ...config(), controllers })),
    ).toEqual([])
  })

  test('there is nothing once the team is gone', () => {
    expect(made({ of: 'team', team: 'gone' })).toEqual([])
  })
})

describe('for a namespace', () => {
  test('there are the same Middlewares beside the routes, and the grant in the namespace of the oauth2-proxy', () => {
    const [grant, ...more] = made(NAMESPACE).filter(({ object }) => object.kind !== 'Middleware')
    const copies = made(NAMESPACE).filter(({ object }) => object.kind === 'Middleware')
    expect(copies.map(({ object }) => object.spec)).toEqual(made(TEAM).map(({ object }) => object.spec))
    expect(copies.map(({ object }) => object.metadata.name)).toEqual(
      made(TEAM).map(({ object }) => object.metadata.name),
    )
    expect(new Set(copies.map(({ object, guards }) => `${object.metadata.namespace} ${guards}`))).toEqual(
      new Set(['app true']),
    )
    expect(more).toEqual([])
    expect(grant?.guards).toBe(false)
    expect(grant?.object).toMatchObject({
      apiVersion: 'gateway.networking.k8s.io/v1beta1',
      kind: 'ReferenceGrant',
      metadata: { namespace: 'auth', name: 'portcullis-from.app.team-a' },
      spec: {
        from: [
          { group: 'gateway.envoyproxy.io', kind: 'SecurityPolicy', namespace: 'app' },
          { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'app' },
        ],
        to: [{ group: '', kind: 'Service', name: 'oauth2-proxy' }],
      },
    })
  })

  test('there is no grant where the oauth2-proxy is in that namespace itself', () => {
    const store = facts(cluster({ proxy: { service: { namespace: 'app', name: 'oauth2-proxy' } } }))
    expect(new Set(made(NAMESPACE, store).map(({ object }) => object.kind))).toEqual(new Set(['Middleware']))
  })

  test('there is nothing where the team does not admit it, or no Gateway is served by Traefik', () => {
    expect(
      made({ of: 'namespace', team: 'team-a', namespace: 'other' }, facts(cluster({}, namespace('other')))),
    ).toEqual([])
    expect(made(NAMESPACE, facts([authTeam(), namespace('app'), ingressClass()]))).toEqual([])
    expect(made(NAMESPACE, facts([authTeam(), namespace('app'), gatewayClass('web', 'example.com/other')]))).toEqual([])
    expect(made(NAMESPACE, facts([authTeam(), namespace('app'), gatewayClass('web', GATEWAY_CONTROLLER)]))).not.toEqual(
      [],
    )
  })
})

describe('the scopes of a route', () => {
  test('are its team for an Ingress and its namespace for an HTTPRoute, and the route where the login is on its host', () => {
    const store = facts(cluster({ proxy: { loginHost: 'login.example.com' } }))
    const scopes = (object: KubeObject) => {
      const result = plan(object, store, [traefik])
      return result.outcome === 'protect'
        ? result.scopes
        : result.outcome === 'deny'
          ? result.reasons.map(sentence)
          : []
    }
    expect(scopes(ingress(undefined))).toEqual([TEAM])
    expect(scopes(httpRoute())).toEqual([
      NAMESPACE,
      { of: 'route', route: { kind: 'HTTPRoute', namespace: 'app', name: 'app' } },
    ])
  })
})

test('no companion carries our label, and external-dns makes no record for any', () => {
  const store = facts(cluster({}, ingress(undefined), httpRoute()))
  const scopes: Scope[] = [
    TEAM,
    NAMESPACE,
    { of: 'route', route: { kind: 'Ingress', namespace: 'app', name: 'app' } },
    { of: 'route', route: { kind: 'HTTPRoute', namespace: 'app', name: 'app' } },
  ]
  const list = scopes.flatMap(scope => made(scope, store))
  expect(new Set(list.map(({ object }) => object.kind))).toEqual(
    new Set(['Middleware', 'ReferenceGrant', 'Ingress', 'HTTPRoute']),
  )
  for (const { object } of list) {
    expect(object.metadata.labels).toEqual({ 'app.kubernetes.io/managed-by': 'portcullis' })
    expect(object.metadata.annotations).toMatchObject({ 'external-dns.alpha.kubernetes.io/controller': 'portcullis' })
  }
  expect(new Set(list.map(({ object }) => `${object.kind} ${nameOf(object)}`)).size).toBe(list.length)
})
