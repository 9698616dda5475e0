// Traefik (3.7.13 or newer): Ingresses by annotation, HTTPRoutes by filter, both through a forwardAuth Middleware.
// A `;` in a query reaches applications as `&`, with and without a login: a deep link is exact but for that (3.7.13).
//
// How it fails closed: the protection is a reference in the route itself. While the oauth2-proxy is away Traefik answers
// 500; a reference that does not resolve (the Middleware is missing, the namespaces are joined by another separator, the
// provider of Middlewares is off) makes it drop the router, which is a 404 unless a broader router without a login takes
// the request. So the Middlewares are guards. It fails open in two ways. Something in front of ours can make up a session
// or an answer: so ours is first, in the list and in every rule. And the value of the annotation may be empty: it is never
// written so. In the list only the key in small letters counts, so another spelling is refused. Namespace and name of a
// Middleware are joined by a dash, so neither has one.
import type { Traefik } from '../../api/config.ts'
import { array, object } from '../../core/json.ts'
import { reason } from '../../core/reasons.ts'
import type {
  Companion,
  Facts,
  GatewayKind,
  Injection,
  Reason,
  Route,
  RouteKind,
  Scope,
  Target,
} from '../../core/types.ts'
import { passthroughHTTPRoute, passthroughIngress, passthroughWanted, routeCompanions } from '../passthrough.ts'
import { referenceGrant } from '../reference-grant.ts'
import { forPassthrough, MIDDLEWARES, PREFIX, spellings } from './annotations.ts'
import { GROUP, KIND, middlewareName, middlewares, NAME } from './middleware.ts'

const ELEMENT = /^[a-z0-9]+[-_]m[0-9a-f]{16}@kubernetescrd$/

export const traefik: GatewayKind = {
  id: 'traefik',
  routeKinds: ['Ingress', 'HTTPRoute'],
  reads: annotation => annotation.startsWith(PREFIX),
  // Of the list of Middlewares only our element is ours, and no annotation as a whole.
  owns: () => false,
  restores: () => false,
  ownsElement: (key, element) => key === MIDDLEWARES && ELEMENT.test(element),
  ownsFilter: ({ extensionRef: { group, kind, name } }) => group === GROUP && kind === KIND && NAME.test(name),
  refuse,
  warn,
  inject,
  scopes,
  companions,
}

/** Of one rule of an HTTPRoute (Gateway API, maxItems of `filters`). */
const MOST_FILTERS = 16

function refuse(bare: Route, { team }: Target): Reason[] {
  if (bare.ref.kind === 'Ingress') {
    return spellings(bare.annotations, MIDDLEWARES)
      .filter(key => key !== MIDDLEWARES)
      .map(annotation =>
        reason('annotation-spelling', { annotation, correct: MIDDLEWARES }, `metadata.annotations[${annotation}]`),
      )
  }
  const full = array(object(bare.object.spec).rules).flatMap((rule, index) =>
    array(object(rule).filters).length < MOST_FILTERS
      ? []
      : [reason('filters-full', {}, `spec.rules[${index}].filters`)],
  )
  // The Secret with the authority has to be in the namespace of the Middleware, here that of the application.
  return team.proxy.scheme === 'https' ? [reason('proxy-tls'), ...full] : full
}

function warn(bare: Route): Reason[] {
  if (bare.ref.kind === 'Ingress') {
    const others = (bare.annotations[MIDDLEWARES] ?? '').split(',').map(each => each.trim())
    if (others.every(each => each === '' || ELEMENT.test(each))) return []
    return [reason('redirect-late', { what: MIDDLEWARES }, `metadata.annotations[${MIDDLEWARES}]`)]
  }
  return array(object(bare.object.spec).rules).flatMap((rule, index) =>
    array(object(rule).filters).some(filter => object(object(filter).requestRedirect).scheme === 'https')
      ? [reason('redirect-late', { what: 'requestRedirect' }, `spec.rules[${index}].filters`)]
      : [],
  )
}

function inject(bare: Route, target: Target): Injection {
  const { separator, trustForwardHeader } = settings(target)
  const name = middlewareName({ ...target, trustForwardHeader })
  if (bare.ref.kind === 'HTTPRoute') {
    return { annotations: {}, firstFilter: { type: 'ExtensionRef', extensionRef: { group: GROUP, kind: KIND, name } } }
  }
  return {
    annotations: {},
    listHead: { key: MIDDLEWARES, element: `${target.ownNamespace}${separator}${name}@kubernetescrd` },
  }
}

function scopes({ ref }: Route, { team }: Target): Scope[] {
  const middlewaresOf: Scope =
    ref.kind === 'Ingress'
      ? { of: 'team', team: team.name }
      : { of: 'namespace', team: team.name, namespace: ref.namespace }
  return passthroughWanted(team, ref.kind) ? [middlewaresOf, { of: 'route', route: ref }] : [middlewaresOf]
}

function companions(scope: Scope, facts: Facts): Companion[] {
  switch (scope.of) {
    case 'team':
      return ofTeam(scope.team, facts)
    case 'namespace':
      return ofNamespace(scope.team, scope.namespace, facts)
    case 'route':
      return routeCompanions(scope, traefik, facts, (route, target) => {
        if (route.ref.kind === 'HTTPRoute') return passthroughHTTPRoute(route, target, facts)
        const annotations = forPassthrough(route.annotations)
        return annotations === undefined ? [] : [passthroughIngress(route, target, annotations)]
      })
    case 'gateway':
      return []
  }
}

/** An Ingress names a Middleware of any namespace, so ours are in our own. */
function ofTeam(name: string, facts: Facts): Companion[] {
  const team = facts.team(name)
  const { config } = facts
  return team === undefined ? [] : middlewares(team, config.namespace, config, trusts('Ingress', facts))
}

/** A filter names a Middleware of its own namespace. */
function ofNamespace(name: string, namespace: string, facts: Facts): Companion[] {
  const team = facts.teamsIn(namespace).admitted.find(each => each.name === name)
  const settings = trusts('HTTPRoute', facts)
  if (team === undefined || team.proxy.scheme === 'https' || settings.size === 0) return []
  return [...middlewares(team, namespace, facts.config, settings), ...referenceGrant(team, namespace)]
}

/** The settings of the Traefiks that serve this kind of route in this cluster. */
function trusts(kind: RouteKind, facts: Facts): Set<boolean> {
  const present = facts.controllersOf(kind)
  const found = facts.config.controllers.filter(
    (each): each is Traefik => each.gateway === 'traefik' && present.has(each.controller),
  )
  return new Set(found.map(each => each.trustForwardHeader).sort())
}

function settings({ controller }: Target): Traefik {
  if (controller.gateway !== 'traefik') throw new Error(`${controller.controller} is not Traefik`)
  return controller
}
