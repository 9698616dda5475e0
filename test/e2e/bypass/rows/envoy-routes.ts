// Ways around a login on an HTTPRoute behind Envoy Gateway by other routes, of this kind and of others.
import { array, object } from '../../../../src/core/json.ts'
import type { KubeObject } from '../../../../src/core/types.ts'
import { ENVOY_HTTP_ROUTE } from '../../stage/route-kinds.ts'
import { intruding, ref, withHost, withPath } from '../made.ts'
import { recorded } from '../stand-ins.ts'
import { creates, type Scene, type Way } from '../way.ts'
import { acrossNamespaces, pathOfLoginBeside } from './some-routes.ts'

const kind = ENVOY_HTTP_ROUTE
const GATEWAY_API = 'gateway.networking.k8s.io'
const API = 'gateway.envoyproxy.io/v1alpha1'
const rulesOf = (at: Scene) => array(object(at.route.spec).rules).map(object)

const narrower = (name: string, match: object, path: string, headers = {}): Way => ({
  of: ['G3', 'G4'],
  name: `its owner serves the host where ${name}`,
  kind,
  steps: at => [
    creates('owner', at.beside('match', { rules: rulesOf(at).map(rule => ({ ...rule, matches: [match] })) })),
  ],
  asks: async at => (await at.ask(at.url(path), { headers })).reached?.application,
  without: 'open',
  with: 'open',
})

const MATCHES: readonly Way[] = [
  narrower('a header is there', { headers: [{ name: 'x-any', value: 'any' }] }, '/', { 'x-any': 'any' }),
  narrower('the query is this', { queryParams: [{ name: 'any', value: 'any' }] }, '/?any=any'),
  narrower('the method is this', { method: 'GET' }, '/'),
  {
    of: ['G3', 'G8'],
    name: 'its owner serves the host by a GRPCRoute',
    kind,
    steps: at => [creates('owner', grpcRoute(at, at.namespace, 'grpc'))],
    asks: askGrpc,
    without: 'open',
    with: 'open',
  },
  {
    of: ['G8', 'I12'],
    name: 'somebody of another namespace serves the host by a GRPCRoute',
    kind,
    steps: at => [creates('stranger', grpcRoute(at, 'elsewhere', 'grpc'))],
    asks: askGrpc,
    without: 'open',
    with: 'refused',
    by: 'hosts.auth.example',
  },
  {
    of: ['I12', 'G5'],
    name: 'somebody of another namespace serves a path of every host',
    kind,
    steps: at => [creates('stranger', withPath(withHost(intruding(at), undefined), '/taken'))],
    asks: async at => (await at.ask(at.url('/taken'))).reached?.application,
    without: 'closed',
    with: 'closed',
  },
  {
    of: ['G8'],
    name: 'its owner serves the Service by a TCPRoute, where the Gateway has a listener for it',
    kind,
    steps: at => {
      const spec = {
        parentRefs: [{ namespace: 'gateways', name: 'envoy', sectionName: 'tcp' }],
        rules: [{ backendRefs: [{ name: 'prometheus', port: 80 }] }],
      }
      return [creates('owner', { ...ref(`${GATEWAY_API}/v1alpha2`, 'TCPRoute', at.namespace, at.name), spec })]
    },
    // The entry is one for both scenes: whoever came first has it.
    alone: true,
    asks: async at => {
      const { body } = await at.stage.cluster.api.send(
        'GET',
        `/apis/${GATEWAY_API}/v1/namespaces/gateways/gateways/envoy`,
      )
      const listener = array(object(body.spec).listeners)
        .map(object)
        .find(({ name }) => name === 'tcp')
      const answer = await fetch(`http://127.0.0.1:${listener?.port}/`).catch(() => undefined)
      return answer?.headers.get('x-application') ?? undefined
    },
    without: 'open',
    with: 'open',
  },
  pathOfLoginBeside(kind),
  {
    of: ['G22'],
    name: 'somebody of another namespace serves the host',
    kind,
    steps: at => [creates('stranger', withPath(intruding(at), '/oauth2/callback'))],
    asks: async at => (await at.ask(at.url('/oauth2/callback'))).reached?.application,
    without: 'open',
    with: 'refused',
    by: 'hosts.auth.example',
  },
]

/** Of its paths that of one method, which is longer than any that the protected route has. */
function grpcRoute(at: Scene, namespace: string, name: string): KubeObject {
  const matches = [{ method: { service: 'any.Service', method: 'Any' } }]
  const spec = { ...object(at.route.spec), rules: [{ matches, backendRefs: [{ name, port: 80 }] }] }
  return { ...ref(`${GATEWAY_API}/v1`, 'GRPCRoute', namespace, at.name), spec }
}

async function askGrpc(at: Scene): Promise<string | undefined> {
  const asked = { method: 'POST', headers: { 'content-type': 'application/grpc' }, body: '.' }
  return (await at.ask(at.url('/any.Service/Any'), asked)).reached?.application
}

const BACKENDS: readonly Way[] = [
  {
    of: ['G7'],
    name: 'its owner serves another host by a Backend with the address of the application',
    kind,
    steps: at => {
      const endpoints = [{ fqdn: { hostname: `prometheus.${at.namespace}.svc.cluster.local`, port: 80 } }]
      const backend = { ...ref(API, 'Backend', at.namespace, at.name), spec: { endpoints } }
      const rules = [{ backendRefs: [{ group: 'gateway.envoyproxy.io', kind: 'Backend', name: at.name }] }]
      return [
        creates('owner', backend),
        creates('owner', withHost(at.beside('backend', { rules }), `backend-${at.host}`)),
      ]
    },
    asks: async at => (await at.ask(at.url('/', `backend-${at.host}`))).reached?.application,
    without: 'closed',
    with: 'closed',
  },
  {
    of: ['G9'],
    name: 'its owner mirrors what comes for another host to the Service',
    kind,
    steps: at => {
      const requestMirror = { backendRef: { name: 'recorder', port: 80 } }
      const rules = rulesOf(at).map(rule => ({ ...rule, filters: [{ type: 'RequestMirror', requestMirror }] }))
      return [creates('owner', withHost(at.beside('mirror', { rules }), `mirror-${at.host}`))]
    },
    asks: async at => {
      await at.ask(at.url(`/by-${at.name}`, `mirror-${at.host}`))
      return (await recorded(at.stage, at.namespace, `/by-${at.name}`)) > 0 ? 'recorder' : undefined
    },
    without: 'open',
    with: 'open',
  },
  acrossNamespaces(kind),
  {
    of: ['G20'],
    name: 'somebody of another namespace rewrites a host of theirs to this one',
    kind,
    steps: at => {
      const filters = [{ type: 'URLRewrite', urlRewrite: { hostname: at.host } }]
      const route = withHost(intruding(at), `rewrites-${at.name}.${at.domain}`)
      const rules = array(object(route.spec).rules).map(rule => ({ ...object(rule), filters }))
      return [creates('stranger', { ...route, spec: { ...object(route.spec), rules } })]
    },
    asks: async at => {
      const { reached } = await at.ask(at.url('/', `rewrites-${at.name}.${at.domain}`))
      return reached?.application === 'prometheus' ? reached.application : undefined
    },
    without: 'closed',
    with: 'closed',
  },
]

export const ENVOY_ROUTE_WAYS: readonly Way[] = [...MATCHES, ...BACKENDS]
