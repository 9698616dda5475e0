// Ways around a login on an HTTPRoute behind Traefik.
import { array, object } from '../../../../src/core/json.ts'
import { TRAEFIK_HTTP_ROUTE, TRAEFIK_INGRESS } from '../../stage/route-kinds.ts'
import { inNamespace, intruding, middleware, parentedBy, ref, withBackend, withHost, withPath } from '../made.ts'
import { recorded } from '../stand-ins.ts'
import { changes, creates, removes, type Scene, type Way } from '../way.ts'
import { anyRoute, besideTraefik } from './any-route.ts'
import { acrossNamespaces, pathOfLoginBeside, twin } from './some-routes.ts'

const kind = TRAEFIK_HTTP_ROUTE
const GATEWAY_API = 'gateway.networking.k8s.io'

const rulesOf = (at: Scene) => array(object(at.route.spec).rules).map(object)

async function filterOfOurs({ stage, route }: Scene): Promise<{ filter: object; name: string }> {
  const { namespace, name } = route.metadata
  const path = `/apis/${GATEWAY_API}/v1/namespaces/${namespace}/httproutes/${name}`
  const { body } = await stage.cluster.api.send('GET', path)
  const [filter] = array(object(array(object(body.spec).rules)[0]).filters).map(object)
  return { filter: filter ?? {}, name: String(object(object(filter).extensionRef).name) }
}

const cookieSet = (value: string) => {
  return { type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'Cookie', value }] } }
}

const FILTERS: readonly Way[] = [
  {
    of: ['T9'],
    name: 'its owner adds a rule without the filter',
    kind,
    steps: async at => {
      const { filter } = await filterOfOurs(at)
      const [rule] = rulesOf(at)
      const free = { ...rule, matches: [{ path: { type: 'PathPrefix', value: '/free' } }] }
      return [changes('owner', at.route, { spec: { rules: [{ ...rule, filters: [filter] }, free] } })]
    },
    asks: async at => (await at.ask(at.url('/free'))).reached?.application,
    without: 'open',
    with: 'closed',
  },
  {
    of: ['T10', 'T8'],
    name: "its owner puts a filter in front that brings the owner's own session",
    kind,
    steps: async at => {
      const { filter } = await filterOfOurs(at)
      const set = cookieSet(await at.session('anna'))
      const rules = rulesOf(at).map(rule => ({ ...rule, filters: [set, filter] }))
      return [changes('owner', at.route, { spec: { rules } })]
    },
    without: 'open',
    with: 'repaired',
  },
  {
    of: ['T10'],
    name: "its owner has a filter at the backend that brings the owner's own session",
    kind,
    steps: async at => {
      const { filter } = await filterOfOurs(at)
      const set = cookieSet(await at.session('anna'))
      const rules = [{ filters: [filter], backendRefs: [{ name: 'prometheus', port: 80, filters: [set] }] }]
      return [changes('owner', at.route, { spec: { rules } })]
    },
    without: 'closed',
    with: 'closed',
  },
  {
    of: ['G28'],
    name: 'its owner takes the filter out by another version of the kind',
    kind,
    steps: at => {
      const older = { ...at.route, apiVersion: `${GATEWAY_API}/v1beta1` }
      return [changes('owner', older, { spec: { rules: rulesOf(at).map(rule => ({ ...rule, filters: null })) } })]
    },
    without: 'open',
    with: 'repaired',
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
    without: 'closed',
    with: 'closed',
  },
]

const PARENTS: readonly Way[] = [
  {
    of: ['G23'],
    name: 'its owner attaches it to a Service, as a mesh has it',
    kind,
    steps: at => {
      const parents = [...array(object(at.route.spec).parentRefs), { group: '', kind: 'Service', name: 'prometheus' }]
      return [changes('owner', at.route, { spec: { parentRefs: parents } })]
    },
    without: 'closed',
    with: 'refused',
    by: 'parent-kind',
  },
  {
    of: ['G24'],
    name: 'its owner has a Gateway of their own, with an unlabelled route for the same host',
    kind,
    steps: async at => {
      const path = `/apis/${GATEWAY_API}/v1/namespaces/gateways/gateways/traefik`
      const { body } = await at.stage.cluster.api.send('GET', path)
      const [listener] = array(object(body.spec).listeners).map(object)
      const { allowedRoutes: _, ...own } = listener ?? {}
      const gateway = {
        ...ref(`${GATEWAY_API}/v1`, 'Gateway', at.namespace, at.name),
        spec: { gatewayClassName: 'traefik', listeners: [{ ...own, tls: CERTIFICATE }] },
      }
      const route = withPath(parentedBy(at.beside('own'), { name: at.name }), '/own')
      const lent = grantOfCertificate(at)
      return [creates('keeper', lent), creates('owner', gateway), creates('owner', route)]
    },
    asks: async at => (await at.ask(at.url('/own'))).reached?.application,
    without: 'open',
    with: 'open',
  },
]

const CERTIFICATE = { mode: 'Terminate', certificateRefs: [{ name: 'certificate', namespace: 'gateways' }] }

/** Its owner would have a certificate of their own; whose it is does not matter for which route is taken. */
function grantOfCertificate(at: Scene) {
  const from = [{ group: GATEWAY_API, kind: 'Gateway', namespace: at.namespace }]
  return {
    ...ref(`${GATEWAY_API}/v1beta1`, 'ReferenceGrant', 'gateways', at.name),
    spec: { from, to: [{ group: '', kind: 'Secret' }] },
  }
}

const OTHERS: readonly Way[] = [
  twin(kind),
  {
    of: ['T11', 'T12', 'I12'],
    name: 'somebody of another namespace serves the same host',
    kind,
    steps: at => [creates('stranger', intruding(at))],
    without: 'open',
    with: 'refused',
    by: 'hosts.auth.example',
  },
  {
    of: ['T12', 'I12'],
    name: 'somebody of another namespace serves a path of every host',
    kind,
    alone: true,
    steps: at => [creates('stranger', withPath(withHost(intruding(at), undefined), '/taken'))],
    asks: async at => (await at.ask(at.url('/taken'))).reached?.application,
    without: 'open',
    with: 'open',
  },
  {
    of: ['T13', 'I12', 'G8'],
    name: 'its owner serves the host by an Ingress',
    kind,
    steps: at => {
      const backend = { namespace: at.namespace, name: at.name, host: at.host, service: 'prometheus', port: 80 }
      return [creates('owner', TRAEFIK_INGRESS.route(backend))]
    },
    without: 'open',
    with: 'open',
  },
  acrossNamespaces(kind),
  pathOfLoginBeside(kind),
  {
    of: ['G20'],
    name: 'its owner rewrites another host to this one',
    kind,
    steps: at => {
      const urlRewrite = { hostname: at.host }
      const rules = rulesOf(at).map(rule => ({ ...rule, filters: [{ type: 'URLRewrite', urlRewrite }] }))
      const route = withBackend(inNamespace(at.beside('rewrites', { rules }), 'elsewhere'), 'intruder')
      return [creates('stranger', withHost(route, `rewrites-${at.name}.${at.domain}`))]
    },
    asks: async at => {
      const { reached } = await at.ask(at.url('/', `rewrites-${at.name}.${at.domain}`))
      return reached?.application === 'prometheus' ? reached.application : undefined
    },
    without: 'closed',
    with: 'closed',
  },
]

const noop = { headers: { customRequestHeaders: { 'x-any': 'any' } } }
const ours = async (at: Scene) => ref('traefik.io/v1alpha1', 'Middleware', at.namespace, (await filterOfOurs(at)).name)

const MIDDLEWARES: readonly Way[] = [
  {
    of: ['G16', 'T3'],
    name: 'its owner makes the copy of our Middleware do something else',
    kind,
    namespace: 'edited',
    steps: async at => [changes('owner', await ours(at), { spec: { forwardAuth: null, ...noop } })],
    without: 'open',
    with: 'refused',
    by: 'companions.auth.example',
  },
  {
    of: ['G16', 'T2'],
    name: 'its owner deletes the copy of our Middleware, and another route takes the request',
    kind,
    namespace: 'deleted',
    steps: async at => [removes('owner', await ours(at)), creates('owner', at.beside('broader'))],
    without: 'open',
    with: 'refused',
    by: 'companions.auth.example',
  },
  {
    of: ['T5', 'I16'],
    name: 'somebody of a namespace with a shorter name has a Middleware that gets the same name when joined',
    kind,
    namespace: 'pair-x',
    alone: true,
    steps: async at => [creates('stranger', middleware('pair', `x-${(await filterOfOurs(at)).name}`, noop))],
    without: 'open',
    with: 'open',
  },
]

export const TRAEFIK_HTTP_ROUTE_WAYS: readonly Way[] = [
  ...anyRoute(kind, { spec: { rules: [{ backendRefs: [{ name: 'prometheus', port: 80 }] }] } }),
  ...besideTraefik(kind),
  ...FILTERS,
  ...PARENTS,
  ...OTHERS,
  ...MIDDLEWARES,
]
