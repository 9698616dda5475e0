// What is ours in an object, in which order it goes, and when an API server still asks somebody of ours.
import { describe, expect, test } from '@jest/globals'
import { defaultConfig } from '../../src/api/config.ts'
import { probeIngress, readProbe } from '../../src/controller/probe/probe.ts'
import { isCompanionObject, isOfNamespace, isPublicAfter, rankOf, reliesOn, undoOf } from '../../src/controller/undo.ts'
import { plan } from '../../src/core/planner.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { FactStore } from '../../src/facts/store.ts'
import { gateways } from '../../src/gateways/index.ts'
import { ingressClass, NGINX, namespace, team } from '../facts/cluster.ts'

const COMPANION = { 'app.kubernetes.io/managed-by': 'portcullis' }

function companion(kind: string, name: string, scope: string): KubeObject {
  const annotations = { 'auth.example/scope': scope, 'auth.example/stands-for': 'x' }
  return { apiVersion: 'x/v1', kind, metadata: { name, namespace: 'any', labels: COMPANION, annotations } }
}

function route(kind: 'Ingress' | 'HTTPRoute', record?: object, labels: object = {}): KubeObject {
  const apiVersion = kind === 'Ingress' ? 'networking.k8s.io/v1' : 'gateway.networking.k8s.io/v1'
  const annotations = record === undefined ? {} : { 'auth.example/injected': JSON.stringify(record) }
  return { apiVersion, kind, metadata: { name: 'cart', namespace: 'shop', labels, annotations }, spec: {} }
}

const record = (team: string) => ({ format: 1, gateway: 'ingress-nginx', team, set: {}, was: {} })

describe('companions', () => {
  test('go in an order in which what guards goes later, and the net last', () => {
    const ranks = [
      companion('HTTPRoute', 'portcullis-login-1', 'route/HTTPRoute/shop/cart'),
      companion('SecurityPolicy', 'portcullis-allow', 'route/HTTPRoute/shop/cart'),
      companion('ReferenceGrant', 'portcullis-from.shop.a', 'namespace/shop/a'),
      companion('SecurityPolicy', 'portcullis-team.a', 'namespace/shop/a'),
      companion('HTTPRoute', 'portcullis-anchor-1', 'gateway/edge/main'),
      companion('Middleware', 'm1', 'team/a'),
      companion('SecurityPolicy', 'portcullis-zz-net.2', 'namespace/shop'),
    ].map(rankOf)
    expect(ranks).toEqual([0, 0, 0, 1, 1, 1, 2])
  })

  test('are known by label and annotation: one of them alone is somebody else', () => {
    const ours = companion('Middleware', 'm1', 'team/a')
    expect(isCompanionObject(ours)).toBe(true)
    expect(isCompanionObject({ ...ours, metadata: { ...ours.metadata, annotations: {} } })).toBe(false)
    expect(isCompanionObject({ ...ours, metadata: { ...ours.metadata, labels: {} } })).toBe(false)
    expect(isCompanionObject({ ...ours, kind: 'Secret' })).toBe(false)
  })

  test('of a namespace are those of its teams and routes, wherever they are, and none that others share', () => {
    const scopes = [
      'namespace/shop',
      'namespace/shop/a',
      'route/Ingress/shop/cart',
      'namespace/shop2/a',
      'team/shop',
      'gateway/shop/main',
    ]
    expect(scopes.filter(scope => isOfNamespace(companion('SecurityPolicy', 'x', scope), 'shop'))).toEqual(
      scopes.slice(0, 3),
    )
  })

  test('stay while a route that could not be undone may need them', () => {
    const left = [route('Ingress', record('a'))]
    const needed = (scope: string, of = left) => reliesOn(companion('SecurityPolicy', 'x', scope), of) !== undefined
    expect(
      ['team/a', 'namespace/shop', 'namespace/shop/b', 'route/Ingress/shop/cart'].every(each => needed(each)),
    ).toBe(true)
    expect(
      ['team/b', 'namespace/other', 'route/HTTPRoute/shop/cart', 'gateway/edge/main'].some(each => needed(each)),
    ).toBe(false)
    expect(needed('gateway/edge/main', [route('HTTPRoute', record('a'))])).toBe(true)
  })
})

describe('a route', () => {
  test('has nothing to be undone without a record, and is public afterwards if only a companion closes it', () => {
    const facts = new FactStore(defaultConfig())
    expect(undoOf(route('Ingress'), facts, gateways)).toBeUndefined()
    const labels = { 'auth.example/protect': 'true' }
    const open = [
      route('Ingress', record('a')),
      route('Ingress', undefined, labels),
      route('HTTPRoute', undefined, labels),
    ]
    expect(open.map(isPublicAfter)).toEqual([true, false, true])
    expect(isPublicAfter(companion('HTTPRoute', 'portcullis-anchor-1', 'gateway/edge/main'))).toBe(false)
  })
})

describe('the trial', () => {
  test('is an Ingress that would be protected, if there is a team and a class for one', () => {
    const facts = new FactStore(defaultConfig())
    for (const each of [namespace('apps'), ingressClass('nginx', NGINX), team('a', { hosts: ['*.a.example.com'] })])
      facts.put(each)
    const probe = probeIngress('portcullis-probe-1', facts, ['unknown', 'nginx'], gateways)
    expect(plan(probe, facts, gateways).outcome).toBe('protect')
    const nowhere = probeIngress('portcullis-probe-1', new FactStore(defaultConfig()), [], gateways)
    expect(nowhere.metadata.labels).toEqual({ 'auth.example/protect': 'true' })
  })

  test.each([
    ['admission webhook "validate.auth.example" denied the request: no', 'asked'],
    ['failed calling webhook "mutate.auth.example": no endpoints', 'asked'],
    [
      "ingresses \"x\" is forbidden: ValidatingAdmissionPolicy 'injected.auth.example' with binding 'y' denied request",
      'asked',
    ],
    [
      'admission webhook "other.example.com" denied the request: the label "auth.example/protect" is new to us',
      'unclear',
    ],
    ['exceeded quota', 'unclear'],
  ])('that is answered %j says: %s', (message, expected) => expect(readProbe({ message })).toBe(expected))

  test('that comes back is looked at for the protection', () => {
    expect(readProbe({ object: route('Ingress') })).toBe('bare')
    expect(readProbe({ object: route('Ingress', record('a')) })).toBe('asked')
  })
})
