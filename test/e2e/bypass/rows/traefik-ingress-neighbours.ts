// Ways around a login on an Ingress behind Traefik by what else is served, for its host or under its name.
import type { KubeObject } from '../../../../src/core/types.ts'
import { INGRESS_NGINX, TRAEFIK_HTTP_ROUTE, TRAEFIK_INGRESS } from '../../stage/route-kinds.ts'
import {
  annotated,
  ingressRoute,
  ingressRouteTCP,
  inNamespace,
  intruding,
  ref,
  withBackend,
  withHost,
  withPath,
} from '../made.ts'
import { recorded } from '../stand-ins.ts'
import { creates, type Scene, type Way } from '../way.ts'
import { twin } from './some-routes.ts'

const PREFIX = 'traefik.ingress.kubernetes.io/'
const PRIORITY = { [`${PREFIX}router.priority`]: '2000000' }
const kind = TRAEFIK_INGRESS

const NEIGHBOURS: readonly Way[] = [
  twin(kind),
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
const EVERY_HOST: readonly Way[] = [
  {
    of: ['I12', 'T15'],
    name: "somebody of another namespace serves every host of the team's domain with a priority",
    kind,
    alone: true,
    steps: at => [creates('stranger', annotated(withHost(intruding(at), `*.team-a.${at.domain}`), PRIORITY))],
    without: 'open',
    with: 'refused',
    by: 'hosts.auth.example',
  },
  {
    of: ['I12', 'T15'],
    name: 'somebody of another namespace serves every host there is with a priority',
    kind,
    alone: true,
    steps: at => [creates('stranger', annotated(withHost(intruding(at), undefined), PRIORITY))],
    without: 'open',
    with: 'open',
  },
  {
    of: ['I12'],
    name: 'somebody of another namespace has a default backend for every host',
    kind,
    alone: true,
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
    alone: true,
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
    alone: true,
    steps: at => [creates('stranger', ingressRouteTCP('elsewhere', at.name, 'web', 'HostSNI(`*`)'))],
    asks: async at => (await at.askPlain()).who,
    without: 'open',
    with: 'open',
  },
  {
    of: ['G22', 'I10'],
    name: "its owner serves the path of the team's login host where everybody comes back with their code",
    kind,
    alone: true,
    steps: at => [
      creates('owner', withPath(withHost(at.beside('callback'), `login.team-a.${at.domain}`), '/oauth2/callback')),
    ],
    asks: async at =>
      (await at.ask(at.url('/oauth2/callback?code=1', `login.team-a.${at.domain}`))).reached?.application,
    without: 'open',
    with: 'open',
  },
]

/** `pair-x` is the team's, `pair` somebody else's: joined by a dash, names in them can be the same. */
const NAMES: readonly Way[] = [
  {
    of: ['T6'],
    name: 'somebody of a namespace with a shorter name has a Service that gets the same name when joined',
    kind,
    namespace: 'pair-x',
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
    namespace: 'pair-x',
    steps: at => [creates('stranger', inNamespace(withBackend(at.route, 'x-prometheus'), 'pair', `x-${at.name}`))],
    without: 'open',
    with: 'refused',
    by: 'hosts.auth.example',
  },
]

export const TRAEFIK_INGRESS_NEIGHBOURS: readonly Way[] = [...NEIGHBOURS, ...EVERY_HOST, ...NAMES]
