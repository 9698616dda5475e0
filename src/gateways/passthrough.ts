// The login path on an application's own host: a route of ours that leads it to the oauth2-proxy, past the login.
import type { AuthTeam } from '../api/auth-team.ts'
import { admitsNamespace } from '../core/attach.ts'
import { companionMetadata, scopeKey } from '../core/companions.ts'
import { covers } from '../core/hosts.ts'
import { LEGACY_CLASS, PROTECT } from '../core/keys.ts'
import { passthroughName } from '../core/names.ts'
import { aim } from '../core/planner.ts'
import { GATEWAY_API } from '../core/route.ts'
import { saysOpen } from '../core/team.ts'
import type {
  Companion,
  Facts,
  GatewayKind,
  KubeObject,
  Parent,
  Route,
  RouteKind,
  Scope,
  Target,
} from '../core/types.ts'

type Annotations = { readonly [annotation: string]: string }

/** The most host names that one HTTPRoute takes (Gateway API, maxItems of `spec.hostnames`). */
const HOSTS_PER_ROUTE = 16

export function passthroughWanted(team: AuthTeam, kind: RouteKind): boolean {
  if (team.passthrough === 'Never') return false
  // Without a login host every host serves its own login.
  return team.passthrough === 'Always' || kind === 'HTTPRoute' || team.proxy.loginHost === undefined
}

/**
 * What `build` makes for the stored route of a scope, if this gateway is the one that protects it and its team wants the
 * login on the application's host.
 */
export function routeCompanions(
  scope: Scope,
  kind: GatewayKind,
  facts: Facts,
  build: (route: Route, target: Target) => readonly Companion[],
): Companion[] {
  if (scope.of !== 'route') return []
  const route = facts.routes.get(scope.route)
  if (route === undefined || saysOpen(route.labels[PROTECT])) return []
  const aimed = aim(route, route.recordedTeam, facts, [kind])
  if (Array.isArray(aimed) || !passthroughWanted(aimed.target.team, route.ref.kind)) return []
  return hostsOfTeam(aimed.target).length === 0 ? [] : [...build(route, aimed.target)]
}

/**
 * An Ingress in oauth2-proxy's namespace, with the class of the route: controllers put the rules of a host together
 * whatever namespace they are from. It has no TLS of its own, the host's is that of the application's Ingress.
 */
export function passthroughIngress(route: Route, target: Target, extra: Annotations = {}): Companion {
  const { service, pathPrefix } = target.team.proxy
  const { className, legacyClassName } = route
  const metadata = metadataOf(route, target, service.namespace, 0)
  const legacy = className === undefined && legacyClassName !== undefined ? { [LEGACY_CLASS]: legacyClassName } : {}
  const backend = { service: { name: service.name, port: { number: service.port } } }
  const paths = [{ path: `${pathPrefix}/`, pathType: 'Prefix', backend }]
  const object = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { ...metadata, annotations: { ...(metadata.annotations as Annotations), ...legacy, ...extra } },
    spec: {
      ...(className === undefined ? {} : { ingressClassName: className }),
      rules: hostsOfTeam(target).map(host => ({ host, http: { paths } })),
    },
  }
  return { object, guards: false }
}

/**
 * HTTPRoutes on the same parents. The hosts are those under which the route is served, spelled out: on a route without
 * host names another route that names the host would take all of it. In oauth2-proxy's namespace where every listener
 * takes routes from there, else beside the route.
 */
export function passthroughHTTPRoute(route: Route, target: Target, facts: Facts): Companion[] {
  const { service, pathPrefix } = target.team.proxy
  const nearProxy = target.attachments.every(({ listener, gateway }) =>
    admitsNamespace(listener, gateway, service.namespace, facts),
  )
  const namespace = nearProxy ? service.namespace : route.ref.namespace
  const rule = {
    matches: [{ path: { type: 'PathPrefix', value: `${pathPrefix}/` } }],
    // Some gateways set this header to the address of the request, where signing out would then return to for ever.
    filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['X-Auth-Request-Redirect'] } }],
    backendRefs: [{ name: service.name, namespace: service.namespace, port: service.port }],
  }
  return chunks(hostsOfTeam(target), HOSTS_PER_ROUTE).map((hostnames, index) => ({
    object: {
      apiVersion: `${GATEWAY_API}/v1`,
      kind: 'HTTPRoute',
      metadata: metadataOf(route, target, namespace, index),
      spec: { parentRefs: route.parents.map(parentRef), hostnames, rules: [rule] },
    },
    guards: false,
  }))
}

/** A route that is refused for a host of others must not take the login path of that host either. */
function hostsOfTeam({ team, hosts }: Target): string[] {
  return hosts.filter(host => team.hosts.some(pattern => covers(pattern, host))).sort()
}

function metadataOf({ ref }: Route, { team }: Target, namespace: string, index: number): KubeObject['metadata'] {
  const name = index === 0 ? passthroughName(ref) : `${passthroughName(ref)}-${index + 1}`
  return companionMetadata(
    { namespace, name },
    `login of team ${team.name} on the hosts of ${ref.kind} ${ref.namespace}/${ref.name}`,
    scopeKey({ of: 'route', route: ref }),
  )
}

function parentRef({ group, kind, namespace, name, sectionName, port }: Parent) {
  return {
    group,
    kind,
    namespace,
    name,
    ...(sectionName === undefined ? {} : { sectionName }),
    ...(port === undefined ? {} : { port }),
  }
}

function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  )
}
