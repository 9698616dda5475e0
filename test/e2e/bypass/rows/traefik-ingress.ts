// Ways around a login on an Ingress behind Traefik.
import { array, object } from '../../../../src/core/json.ts'
import { TRAEFIK_INGRESS } from '../../stage/route-kinds.ts'
import { ref, servesInstead, withHost } from '../made.ts'
import { annotates, changes, creates, removes, type Scene, type Way } from '../way.ts'
import { anyRoute, besideTraefik } from './any-route.ts'
import { pathOfLogin, whileWebhookIsAway } from './some-routes.ts'
import { TRAEFIK_INGRESS_NEIGHBOURS } from './traefik-ingress-neighbours.ts'

const PREFIX = 'traefik.ingress.kubernetes.io/'
const MIDDLEWARES = `${PREFIX}router.middlewares`
const kind = TRAEFIK_INGRESS

const inFront = (at: Scene) => `${at.namespace}-${at.name}@kubernetescrd`

const OWN_ANNOTATIONS: readonly Way[] = [
  {
    of: ['T4'],
    name: 'its owner empties the list of Middlewares',
    kind,
    steps: at => [annotates('owner', at.route, { [MIDDLEWARES]: '' })],
    without: 'open',
    with: 'repaired',
  },
  {
    of: ['T8', 'I15'],
    name: 'its owner puts a Middleware in front that serves the application instead of the redirect',
    kind,
    steps: async at => {
      const list = await middlewaresOf(at)
      const front = servesInstead(at.namespace, at.name)
      return [creates('owner', front), annotates('owner', at.route, { [MIDDLEWARES]: `${inFront(at)},${list}` })]
    },
    without: 'open',
    with: 'repaired',
  },
  {
    of: ['I15'],
    name: 'its owner writes the list of Middlewares a second time, in other letters',
    kind,
    steps: at => [annotates('owner', at.route, { [`${PREFIX}Router.middlewares`]: '' })],
    without: 'closed',
    with: 'refused',
    by: 'annotation-spelling',
  },
  {
    of: ['G28'],
    name: 'its owner strips label and annotation by a write to the status',
    kind,
    steps: at => {
      const to = { metadata: { labels: { 'auth.example/protect': null }, annotations: { [MIDDLEWARES]: null } } }
      return [changes('owner', at.route, to, '/status')]
    },
    without: 'open',
    with: 'refused',
    by: 'status-changes',
  },
  {
    of: ['I17'],
    name: "its owner adds a host that is not the team's",
    kind,
    steps: at => [changes('owner', at.route, { spec: { rules: bothHosts(at) } })],
    asks: async at => (await at.ask(at.url('/', `added-${at.name}.${at.domain}`))).reached?.application,
    without: 'closed',
    with: 'refused',
    by: 'host-of-others',
  },
  pathOfLogin(kind),
]

function bothHosts(at: Scene): unknown[] {
  const added = withHost(at.route, `added-${at.name}.${at.domain}`)
  return [at.route, added].flatMap(each => array(object(each.spec).rules))
}

async function middlewaresOf({ stage, route }: Scene): Promise<string> {
  const path = `/apis/networking.k8s.io/v1/namespaces/${route.metadata.namespace}/ingresses/${route.metadata.name}`
  const { body } = await stage.cluster.api.send('GET', path)
  return String(object(object(body.metadata).annotations)[MIDDLEWARES])
}

const ours = async (at: Scene) => {
  const [name = ''] = /m[0-9a-f]{16}/.exec(await middlewaresOf(at)) ?? []
  return ref('traefik.io/v1alpha1', 'Middleware', 'portcullis', name)
}

const MIDDLEWARES_OF_OURS: readonly Way[] = [
  {
    of: ['T3', 'G16'],
    name: "who keeps Portcullis' namespace makes its Middleware do something else",
    kind,
    alone: true,
    steps: async at => {
      const to = { spec: { forwardAuth: null, headers: { customRequestHeaders: { 'x-any': 'any' } } } }
      return [changes('keeper', await ours(at), to)]
    },
    without: 'open',
    with: 'refused',
    by: 'companions.auth.example',
  },
  {
    of: ['T2', 'I12', 'G16'],
    name: "who keeps Portcullis' namespace deletes its Middleware, and a broader route takes the request",
    kind,
    alone: true,
    steps: async at => [
      removes('keeper', await ours(at)),
      creates('owner', withHost(at.beside('broader'), `*.team-a.${at.domain}`)),
    ],
    without: 'open',
    with: 'refused',
    by: 'companions.auth.example',
  },
]

const CLASSES: readonly Way[] = [
  {
    of: ['T21', 'I17'],
    name: 'its owner gives it the class of another reader, which does not know the annotation',
    kind,
    steps: at => [
      changes('owner', at.route, {
        metadata: { annotations: { 'nginx.ingress.kubernetes.io/service-upstream': 'true' } },
        spec: { ingressClassName: 'nginx' },
      }),
    ],
    without: 'open',
    with: 'closed',
  },
  {
    of: ['I18'],
    name: 'its owner gives it a class of a controller that nobody knows',
    kind,
    steps: at => [changes('owner', at.route, { spec: { ingressClassName: 'other' } })],
    without: 'closed',
    with: 'refused',
    by: 'controller-unknown',
  },
  {
    of: ['I18'],
    name: 'its owner takes the class away',
    kind,
    steps: at => [changes('owner', at.route, { spec: { ingressClassName: null } })],
    without: 'closed',
    with: 'refused',
    by: 'class-missing',
  },
  {
    of: ['I18'],
    name: 'its owner names a second class in the old annotation',
    kind,
    steps: at => [annotates('owner', at.route, { 'kubernetes.io/ingress.class': 'nginx' })],
    without: 'closed',
    with: 'refused',
    by: 'class-ambiguous',
  },
]

const AROUND: readonly Way[] = [
  whileWebhookIsAway(kind, 'open'),
  {
    of: ['T23'],
    name: "a rule of the team's oauth2-proxy that asks for no login on reading opens writing too",
    kind,
    standing: true,
    steps: () => [],
    asks: async at => {
      const got = await at.ask(`https://skips.team-b.${at.domain}/public/x`, { method: 'POST' })
      return got.reached?.application
    },
    without: 'open',
    with: 'open',
  },
  {
    of: ['T1', 'G26'],
    name: 'an entry point without a rule for them lets other spellings of identity headers through',
    kind,
    standing: true,
    steps: () => [],
    asks: async at => {
      const cookie = await at.session('anna')
      const { who, body } = await at.askPlain('/', { cookie, X_Auth_Request_Access_Token: 'made-up' })
      return body.includes('made-up') ? `${who} with made-up identity` : undefined
    },
    without: 'open',
    with: 'open',
  },
]

export const TRAEFIK_INGRESS_WAYS: readonly Way[] = [
  ...anyRoute(kind, { metadata: { annotations: { [MIDDLEWARES]: null } } }),
  ...besideTraefik(kind),
  ...OWN_ANNOTATIONS,
  ...TRAEFIK_INGRESS_NEIGHBOURS,
  ...MIDDLEWARES_OF_OURS,
  ...CLASSES,
  ...AROUND,
]
