// Ways around a login that some kinds of routes share, each made for the kind that has it.
import { array, object } from '../../../../src/core/json.ts'
import type { RouteKindOnStage } from '../../stage/route-kinds.ts'
import { labelled } from '../ground.ts'
import { grant, inNamespace, withBackend, withHost, withPath } from '../made.ts'
import { changes, creates, stopsWebhook, type Way } from '../way.ts'

/** Where the gateway has no order for equals. */
export function twin(kind: RouteKindOnStage): Way {
  return {
    of: ['T11', 'I12'],
    name: 'its owner serves the same host and path, and lots are drawn',
    kind,
    steps: at => [creates('owner', at.beside('twin'))],
    without: 'open',
    with: 'open',
  }
}

export function acrossNamespaces(kind: RouteKindOnStage): Way {
  return {
    of: ['G10'],
    name: 'its owner lets a route of another namespace reach the Service',
    kind,
    steps: at => {
      const from = { kind: 'HTTPRoute', namespace: 'elsewhere' }
      const route = withHost(withBackend(at.route, 'prometheus', at.namespace), `across-${at.name}.${at.domain}`)
      return [
        creates('owner', grant(at.namespace, at.name, from, { group: '', kind: 'Service', name: 'prometheus' })),
        creates('stranger', inNamespace(route, 'elsewhere')),
      ]
    },
    asks: async at => (await at.ask(at.url('/', `across-${at.name}.${at.domain}`))).reached?.application,
    without: 'open',
    with: 'open',
  }
}

export function pathOfLogin(kind: RouteKindOnStage): Way {
  return {
    of: ['G22', 'I10'],
    name: "its owner serves a path of the login's on the protected route",
    kind,
    steps: at => [changes('owner', at.route, { spec: withPath(at.route, '/oauth2/start').spec })],
    asks: async at => (await at.ask(at.url('/oauth2/start'))).reached?.application,
    without: 'closed',
    with: 'refused',
    by: 'path-of-login',
  }
}

/** Of an HTTPRoute. */
export function pathOfLoginBeside(kind: RouteKindOnStage): Way {
  return {
    of: ['G22', 'I10'],
    name: "its owner serves the login's path of the host by another route",
    kind,
    steps: at => {
      const [rule] = array(object(at.route.spec).rules).map(object)
      const exact = { ...rule, matches: [{ path: { type: 'Exact', value: '/oauth2/callback' } }] }
      return [creates('owner', at.beside('callback', { rules: [exact] }))]
    },
    asks: async at => (await at.ask(at.url('/oauth2/callback'))).reached?.application,
    without: 'open',
    with: 'open',
  }
}

/** `without`: what the route is where nobody has put anything into it. */
export function whileWebhookIsAway(kind: RouteKindOnStage, without: 'open' | 'closed'): Way {
  return {
    of: ['G27'],
    name: 'its owner makes it while the webhook is away',
    kind,
    alone: true,
    route: () => undefined,
    steps: at => [stopsWebhook(at), creates('owner', labelled(at.route))],
    without,
    with: 'refused',
    by: 'validate.auth.example',
  }
}
