// What Traefik refuses and what it warns of.
import { describe, expect, test } from '@jest/globals'
import { plan } from '../../../src/core/planner.ts'
import { sentence } from '../../../src/core/reasons.ts'
import type { KubeObject } from '../../../src/core/types.ts'
import { traefik } from '../../../src/gateways/traefik/index.ts'
import { cluster, facts, httpRoute, ingress, protectedPlan } from './cluster.ts'

const PREFIX = 'traefik.ingress.kubernetes.io/'
const HTTPS = {
  proxy: {
    service: { namespace: 'auth', name: 'oauth2-proxy', port: 443 },
    cookieDomains: ['example.com'],
    scheme: 'https',
    caSecret: 'proxy-ca',
  },
}

function codes(object: KubeObject, team = {}): string[] {
  const result = plan(object, facts(cluster(team)), [traefik])
  return result.outcome === 'deny' ? result.reasons.map(each => each.code) : [result.outcome]
}

function warnings(object: KubeObject): string[] {
  return protectedPlan(plan(object, facts(cluster()), [traefik])).warnings.map(sentence)
}

describe('refused is', () => {
  test.each([
    'router.Middlewares',
    'Router.middlewares',
    'ROUTER.MIDDLEWARES',
    'router.middlewareS',
  ])('the key written as %s, which Traefik reads until ours is beside it', key => {
    expect(codes(ingress({ [PREFIX + key]: 'app-allow-list@kubernetescrd' }))).toEqual(['annotation-spelling'])
  })

  test('an oauth2-proxy with TLS behind an HTTPRoute, whose namespace has no authority to check it with', () => {
    expect(codes(httpRoute(), HTTPS)).toEqual(['proxy-tls'])
    expect(codes(ingress(undefined), HTTPS)).toEqual(['protect'])
  })
})

describe('not refused is', () => {
  test('a key that Traefik does not read, because the domain is in capitals', () => {
    expect(codes(ingress({ 'Traefik.ingress.kubernetes.io/router.middlewares': 'x@file' }))).toEqual(['protect'])
  })

  test('another setting of the router', () => {
    const annotations = { [`${PREFIX}router.entrypoints`]: 'websecure', [`${PREFIX}router.Priority`]: '7' }
    expect(codes(ingress(annotations))).toEqual(['protect'])
  })

  test('an HTTPRoute with a filter of its own', () => {
    const filters = [
      { type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'Cookie', value: 'x' }] } },
    ]
    expect(codes(httpRoute({ rules: [{ filters }] }))).toEqual(['protect'])
  })
})

describe('a warning says', () => {
  test('that the Middlewares of the owner, maybe a redirect to https, now run after the login', () => {
    expect(warnings(ingress({ [`${PREFIX}router.middlewares`]: 'infra-to-https@kubernetescrd' }))).toEqual([
      expect.stringContaining('redirect to https at the entry point [redirect-late]'),
    ])
  })

  test('the same of a redirect in a filter', () => {
    const filters = [{ type: 'RequestRedirect', requestRedirect: { scheme: 'https', statusCode: 301 } }]
    expect(warnings(httpRoute({ rules: [{}, { filters }] }))).toEqual([
      expect.stringMatching(/^spec\.rules\[1\]\.filters: .*\[redirect-late\]$/),
    ])
  })

  test('nothing where nothing of the owner runs late', () => {
    expect(warnings(ingress({ [`${PREFIX}router.middlewares`]: '' }))).toEqual([])
    expect(
      warnings(ingress({ [`${PREFIX}router.middlewares`]: 'portcullis-m0123456789abcdef@kubernetescrd' })),
    ).toEqual([])
    expect(
      warnings(
        httpRoute({
          rules: [{ filters: [{ type: 'RequestRedirect', requestRedirect: { hostname: 'x.example.com' } }] }],
        }),
      ),
    ).toEqual([])
  })
})
