import { describe, expect, test } from '@jest/globals'
import { attach } from '../../src/core/attach.ts'
import { readRoute } from '../../src/core/route.ts'
import type { Facts, KubeObject } from '../../src/core/types.ts'
import {
  cluster,
  ENVOY_GATEWAY,
  gateway,
  httpRoute,
  ingress,
  ingressClass,
  listener,
  NGINX,
  namespace,
  parent,
  rule,
  storeOf,
  TRAEFIK_GATEWAY,
  TRAEFIK_INGRESS,
} from '../facts/cluster.ts'

/** The controller that serves the route, or the codes of what stands against that. */
function served(object: KubeObject, facts: Facts = cluster()): string {
  const attached = attach(readRoute(object)!, facts)
  return Array.isArray(attached) ? attached.map(each => each.code).join(' ') : attached.controller.controller
}

/** The listeners that take the route, each with the hosts there. */
function listeners(object: KubeObject, facts: Facts): Record<string, readonly string[]> | string {
  const attached = attach(readRoute(object)!, facts)
  if (Array.isArray(attached)) return attached.map(each => each.code).join(' ')
  return Object.fromEntries(attached.attachments.map(each => [each.listener.name, each.hosts]))
}

describe('an Ingress is served through', () => {
  const legacy = (name: string) => ({ annotations: { 'kubernetes.io/ingress.class': name } })

  test.each([
    ['nginx', NGINX],
    ['traefik', TRAEFIK_INGRESS],
    ['nginx-internal', 'example.com/second-nginx'],
    ['other', 'controller-unknown'],
    ['gone', 'class-unknown'],
    ['constructor', 'class-unknown'],
  ])('its class %s: %s', (ingressClassName, expected) => {
    expect(served(ingress({}, { ingressClassName }))).toBe(expected)
  })

  test('the class of its annotation', () => {
    expect(served(ingress(legacy('traefik'), { ingressClassName: undefined }))).toBe(TRAEFIK_INGRESS)
  })

  test('field and annotation where they agree', () => {
    expect(served(ingress(legacy('nginx')))).toBe(NGINX)
  })

  test('neither where they differ', () => {
    expect(served(ingress(legacy('traefik')))).toBe('class-ambiguous')
  })

  test('the default class where it names none', () => {
    const facts = cluster(ingressClass('traefik', TRAEFIK_INGRESS, true))
    expect(served(ingress({}, { ingressClassName: undefined }), facts)).toBe(TRAEFIK_INGRESS)
  })

  test('nothing where it names none and there is no default', () => {
    expect(served(ingress({}, { ingressClassName: undefined }))).toBe('class-missing')
  })

  test('nothing where there are two defaults', () => {
    const facts = cluster(ingressClass('traefik', TRAEFIK_INGRESS, true), ingressClass('nginx', NGINX, true))
    expect(served(ingress({}, { ingressClassName: undefined }), facts)).toBe('class-ambiguous')
  })

  test('a class of any name: the controller decides', () => {
    expect(served(ingress({}, { ingressClassName: 'nginx' }), cluster(ingressClass('nginx', TRAEFIK_INGRESS)))).toBe(
      TRAEFIK_INGRESS,
    )
  })

  test('the hosts of its rules, each once and in small letters', () => {
    const rules = [rule('App.a.example.com'), rule('app.a.example.com.'), rule()]
    expect(attach(readRoute(ingress({}, { rules }))!, cluster())).toMatchObject({ hosts: ['app.a.example.com', ''] })
  })
})

describe('an HTTPRoute is served through', () => {
  const under = (...parentRefs: object[]) => httpRoute({}, { parentRefs })

  test.each([
    ['a Gateway of Traefik', under(parent('traefik')), TRAEFIK_GATEWAY],
    ['a Gateway of Envoy Gateway', under(parent('envoy')), ENVOY_GATEWAY],
    ['a parent without group and kind', under({ name: 'traefik', namespace: 'infra' }), TRAEFIK_GATEWAY],
    ['two parents of one gateway', under(parent('traefik'), parent('traefik', { port: 443 })), TRAEFIK_GATEWAY],
  ])('%s', (_, route, expected) => {
    expect(served(route)).toBe(expected)
  })

  test.each([
    ['no parents', under(), 'parents-missing'],
    ['parents that are absent', httpRoute({}, { parentRefs: undefined }), 'parents-missing'],
    ['a parent that is not there', under(parent('gone')), 'gateway-unknown'],
    ['a Gateway of its own namespace that is not there', under({ name: 'traefik' }), 'gateway-unknown'],
    ['a Service', under({ group: '', kind: 'Service', name: 'app' }), 'parent-kind'],
    ['a Gateway of another group', under(parent('traefik', { group: 'networking.istio.io' })), 'parent-kind'],
    ['parents of two gateways', under(parent('traefik'), parent('envoy')), 'gateways-differ'],
    ['a right and a wrong parent', under(parent('traefik'), parent('gone')), 'gateway-unknown'],
    [
      'two wrong parents, both told',
      under(parent('gone'), { kind: 'Service', group: '', name: 'x' }),
      'gateway-unknown parent-kind',
    ],
    ['a section that is not there', under(parent('traefik', { sectionName: 'http' })), 'listener-none'],
    ['a port that is not there', under(parent('traefik', { port: 80 })), 'listener-none'],
  ])('nothing, with %s', (_, route, code) => {
    expect(served(route)).toBe(code)
  })

  test('nothing, where the class of the Gateway is not there', () => {
    expect(served(under(parent('traefik')), cluster(gateway('traefik', 'gone')))).toBe('gateway-class-unknown')
  })

  test('nothing, where nobody knows the controller', () => {
    const facts = cluster(gateway('traefik', 'istio'), {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'GatewayClass',
      metadata: { name: 'istio' },
      spec: { controllerName: 'istio.io/gateway-controller' },
    })
    expect(served(under(parent('traefik')), facts)).toBe('controller-unknown')
  })

  test('every refusal of a parent names its place', () => {
    const attached = attach(readRoute(under(parent('traefik'), parent('gone')))!, cluster())
    expect(attached).toMatchObject([{ field: 'spec.parentRefs[1]' }])
  })
})

describe('a listener takes a route', () => {
  const on = (...all: Readonly<Record<string, unknown>>[]) => cluster(gateway('traefik', 'traefik', all))
  const from = (namespaces: unknown) => listener({ allowedRoutes: { namespaces } })
  const app = { https: ['app.a.example.com'] }

  test.each([
    ['from every namespace', from({ from: 'All' })],
    [
      'from namespaces with the right label',
      from({ from: 'Selector', selector: { matchLabels: { 'kubernetes.io/metadata.name': 'apps' } } }),
    ],
    ['of the right kind', listener({ allowedRoutes: { namespaces: { from: 'All' }, kinds: [{ kind: 'HTTPRoute' }] } })],
    ['where no kinds are listed', listener({ allowedRoutes: { namespaces: { from: 'All' }, kinds: [] } })],
    ['over HTTP', listener({ protocol: 'HTTP' })],
  ])('%s', (_, of) => {
    expect(listeners(httpRoute(), on(of))).toEqual(app)
  })

  test.each([
    ['of its own namespace only', from({ from: 'Same' })],
    ['of its own namespace only, which is the default', listener({ allowedRoutes: undefined })],
    ['from namespaces with another label', from({ from: 'Selector', selector: { matchLabels: { tier: 'web' } } })],
    ['from a selection that nobody made', from({ from: 'Selector' })],
    ['from a selection of the wrong shape', from({ from: 'Selector', selector: { matchExpressions: 'x' } })],
    ['from nowhere', from({ from: 'None' })],
    ['of another kind', listener({ allowedRoutes: { namespaces: { from: 'All' }, kinds: [{ kind: 'GRPCRoute' }] } })],
    ['over TCP', listener({ protocol: 'TCP' })],
    ['over TLS that goes through', listener({ protocol: 'TLS' })],
    ['of another host', listener({ hostname: '*.b.example.com' })],
  ])('not where it takes routes %s', (_, of) => {
    expect(listeners(httpRoute(), on(of))).toBe('listener-none')
  })

  test('of its own namespace', () => {
    const route = httpRoute({ namespace: 'infra' }, { parentRefs: [{ name: 'traefik' }] })
    expect(listeners(route, on(from({ from: 'Same' })))).toEqual(app)
  })

  test('not from a namespace that nobody knows, where labels decide', () => {
    const route = httpRoute({ namespace: 'unknown' })
    const byLabels = from({
      from: 'Selector',
      selector: { matchExpressions: [{ key: 'x', operator: 'DoesNotExist' }] },
    })
    expect(listeners(route, on(byLabels))).toBe('listener-none')
  })

  const three = on(
    listener({ name: 'exact', hostname: 'app.a.example.com' }),
    listener({ name: 'wild', hostname: '*.a.example.com', port: 8443 }),
    listener({ name: 'other', hostname: 'b.example.com' }),
  )

  test.each([
    [['app.a.example.com'], { exact: ['app.a.example.com'], wild: ['app.a.example.com'] }],
    [['x.a.example.com', 'b.example.com'], { wild: ['x.a.example.com'], other: ['b.example.com'] }],
    [['*.a.example.com'], { exact: ['app.a.example.com'], wild: ['*.a.example.com'] }],
    [[], { exact: ['app.a.example.com'], wild: ['*.a.example.com'], other: ['b.example.com'] }],
  ])('under the hosts that both have: %j', (hostnames, expected) => {
    expect(listeners(httpRoute({}, { hostnames }), three)).toEqual(expected)
  })

  test('if the parent names it, or its port, and no other', () => {
    const parentRefs = (change: object) => ({ parentRefs: [parent('traefik', change as never)] })
    expect(listeners(httpRoute({}, parentRefs({ sectionName: 'wild' })), three)).toEqual({
      wild: ['app.a.example.com'],
    })
    expect(listeners(httpRoute({}, parentRefs({ port: 8443 })), three)).toEqual({ wild: ['app.a.example.com'] })
    expect(listeners(httpRoute({}, parentRefs({ port: 8443, sectionName: 'exact' })), three)).toBe('listener-none')
  })
})

test('a route in a namespace that no document describes is attached all the same', () => {
  const facts = storeOf([namespace('other'), ingressClass('nginx', NGINX)])
  expect(served(ingress(), facts)).toBe(NGINX)
})
