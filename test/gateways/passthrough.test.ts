// The login path on the host of an application, as every gateway shares it; with Traefik, which serves both kinds of route.
import { describe, expect, test } from '@jest/globals'
import { companions } from '../../src/core/companions.ts'
import type { KubeObject, RouteKind, Scope } from '../../src/core/types.ts'
import type { FactStore } from '../../src/facts/store.ts'
import { passthroughWanted } from '../../src/gateways/passthrough.ts'
import { traefik } from '../../src/gateways/traefik/index.ts'
import { cluster, facts, gateway, httpRoute, ingress, nameOf, namespace } from './traefik/cluster.ts'

const PREFIX = 'traefik.ingress.kubernetes.io/'

function scope(kind: RouteKind): Scope {
  return { of: 'route', route: { kind, namespace: 'app', name: 'app' } }
}

function made(kind: RouteKind, store: FactStore): KubeObject[] {
  return companions(scope(kind), store, [traefik]).map(each => each.object)
}

function only(kind: RouteKind, store: FactStore): KubeObject {
  const [first, second] = made(kind, store)
  if (first === undefined || second !== undefined) throw new Error('not one passthrough')
  return first
}

type HTTPRouteSpec = { hostnames: string[]; parentRefs: unknown[] }
const spec = (object: KubeObject) => object.spec as HTTPRouteSpec
const annotation = (object: KubeObject, name: string) =>
  (object.metadata.annotations as { [key: string]: string })[PREFIX + name]

describe('a passthrough is wanted', () => {
  const login = { loginHost: 'login.example.com' }
  test.each([
    { passthrough: 'Always', proxy: login, Ingress: true, HTTPRoute: true },
    { passthrough: 'HTTPRoute', proxy: login, Ingress: false, HTTPRoute: true },
    { passthrough: 'HTTPRoute', proxy: {}, Ingress: true, HTTPRoute: true },
    { passthrough: 'Never', proxy: login, Ingress: false, HTTPRoute: false },
  ])('$passthrough with $proxy: Ingress $Ingress, HTTPRoute $HTTPRoute', ({ Ingress, HTTPRoute, ...team }) => {
    const store = facts(cluster(team, ingress(undefined), httpRoute()))
    const found = store.team('team-a')
    if (found === undefined) throw new Error('no team')
    expect(passthroughWanted(found, 'Ingress')).toBe(Ingress)
    expect(passthroughWanted(found, 'HTTPRoute')).toBe(HTTPRoute)
    expect(made('Ingress', store)).toHaveLength(Ingress ? 1 : 0)
    expect(made('HTTPRoute', store)).toHaveLength(HTTPRoute ? 1 : 0)
  })

  test('for no route that is not labelled, is gone or is refused', () => {
    expect(made('Ingress', facts(cluster({}, ingress(undefined, { 'auth.example/protect': 'false' }))))).toEqual([])
    expect(made('Ingress', facts(cluster({}, ingress(undefined, { 'auth.example/protect': undefined }))))).toEqual([])
    expect(made('Ingress', facts(cluster()))).toEqual([])
    expect(made('Ingress', facts(cluster({}, ingress(undefined, { 'auth.example/protect': 'nobody' }))))).toEqual([])
  })

  test('on no host of others, whose login path it would take', () => {
    const store = facts(cluster({}, ingress(undefined, {}, ['app.example.com', 'bank.test'])))
    expect(JSON.stringify(made('Ingress', store))).not.toContain('bank.test')
    expect(made('Ingress', facts(cluster({}, ingress(undefined, {}, ['bank.test']))))).toEqual([])
    const route = httpRoute({ hostnames: ['app.example.com', 'bank.test'] })
    expect(spec(only('HTTPRoute', facts(cluster({}, route)))).hostnames).toEqual(['app.example.com'])
  })
})

describe('beside an Ingress', () => {
  test('an Ingress of the same class in the namespace of the oauth2-proxy leads the login path to it, unprotected', () => {
    const object = only('Ingress', facts(cluster({}, ingress(undefined, {}, ['b.example.com', 'a.example.com']))))
    const backend = { service: { name: 'oauth2-proxy', port: { number: 80 } } }
    const http = { paths: [{ path: '/oauth2/', pathType: 'Prefix', backend }] }
    expect(object).toMatchObject({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { namespace: 'auth' },
    })
    expect(object.spec).toEqual({
      ingressClassName: 'web',
      rules: [
        { host: 'a.example.com', http },
        { host: 'b.example.com', http },
      ],
    })
    expect(JSON.stringify(object)).not.toContain('middlewares')
    expect(object.metadata.name).toMatch(/^portcullis-login-[0-9a-f]{16}$/)
  })

  test('the class may be that of the old annotation', () => {
    const app = ingress({ 'kubernetes.io/ingress.class': 'web' })
    const { ingressClassName: _, ...rest } = app.spec as { ingressClassName: string }
    const object = only('Ingress', facts(cluster({}, { ...app, spec: rest })))
    expect(object.spec).not.toHaveProperty('ingressClassName')
    expect(object.metadata.annotations).toMatchObject({ 'kubernetes.io/ingress.class': 'web' })
  })

  function withAnnotations(annotations: { [name: string]: string }): KubeObject[] {
    const prefixed = Object.fromEntries(Object.entries(annotations).map(([key, value]) => [PREFIX + key, value]))
    return made('Ingress', facts(cluster({}, ingress(prefixed))))
  }

  test('Traefik serves it on the entry points and with the TLS of the application, as it reads their keys', () => {
    const [object] = withAnnotations({
      'router.entryPoints': 'ignored',
      'router.entrypoints': 'web, websecure',
      'router.tls': 'true',
      'router.tls.options': 'infra-mtls@kubernetescrd',
    })
    if (object === undefined) throw new Error('no passthrough')
    expect(annotation(object, 'router.entrypoints')).toBe('web,websecure')
    expect(annotation(object, 'router.tls')).toBe('true')
    expect(annotation(object, 'router.tls.options')).toBe('infra-mtls@kubernetescrd')
  })

  test('any setting of TLS turns it on, but for a no', () => {
    const tls = (annotations: { [name: string]: string }) =>
      withAnnotations(annotations).map(object => annotation(object, 'router.tls'))
    expect(tls({ 'router.tls.certresolver': 'le' })).toEqual(['true'])
    expect(tls({ 'router.tls': 'True' })).toEqual(['true'])
    expect(tls({ 'router.tls': 'false', 'router.tls.certresolver': 'le' })).toEqual([undefined])
    expect(tls({})).toEqual([undefined])
  })

  test('values outside a strict alphabet are not taken over', () => {
    const [object] = withAnnotations({
      'router.entrypoints': 'web`)||x',
      'router.priority': '1;2',
      'router.tls': 'yes',
    })
    if (object === undefined) throw new Error('no passthrough')
    expect(annotation(object, 'router.entrypoints')).toBeUndefined()
    expect(annotation(object, 'router.tls')).toBeUndefined()
    expect(annotation(object, 'router.priority')).toBe('1000000')
  })

  test('there is none where it could not name the TLS options of the host, which would make Traefik drop them', () => {
    expect(withAnnotations({ 'router.tls.options': 'infra mtls' })).toEqual([])
  })

  test('its router wins against the one of the application, whatever priority that says it has', () => {
    const priority = (value: string) =>
      withAnnotations({ 'router.priority': value }).map(object => annotation(object, 'router.priority'))
    expect(priority('7')).toEqual(['1000000'])
    expect(priority('1000000')).toEqual(['1000001'])
    expect(priority('-5')).toEqual(['1000000'])
  })
})

describe('beside an HTTPRoute', () => {
  test('an HTTPRoute on the same parents leads the login path to the oauth2-proxy', () => {
    const parentRefs = [{ name: 'edge', namespace: 'infra', sectionName: 'https', port: 443 }]
    const object = only('HTTPRoute', facts(cluster({}, httpRoute({ parentRefs }))))
    expect(object).toMatchObject({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { namespace: 'auth' },
    })
    expect(object.spec).toEqual({
      parentRefs: [
        {
          group: 'gateway.networking.k8s.io',
          kind: 'Gateway',
          namespace: 'infra',
          name: 'edge',
          sectionName: 'https',
          port: 443,
        },
      ],
      hostnames: ['app.example.com'],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/oauth2/' } }],
          filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['X-Auth-Request-Redirect'] } }],
          backendRefs: [{ name: 'oauth2-proxy', namespace: 'auth', port: 80 }],
        },
      ],
    })
  })

  test('a parent in the namespace of the route is named with it', () => {
    const local = gateway()
    const near = { ...local, metadata: { name: 'edge', namespace: 'app' } }
    const object = only('HTTPRoute', facts(cluster({}, near, httpRoute({ parentRefs: [{ name: 'edge' }] }))))
    expect(spec(object).parentRefs).toEqual([
      { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'app', name: 'edge' },
    ])
  })

  test('the hosts are those that listener and route have in common', () => {
    const allowedRoutes = { namespaces: { from: 'All' } }
    const listener = { name: 'https', port: 443, protocol: 'HTTPS', hostname: '*.example.com', allowedRoutes }
    const route = httpRoute({ hostnames: undefined })
    expect(spec(only('HTTPRoute', facts(cluster({}, gateway(listener), route)))).hostnames).toEqual(['*.example.com'])
  })

  test('more than sixteen hosts are split over several, each host once', () => {
    const hostnames = Array.from({ length: 16 }, (_, index) => `h${index}.example.com`)
    const allowedRoutes = { namespaces: { from: 'All' } }
    const listeners = ['a', 'b'].map((name, index) => ({ name, port: 443 + index, protocol: 'HTTPS', allowedRoutes }))
    const narrow = [17, 18].map(index => ({
      name: `n${index}`,
      port: index,
      protocol: 'HTTP',
      hostname: `x${index}.y.example.com`,
      allowedRoutes,
    }))
    const wide = httpRoute({ hostnames: [...hostnames.slice(1), '*.y.example.com'] })
    const list = made('HTTPRoute', facts(cluster({}, gateway(...listeners, ...narrow), wide)))
    expect(list.map(nameOf).map(name => name.replace(/[0-9a-f]{16}/, 'digest'))).toEqual([
      'auth/portcullis-login-digest',
      'auth/portcullis-login-digest-2',
    ])
    expect(list.map(object => spec(object).hostnames.length)).toEqual([16, 2])
    expect(list.flatMap(object => spec(object).hostnames).sort()).toEqual(
      [...hostnames.slice(1), '*.y.example.com', 'x17.y.example.com', 'x18.y.example.com'].sort(),
    )
    expect(made('HTTPRoute', facts(cluster({}, httpRoute({ hostnames }))))).toHaveLength(1)
  })

  const listener = (name: string, from: string, more = {}) => ({
    name,
    port: 443,
    protocol: 'HTTPS',
    allowedRoutes: { namespaces: { from, ...more } },
  })
  const selector = (labels: object) => ({ selector: { matchLabels: labels } })

  test('it is beside the route where a listener of the route does not take routes from the namespace of the oauth2-proxy', () => {
    const ofApp = listener('app', 'Selector', selector({ 'kubernetes.io/metadata.name': 'app' }))
    const closed = facts(cluster({}, gateway(ofApp), httpRoute()))
    expect(made('HTTPRoute', closed).map(object => object.metadata.namespace)).toEqual(['app'])
    const half = facts(cluster({}, gateway(listener('all', 'All'), { ...ofApp, port: 444 }), httpRoute()))
    expect(made('HTTPRoute', half).map(object => object.metadata.namespace)).toEqual(['app'])
  })

  test('it is with the oauth2-proxy where every listener takes routes from there', () => {
    const edge = gateway(listener('edge', 'Selector', selector({ edge: 'yes' })))
    const store = facts(
      cluster({}, namespace('app', { edge: 'yes' }), namespace('auth', { edge: 'yes' }), edge, httpRoute()),
    )
    expect(made('HTTPRoute', store).map(object => object.metadata.namespace)).toEqual(['auth'])
  })
})

test('the passthroughs of two routes have two names, also where their namespaces and names run together', () => {
  const named = (ns: string, name: string) => ({
    ...ingress(undefined),
    metadata: { ...ingress(undefined).metadata, namespace: ns, name },
  })
  const team = { namespaces: { names: ['a', 'a-b'] } }
  const store = facts(cluster(team, named('a', 'b-c'), named('a-b', 'c')))
  const names = [
    { namespace: 'a', name: 'b-c' },
    { namespace: 'a-b', name: 'c' },
  ].map(ref =>
    companions({ of: 'route', route: { kind: 'Ingress', ...ref } }, store, [traefik]).map(each => nameOf(each.object)),
  )
  expect(names[0]).toHaveLength(1)
  expect(names[0]).not.toEqual(names[1])
})
