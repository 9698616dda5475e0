// Ways around a login on an Ingress with the annotations of ingress-nginx, read by Traefik.
import { GROUPS } from '../../stage/people.ts'
import { INGRESS_NGINX } from '../../stage/route-kinds.ts'
import type { WayId } from '../catalogue.ts'
import { annotated, withBackend, withHost, withPath } from '../made.ts'
import { annotates, changes, creates, type State, type Way } from '../way.ts'
import { anyRoute, besideTraefik } from './any-route.ts'
import { pathOfLogin, twin } from './some-routes.ts'

const PREFIX = 'nginx.ingress.kubernetes.io/'
const kind = INGRESS_NGINX
const AUTH_URL = `${PREFIX}auth-url`
const OAUTH2_PROXY = 'http://oauth2-proxy.login-team-a.svc.cluster.local:80'

type Row = readonly [
  of: WayId,
  annotations: Readonly<Record<string, string | null>>,
  without: 'open' | 'closed',
  with_: State,
  by?: string,
]

/** Its owner writes them on the protected route. */
const OWN: readonly Row[] = [
  ['I1', { satisfy: 'any', 'whitelist-source-range': '0.0.0.0/0' }, 'closed', 'repaired'],
  ['I2', { 'enable-global-auth': 'false' }, 'closed', 'repaired'],
  ['T18', { 'auth-url': '' }, 'open', 'repaired'],
  ['I3', { 'auth-url': null }, 'open', 'repaired'],
  ['I3', { 'auth-url': 'http://prometheus.monitoring.svc.cluster.local:80/' }, 'open', 'repaired'],
  ['I3', { 'auth-method': 'OPTIONS' }, 'closed', 'repaired'],
  ['I3', { 'auth-snippet': 'return 200;' }, 'closed', 'refused', 'annotation-opens'],
  ['I3', { 'auth-cache-key': 'all' }, 'closed', 'repaired'],
  ['I3', { 'auth-cache-duration': '200;300' }, 'closed', 'refused', 'annotation-value'],
  ['I3', { 'auth-proxy-set-headers': 'monitoring/none' }, 'closed', 'repaired'],
  ['I3', { 'auth-request-redirect': '$host' }, 'closed', 'refused', 'annotation-value'],
  ['I3', { 'auth-always-set-cookie': 'maybe' }, 'closed', 'refused', 'annotation-value'],
  ['I3', { 'auth-type': 'basic', 'auth-secret': 'none' }, 'closed', 'repaired'],
  ['I4', { 'configuration-snippet': 'auth_request off;' }, 'closed', 'refused', 'annotation-opens'],
  ['I4', { 'server-snippet': 'return 200;' }, 'closed', 'refused', 'annotation-opens'],
  ['I6', { 'mirror-target': 'http://recorder.monitoring.svc.cluster.local/' }, 'closed', 'refused', 'annotation-opens'],
  ['I7', { 'backend-protocol': 'FCGI' }, 'closed', 'refused', 'annotation-opens'],
  ['I8', { canary: 'true' }, 'closed', 'refused', 'canary-labelled'],
  ['I11', { 'custom-http-errors': '401,403' }, 'closed', 'repaired'],
  ['I14', { 'server-alias': 'alias.example.org' }, 'closed', 'refused', 'alias-of-others'],
  ['I20', { 'permanent-redirect': 'https://example.org/' }, 'closed', 'closed'],
  ['I20', { 'app-root': '/elsewhere' }, 'closed', 'closed'],
  ['I20', { 'upstream-vhost': 'example.org' }, 'closed', 'closed'],
  ['I20', { 'use-regex': 'true', 'rewrite-target': '/$1' }, 'closed', 'closed'],
  ['I20', { 'enable-cors': 'true', 'cors-allow-origin': '*' }, 'closed', 'closed'],
  ['I20', { 'whitelist-source-range': '0.0.0.0/0' }, 'closed', 'closed'],
]

function own([of, annotations, without, with_, by]: Row): Way {
  const said = Object.entries(annotations).map(([key, value]) => (value === null ? `no ${key}` : `${key}: "${value}"`))
  const prefixed = Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`${PREFIX}${key}`, value]))
  return {
    of: [of],
    name: `its owner writes ${said.join(', ')}`,
    kind,
    steps: at => [annotates('owner', at.route, prefixed)],
    without,
    with: with_,
    ...(by === undefined ? {} : { by }),
  }
}

const ON_ITSELF: readonly Way[] = [
  {
    of: ['T19', 'I5'],
    name: 'its owner writes ssl-passthrough: "true"',
    kind,
    steps: at => [annotates('owner', at.route, { [`${PREFIX}ssl-passthrough`]: 'true' })],
    asks: async at => (await at.askPlain()).who,
    without: 'open',
    with: 'refused',
    by: 'annotation-opens',
  },
  {
    of: ['T20', 'I3', 'G30'],
    name: 'its owner writes an address of the login with a variable, by which a member makes themselves an administrator',
    kind,
    steps: at => {
      const url = `${OAUTH2_PROXY}/oauth2/auth?allowed_groups=${GROUPS.admins}&x=$arg_x`
      return [annotates('owner', at.route, { [AUTH_URL]: url })]
    },
    // Members are let in as long as the address is the plain one, so only the narrower address counts.
    asks: async at => {
      const headers = { cookie: await at.session('anna') }
      const narrow = await at.ask(at.url('/'), { headers })
      const widened = await at.ask(at.url(`/?x=1%26allowed_groups=${GROUPS['team-a']}`), { headers })
      return narrow.reached === undefined ? widened.reached?.application : undefined
    },
    without: 'open',
    with: 'repaired',
  },
  {
    of: ['I9'],
    name: 'its owner serves the path of certificate challenges on it',
    kind,
    steps: at => [changes('owner', at.route, { spec: withPath(at.route, '/.well-known/acme-challenge').spec })],
    asks: async at => (await at.ask(at.url('/.well-known/acme-challenge/x'))).reached?.application,
    without: 'closed',
    with: 'refused',
    by: 'path-open',
  },
  pathOfLogin(kind),
  {
    of: ['T21', 'I17'],
    name: 'its owner gives it the class of another reader, which does not know the annotations',
    kind,
    steps: at => [changes('owner', at.route, { spec: { ingressClassName: 'traefik' } })],
    without: 'open',
    with: 'closed',
  },
  {
    of: ['G28'],
    name: 'its owner strips label and annotations by a write to the status',
    kind,
    steps: at => {
      const annotations = { [AUTH_URL]: null, [`${PREFIX}auth-signin`]: null }
      return [
        changes('owner', at.route, { metadata: { labels: { 'auth.example/protect': null }, annotations } }, '/status'),
      ]
    },
    without: 'open',
    with: 'refused',
    by: 'status-changes',
  },
]

const BESIDE: readonly Way[] = [
  twin(kind),
  {
    of: ['I4'],
    name: 'its owner has a snippet on another Ingress of the host',
    kind,
    steps: at => [
      creates('owner', withPath(annotated(at.beside('snippet'), { [`${PREFIX}server-snippet`]: 'return 200;' }), '/x')),
    ],
    without: 'closed',
    with: 'closed',
  },
  {
    of: ['I5'],
    name: 'its owner has ssl-passthrough on another Ingress of the host',
    kind,
    steps: at => [creates('owner', annotated(at.beside('through'), { [`${PREFIX}ssl-passthrough`]: 'true' }))],
    asks: async at => (await at.askPlain()).who ?? (await at.ask(at.url())).reached?.application,
    without: 'closed',
    with: 'closed',
  },
  {
    of: ['I8'],
    name: 'its owner has an unlabelled canary beside it',
    kind,
    steps: at => {
      const canary = { [`${PREFIX}canary`]: 'true', [`${PREFIX}canary-by-header`]: 'x-canary' }
      return [creates('owner', annotated(withBackend(at.beside('canary'), 'alias'), canary))]
    },
    asks: async at => (await at.ask(at.url(), { headers: { 'x-canary': 'always' } })).reached?.application,
    without: 'closed',
    with: 'closed',
  },
  {
    of: ['I14'],
    name: 'its owner names the host as an alias of another Ingress',
    kind,
    steps: at => {
      const aliased = annotated(withHost(at.beside('alias'), `alias-${at.host}`), {
        [`${PREFIX}server-alias`]: at.host,
      })
      return [creates('owner', withPath(aliased, '/aliased'))]
    },
    asks: async at => (await at.ask(at.url('/aliased'))).reached?.application,
    without: 'closed',
    with: 'closed',
  },
]

export const TRAEFIK_NGINX_WAYS: readonly Way[] = [
  ...anyRoute(kind, { metadata: { annotations: { [AUTH_URL]: null } } }),
  ...besideTraefik(kind),
  ...OWN.map(own),
  ...ON_ITSELF,
  ...BESIDE,
]
