// Ways around a login on an HTTPRoute behind Envoy Gateway; those by other routes and by policies are beside this file.
import { array, object } from '../../../../src/core/json.ts'
import type { KubeObject } from '../../../../src/core/types.ts'
import { ENVOY_HTTP_ROUTE } from '../../stage/route-kinds.ts'
import { labelled, STRICT } from '../ground.ts'
import { intruding, parentedBy, ref, withBackend, withHost, withPath } from '../made.ts'
import { changes, creates, restartsGateway, type Scene, type Way } from '../way.ts'
import { anyRoute } from './any-route.ts'
import { ENVOY_POLICY_WAYS } from './envoy-policies.ts'
import { ENVOY_ROUTE_WAYS } from './envoy-routes.ts'
import { whileWebhookIsAway } from './some-routes.ts'

const kind = ENVOY_HTTP_ROUTE
const GATEWAY_API = 'gateway.networking.k8s.io'
const API = 'gateway.envoyproxy.io/v1alpha1'
const target = (name: string, more: object = {}) => ({ group: GATEWAY_API, kind: 'HTTPRoute', name, ...more })

const onHost = (at: Scene, name: string, of: object) => ({
  ...ref(API, name, at.namespace, at.name),
  spec: of,
})

const EXTENSIONS: readonly Way[] = [
  {
    of: ['G19', 'G25'],
    name: 'its owner has a script on another route of the host that turns requests to the protected one',
    kind,
    steps: at => {
      const inline = "function envoy_on_request(r) r:headers():replace(':path', '/') r:clearRouteCache() end"
      const spec = { targetRefs: [target(`${at.name}-script`)], lua: [{ type: 'Inline', inline }] }
      const route = withPath(withBackend(at.beside('script'), 'recorder'), '/script')
      return [creates('owner', onHost(at, 'EnvoyExtensionPolicy', spec)), creates('owner', route)]
    },
    asks: async at => (await at.ask(at.url('/script'))).reached?.application,
    without: 'closed',
    with: 'closed',
  },
  {
    of: ['G21'],
    name: "its owner has the login's redirect answered by a text of theirs",
    kind,
    steps: at => {
      const body = { type: 'Inline', inline: 'anything' }
      const match = { statusCodes: [{ type: 'Value', value: 302 }] }
      const responseOverride = [{ match, response: { statusCode: 200, body } }]
      const spec = { targetRefs: [target(at.name)], responseOverride }
      return [creates('owner', onHost(at, 'BackendTrafficPolicy', spec))]
    },
    without: 'closed',
    with: 'closed',
  },
  {
    of: ['G21'],
    name: 'its owner answers a path of the host directly by a route of theirs',
    kind,
    steps: at => {
      const spec = { directResponse: { statusCode: 200, body: { type: 'Inline', inline: 'log in here' } } }
      const extensionRef = { group: 'gateway.envoyproxy.io', kind: 'HTTPRouteFilter', name: at.name }
      const rules = [{ filters: [{ type: 'ExtensionRef', extensionRef }] }]
      const route = withPath(at.beside('direct', { rules }), '/direct')
      return [creates('owner', onHost(at, 'HTTPRouteFilter', spec)), creates('owner', route)]
    },
    asks: async at => (await at.ask(at.url('/direct'))).reached?.application,
    without: 'closed',
    with: 'closed',
  },
  {
    of: ['G25'],
    name: "who keeps the gateways patches the login out of the proxy's configuration",
    kind,
    alone: true,
    steps: at => {
      const type = 'type.googleapis.com/envoy.config.listener.v3.Listener'
      const operation = { op: 'remove', path: '/filter_chains/0/filters/0/typed_config/http_filters' }
      const spec = {
        targetRef: { group: GATEWAY_API, kind: 'Gateway', name: 'envoy' },
        type: 'JSONPatch',
        jsonPatches: [{ type, name: 'gateways/envoy/https', operation }],
      }
      return [creates('keeper', { ...ref(API, 'EnvoyPatchPolicy', 'gateways', at.name), spec })]
    },
    without: 'closed',
    with: 'closed',
  },
  {
    of: ['G26'],
    name: 'a client makes up identity beside a session',
    kind,
    standing: true,
    steps: () => [],
    asks: at => madeUp(at),
    without: 'closed',
    with: 'closed',
  },
  {
    of: ['E6', 'G26'],
    name: 'who keeps the gateways gives the listener another client policy, which strips nothing',
    kind,
    alone: true,
    steps: at => {
      const targetRefs = [{ group: GATEWAY_API, kind: 'Gateway', name: 'envoy', sectionName: 'https' }]
      const spec = { targetRefs, timeout: { http: { requestReceivedTimeout: '30s' } } }
      return [creates('keeper', { ...ref(API, 'ClientTrafficPolicy', 'gateways', at.name), spec })]
    },
    asks: at => madeUp(at),
    without: 'open',
    with: 'open',
  },
]

/** The access token is one that the team's oauth2-proxy does not hand out. */
async function madeUp(at: Scene): Promise<string | undefined> {
  const headers = { cookie: await at.session('anna'), 'X-Auth-Request-Access-Token': 'made-up' }
  const { body, reached } = await at.ask(at.url(), { headers })
  return body.includes('made-up') ? `${reached?.application} with made-up identity` : undefined
}

const parentsOf = (at: Scene) => array(object(at.route.spec).parentRefs)

const PARENTS: readonly Way[] = [
  {
    of: ['G23'],
    name: 'its owner attaches it to a Service, as a mesh has it',
    kind,
    steps: at => {
      const parentRefs = [...parentsOf(at), { group: '', kind: 'Service', name: 'prometheus' }]
      return [changes('owner', at.route, { spec: { parentRefs } })]
    },
    without: 'closed',
    with: 'refused',
    by: 'parent-kind',
  },
  {
    of: ['G23', 'E8'],
    name: 'its owner attaches it to a second Gateway, which is not prepared',
    kind,
    steps: at => {
      const parentRefs = [...parentsOf(at), { namespace: 'gateways', name: 'second' }]
      return [changes('owner', at.route, { spec: { parentRefs } })]
    },
    without: { notShown: 'nobody runs the proxy of a second Gateway on the stage' },
    with: 'refused',
    by: 'gateway-open',
  },
  {
    of: ['G23'],
    name: 'its owner asks for default Gateways',
    kind,
    steps: at => [changes('owner', at.route, { spec: { useDefaultGateways: 'All' } })],
    without: 'closed',
    with: 'closed',
  },
  {
    of: ['G24'],
    name: 'its owner has listeners of their own on the Gateway, and an unlabelled route there',
    kind,
    steps: at => {
      const listener = { name: 'own', protocol: 'HTTP', port: 18_080 }
      const parentRef = { group: GATEWAY_API, kind: 'Gateway', namespace: 'gateways', name: 'envoy' }
      const set = {
        ...ref(`${GATEWAY_API}/v1`, 'ListenerSet', at.namespace, at.name),
        spec: { parentRef, listeners: [listener] },
      }
      const parent = { group: GATEWAY_API, kind: 'ListenerSet', name: at.name }
      return [creates('owner', set), creates('owner', parentedBy(at.beside('own'), parent))]
    },
    without: 'closed',
    with: 'closed',
  },
  {
    of: ['E3'],
    name: 'somebody labels a route where no team admits the namespace',
    kind,
    route: () => undefined,
    steps: at => [creates('stranger', labelled(withHost(intruding(at), `${at.name}.${at.domain}`)))],
    asks: async at => (await at.ask(at.url('/', `${at.name}.${at.domain}`))).reached?.application,
    without: 'open',
    with: 'refused',
    by: 'team-none',
  },
]

/** Long enough to be seen open; the label counts once it is back. */
const AWAY_MS = 8_000

const v1beta1 = (route: KubeObject): KubeObject => ({ ...route, apiVersion: `${GATEWAY_API}/v1beta1` })
const off = { metadata: { labels: { 'auth.example/protect': null } } }

const ADMISSION: readonly Way[] = [
  {
    of: ['G28'],
    name: 'its owner takes the label off by another version of the kind where the namespace requires a login',
    kind,
    namespace: STRICT,
    steps: at => [changes('owner', v1beta1(at.route), off)],
    without: 'open',
    with: 'refused',
    by: 'protection-required',
  },
  {
    of: ['G28'],
    name: 'its owner takes the label off by a write to the status',
    kind,
    steps: at => [changes('owner', at.route, off, '/status')],
    without: 'closed',
    with: 'repaired',
  },
  {
    of: ['E4'],
    name: 'its owner labels an open route while Envoy Gateway is away',
    kind,
    alone: true,
    route: () => undefined,
    steps: at => {
      const label = { metadata: { labels: { 'auth.example/protect': 'true' } } }
      return [creates('owner', at.route), restartsGateway(at, AWAY_MS), changes('owner', at.route, label)]
    },
    without: 'open',
    with: 'open',
  },
  whileWebhookIsAway(kind, 'closed'),
]

export const ENVOY_GATEWAY_WAYS: readonly Way[] = [
  ...anyRoute(kind, {}),
  ...ENVOY_ROUTE_WAYS,
  ...EXTENSIONS,
  ...PARENTS,
  ...ENVOY_POLICY_WAYS,
  ...ADMISSION,
]
