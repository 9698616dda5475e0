// Ways around a login that work the same with every kind of route.
import { PROTECT } from '../../../../src/core/keys.ts'
import type { RouteKindOnStage } from '../../stage/route-kinds.ts'
import { STRICT } from '../ground.ts'
import { ingressRoute, withBackend, withHost, withHosts, withPath } from '../made.ts'
import { changes, creates, removes, type Scene, type Way } from '../way.ts'

const unlabelled = { metadata: { labels: { [PROTECT]: null } } }

/** `undo`: what an owner takes off besides the label, where Portcullis does not do it. */
export function anyRoute(kind: RouteKindOnStage, undo: object): Way[] {
  const off = (at: Scene) => {
    const { metadata, ...rest } = { metadata: {}, ...undo }
    return at.portcullis ? unlabelled : { ...rest, metadata: { ...metadata, ...unlabelled.metadata } }
  }
  return [
    {
      of: ['G1', 'I17'],
      name: 'its owner takes the label off',
      kind,
      steps: at => [changes('owner', at.route, off(at))],
      without: 'open',
      with: 'open',
    },
    {
      of: ['G1', 'I17'],
      name: 'its owner takes the label off where the namespace requires a login',
      kind,
      namespace: STRICT,
      steps: at => [changes('owner', at.route, off(at))],
      without: 'open',
      with: 'refused',
      by: 'protection-required',
    },
    ...ANY_ROUTE.map(way => ({ ...way, kind })),
  ]
}

const ANY_ROUTE: readonly Omit<Way, 'kind'>[] = [
  {
    of: ['G1', 'I17'],
    name: 'its owner writes a team into the label that there is not',
    steps: at => [changes('owner', at.route, { metadata: { labels: { [PROTECT]: 'nonsense' } } })],
    without: 'closed',
    with: 'refused',
    by: 'team-unknown',
  },
  {
    of: ['G2'],
    name: 'its owner deletes it and makes it again without the label',
    steps: at => [removes('owner', at.route), creates('owner', at.beside('again'))],
    without: 'open',
    with: 'open',
  },
  {
    of: ['G2'],
    name: 'its owner deletes it and makes it again without the label where the namespace requires a login',
    namespace: STRICT,
    steps: at => [removes('owner', at.route), creates('owner', at.beside('again'))],
    without: 'open',
    with: 'refused',
    by: 'protection-required',
  },
  {
    of: ['G3', 'I13'],
    name: 'its owner serves the same Service on another host',
    steps: at => [creates('owner', withHost(at.beside('other'), `other-${at.host}`))],
    asks: async at => (await at.ask(at.url('/', `other-${at.host}`))).reached?.application,
    without: 'open',
    with: 'open',
  },
  {
    of: ['G4', 'T12', 'I12'],
    name: 'its owner serves a longer path of the same host',
    steps: at => [creates('owner', withPath(at.beside('longer'), '/longer'))],
    asks: async at => (await at.ask(at.url('/longer'))).reached?.application,
    without: 'open',
    with: 'open',
  },
  {
    of: ['G5'],
    name: 'its owner serves a host that is narrower than the wildcard of the protected route',
    route: (plain, at) => withHosts(plain, at.host, `*.${at.host}`),
    steps: at => [creates('owner', withHost(at.beside('narrower'), `narrower.${at.host}`))],
    asks: async at => (await at.ask(at.url('/', `narrower.${at.host}`))).reached?.application,
    without: 'open',
    with: 'open',
  },
  {
    of: ['G6'],
    name: 'its owner serves another Service that leads to the same pods',
    steps: at => [creates('owner', withBackend(withHost(at.beside('alias'), `alias-${at.host}`), 'alias'))],
    asks: async at => (await at.ask(at.url('/', `alias-${at.host}`))).reached?.application,
    without: 'open',
    with: 'open',
  },
  {
    of: ['G29'],
    name: 'somebody in the cluster speaks to the Service itself',
    standing: true,
    steps: () => [],
    asks: async at => {
      const { body } = await at.stage.cluster.api.send('GET', `/api/v1/namespaces/${at.namespace}/services/prometheus`)
      const { clusterIP } = body.spec as { clusterIP: string }
      return (await fetch(`http://${clusterIP}/`)).headers.get('x-application') ?? undefined
    },
    without: 'open',
    with: 'open',
  },
]

const BESIDE_TRAEFIK: readonly Omit<Way, 'kind'>[] = [
  {
    of: ['T22', 'G8', 'I12'],
    name: 'its owner serves a longer path of the host by an IngressRoute',
    steps: at => {
      const match = `Host(\`${at.host}\`) && PathPrefix(\`/beside\`)`
      return [creates('owner', ingressRoute(at.namespace, at.name, { match, service: 'prometheus', priority: 99_999 }))]
    },
    asks: async at => (await at.ask(at.url('/beside'))).reached?.application,
    without: 'open',
    with: 'open',
  },
  {
    of: ['T15', 'T16', 'I12', 'G8'],
    name: 'somebody of another namespace takes the host by an IngressRoute with a priority',
    steps: at => {
      const rule = { match: `Host(\`${at.host}\`)`, service: 'intruder', priority: 2_000_000 }
      return [creates('stranger', ingressRoute('elsewhere', at.name, rule))]
    },
    without: 'open',
    with: 'open',
  },
]

/** Of one Traefik, which reads them all for the same host. */
export function besideTraefik(kind: RouteKindOnStage): Way[] {
  return BESIDE_TRAEFIK.map(way => ({ ...way, kind }))
}
