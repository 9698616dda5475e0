// Ways around a login on an Ingress behind Traefik.
import { array, object } from '../../../../src/core/json.ts'
import type { KubeObject } from '../../../../src/core/types.ts'
import { INGRESS_NGINX, TRAEFIK_HTTP_ROUTE, TRAEFIK_INGRESS } from '../../stage/route-kinds.ts'
import { labelled } from '../ground.ts'
import {
  annotated,
  ingressRoute,
  ingressRouteTCP,
  inNamespace,
  intruding,
  ref,
  servesInstead,
  withBackend,
  withHost,
  withPath,
} from '../made.ts'
import { recorded } from '../stand-ins.ts'
import { annotates, changes, creates, removes, type Scene, stopsWebhook, type Way } from '../way.ts'
import { anyRoute, besideTraefik } from './any-route.ts'

const PREFIX = 'traefik.ingress.kubernetes.io/'
const MIDDLEWARES = `${PREFIX}router.middlewares`
const PRIORITY = { [`${PREFIX}router.priority`]: '2000000' }
const kind = TRAEFIK_INGRESS

export const TRAEFIK_INGRESS_WAYS: readonly Way[] = [
  ...anyRoute(kind, { metadata: { annotations: { [MIDDLEWARES]: null } } }),
  ...besideTraefik(kind),
  ...ownAnnotations(),
  ...neighbours(),
  ...everyHost(),
  ...middlewaresOfOurs(),
  ...classes(),
  ...names(),
  ...around(),
]

function ownAnnotations(): Way[] {
  const inFront = (at: Scene) => `${at.namespace}-${at.name}@kubernetescrd`
  return [
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
    {
      of: ['G22', 'I10'],
      name: "its owner serves a path of the login's on the protected route",
      kind,
      steps: at => [changes('owner', at.route, { spec: withPath(at.route, '/oauth2/start').spec })],
      asks: async at => (await at.ask(at.url('/oauth2/start'))).reached?.application,
      without: 'closed',
      with: 'refused',
      by: 'path-of-login',
    },
  ]
}

function bothHosts(at: Scene): unknown[] {
  const added = withHost(at.route, `added-${at.name}.${at.domain}`)
  return [at.route, added].flatMap(each => array(object(each.spec).rules))
}

async function middlewaresOf({ stage, route }: Scene): Promise<string> {
  const path = `/apis/networking.k8s.io/v1/namespaces/${route.metadata.namespace}/ingresses/${route.metadata.name}`
  const { body } = await stage.cluster.api.send('GET', path)
  return String(object(object(body.metadata).annotations)[MIDDLEWARES])
}

function neighbours(): Way[] {
  return [
    {
      of: ['T11', 'I12'],
      name: 'its owner serves the same host and path, and lots are drawn',
      kind,
      steps: at => [creates('owner', at.beside('twin'))],
      without: 'open',
      with: 'open',
    },
    {
      of: ['T11', 'I12'],
      name: 'somebody of another namespace serves the same host and path',
      kind,
      steps: at => [creates('stranger', intruding(at))],
      without: 'open',
      with: 'refused',
      by: 'hosts.auth.example',
    },
    {
      of: ['T15', 'I15'],
      name: 'its owner serves the same host and path with a priority',
      kind,
      steps: at => [creates('owner', annotated(at.beside('first'), PRIORITY))],
      without: 'open',
      with: 'open',
    },
    {
      of: ['T16', 'I12'],
      name: 'somebody of another namespace takes the host by a long rule',
      kind,
      steps: at => {
        const match = `HostRegexp(\`^(${at.host}|${'x'.repeat(200)})$\`)`
        return [creates('stranger', ingressRoute('elsewhere', `${at.name}-long`, { match, service: 'intruder' }))]
      },
      without: 'open',
      with: 'open',
    },
    {
      of: ['T14', 'I12', 'G8'],
      name: 'its owner serves a path of the host by an HTTPRoute',
      kind,
      steps: at => {
        const backend = { namespace: at.namespace, name: at.name, host: at.host, service: 'prometheus', port: 80 }
        return [creates('owner', withPath(TRAEFIK_HTTP_ROUTE.route(backend), '/x'))]
      },
      asks: async at => (await at.ask(at.url('/x'))).reached?.application,
      without: 'open',
      with: 'open',
    },
    {
      of: ['I14', 'I12'],
      name: 'somebody of another namespace names the host as an alias of an Ingress for another reader',
      kind,
      steps: at => {
        const backend = {
          namespace: 'elsewhere',
          name: at.name,
          host: `${at.name}.${at.domain}`,
          service: 'intruder',
          port: 80,
        }
        const alias = { 'nginx.ingress.kubernetes.io/server-alias': at.host }
        return [creates('stranger', withPath(annotated(INGRESS_NGINX.route(backend), alias), '/x'))]
      },
      asks: async at => (await at.ask(at.url('/x'))).reached?.application,
      without: 'open',
      with: 'open',
    },
    {
      of: ['G9'],
      name: 'its owner mirrors what comes for another host to the Service',
      kind,
      steps: at => mirroring(at),
      asks: async at => {
        await at.ask(at.url(`/by-${at.name}`, `mirror-${at.host}`))
        return (await recorded(at.stage, at.namespace, `/by-${at.name}`)) > 0 ? 'recorder' : undefined
      },
      without: 'open',
      with: 'open',
    },
    {
      of: ['I19'],
      name: "its owner serves another host by a Service that stands for the application's name in the cluster",
      kind,
      steps: at => {
        const externalName = `prometheus.${at.namespace}.svc.cluster.local`
        const spec = { type: 'ExternalName', externalName, ports: [{ port: 80 }] }
        const service = { ...ref('v1', 'Service', at.namespace, `${at.name}-name`), spec }
        const route = withBackend(withHost(at.beside('name'), `name-${at.host}`), `${at.name}-name`)
        return [creates('owner', service), creates('owner', route)]
      },
      asks: async at => (await at.ask(at.url('/', `name-${at.host}`))).reached?.application,
      without: 'closed',
      with: 'closed',
    },
    {
      of: ['G8'],
      name: 'somebody of another namespace takes the host by an IngressRouteTCP for its TLS',
      kind,
      steps: at => {
        const route = ingressRouteTCP('elsewhere', at.name, 'websecure', `HostSNI(\`${at.host}\`)`, {})
        return [creates('stranger', route)]
      },
      without: 'closed',
      with: 'closed',
    },
  ]
}

function mirroring(at: Scene) {
  const mirrored: KubeObject = {
    ...ref('traefik.io/v1alpha1', 'TraefikService', at.namespace, `${at.name}-mirror`),
    spec: {
      mirroring: {
        name: 'alias',
        port: 80,
        nativeLB: true,
        mirrors: [{ name: 'recorder', port: 80, nativeLB: true, percent: 100 }],
      },
    },
  }
  const rule = { match: `Host(\`mirror-${at.host}\`)`, service: `${at.name}-mirror`, kind: 'TraefikService' }
  return [creates('owner', mirrored), creates('owner', ingressRoute(at.namespace, `${at.name}-mirror`, rule))]
}

/** Each of them would take other rows' hosts too. */
function everyHost(): Way[] {
  const alone = true
  return [
    {
      of: ['I12', 'T15'],
      name: "somebody of another namespace serves every host of the team's domain with a priority",
      kind,
      alone,
      steps: at => [creates('stranger', annotated(withHost(intruding(at), `*.team-a.${at.domain}`), PRIORITY))],
      without: 'open',
      with: 'refused',
      by: 'hosts.auth.example',
    },
    {
      of: ['I12', 'T15'],
      name: 'somebody of another namespace serves every host there is with a priority',
      kind,
      alone,
      steps: at => [creates('stranger', annotated(withHost(intruding(at), undefined), PRIORITY))],
      without: 'open',
      with: 'open',
    },
    {
      of: ['I12'],
      name: 'somebody of another namespace has a default backend for every host',
      kind,
      alone,
      steps: at => {
        const spec = {
          ingressClassName: 'traefik',
          defaultBackend: { service: { name: 'intruder', port: { number: 80 } } },
        }
        return [creates('stranger', { ...intruding(at), spec })]
      },
      without: 'closed',
      with: 'closed',
    },
    {
      of: ['T14', 'I12'],
      name: 'somebody of another namespace serves a path of every host by an HTTPRoute',
      kind,
      alone,
      steps: at => {
        const backend = { namespace: 'elsewhere', name: at.name, host: at.host, service: 'intruder', port: 80 }
        return [creates('stranger', withPath(withHost(TRAEFIK_HTTP_ROUTE.route(backend), undefined), '/taken'))]
      },
      asks: async at => (await at.ask(at.url('/taken'))).reached?.application,
      without: 'open',
      with: 'open',
    },
    {
      of: ['T17', 'G8'],
      name: 'somebody of another namespace takes all plain HTTP by a router for plain TCP',
      kind,
      alone,
      steps: at => [creates('stranger', ingressRouteTCP('elsewhere', at.name, 'web', 'HostSNI(`*`)'))],
      asks: async at => (await at.askPlain()).who,
      without: 'open',
      with: 'open',
    },
    {
      of: ['G22', 'I10'],
      name: "its owner serves the path of the team's login host where everybody comes back with their code",
      kind,
      alone,
      steps: at => [
        creates('owner', withPath(withHost(at.beside('callback'), `login.team-a.${at.domain}`), '/oauth2/callback')),
      ],
      asks: async at =>
        (await at.ask(at.url('/oauth2/callback?code=1', `login.team-a.${at.domain}`))).reached?.application,
      without: 'open',
      with: 'open',
    },
  ]
}

function middlewaresOfOurs(): Way[] {
  const ours = async (at: Scene) => {
    const [name = ''] = /m[0-9a-f]{16}/.exec(await middlewaresOf(at)) ?? []
    return ref('traefik.io/v1alpha1', 'Middleware', 'portcullis', name)
  }
  const alone = true
  return [
    {
      of: ['T3', 'G16'],
      name: "who keeps Portcullis' namespace makes its Middleware do something else",
      kind,
      alone,
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
      alone,
      steps: async at => [
        removes('keeper', await ours(at)),
        creates('owner', withHost(at.beside('broader'), `*.team-a.${at.domain}`)),
      ],
      without: 'open',
      with: 'refused',
      by: 'companions.auth.example',
    },
  ]
}

function classes(): Way[] {
  return [
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
}

/** `pair-x` is the team's, `pair` somebody else's: joined by a dash, names in them can be the same. */
function names(): Way[] {
  const namespace = 'pair-x'
  return [
    {
      of: ['T6'],
      name: 'somebody of a namespace with a shorter name has a Service that gets the same name when joined',
      kind,
      namespace,
      steps: at => {
        const route = withHost(withBackend(at.route, 'x-prometheus'), `steals-${at.name}.${at.domain}`)
        return [creates('stranger', inNamespace(route, 'pair'))]
      },
      asks: async at => {
        const { reached } = await at.ask(at.url('/', `steals-${at.name}.${at.domain}`))
        return reached?.application === 'prometheus' ? reached.application : undefined
      },
      without: 'open',
      with: 'open',
    },
    {
      of: ['T7'],
      name: 'somebody of a namespace with a shorter name has an Ingress that gets the same name when joined',
      kind,
      namespace,
      steps: at => [creates('stranger', inNamespace(withBackend(at.route, 'x-prometheus'), 'pair', `x-${at.name}`))],
      without: 'open',
      with: 'refused',
      by: 'hosts.auth.example',
    },
  ]
}

function around(): Way[] {
  return [
    {
      of: ['G27'],
      name: 'its owner makes it while the webhook is away',
      kind,
      alone: true,
      route: () => undefined,
      steps: at => [stopsWebhook(at), creates('owner', labelled(at.route))],
      without: 'open',
      with: 'refused',
      by: 'validate.auth.example',
    },
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
}
