// The kinds of routes that a gateway of the stage reads, and what it does to requests with and without a login.
import type { KubeObject } from '../../../src/core/types.ts'
import type { GatewayName } from './gateway.ts'
import { type Backend, httpRoute, ingress } from './objects.ts'

export type RouteKindOnStage = {
  readonly title: string
  readonly gateway: GatewayName
  /** A part of the hosts of its routes. */
  readonly slug: string
  route(backend: Backend): KubeObject
  /** What of a path with its query the gateway hands on, to an application that nobody protects. */
  handsOn(path: string): string
  /** What a program gets that wants JSON and says so, without a session, unless the label says that clients are programs. */
  readonly json: 401 | 302
  /** What a program has to accept to get 401 where the label says that clients are programs. */
  readonly programAccepts: string
  /** Whether its applications have the login's paths on their own hosts. */
  readonly ownLogin: boolean
}

const asItIs = (path: string) => path

/** Go's reading of a query knows no semicolons; Traefik makes separators of them. */
function withoutSemicolons(path: string): string {
  const [before = '', ...query] = path.split('?')
  return [before, ...query.map(each => each.replaceAll(';', '&'))].join('?')
}

/** Traefik's reader of the annotations of ingress-nginx wants endpoints, which nobody has here, unless told otherwise. */
const CLUSTER_IP = { 'nginx.ingress.kubernetes.io/service-upstream': 'true' }

export const ENVOY_HTTP_ROUTE: RouteKindOnStage = {
  title: 'an HTTPRoute behind Envoy Gateway',
  gateway: 'envoy-gateway',
  slug: 'envoy',
  route: backend => httpRoute('envoy', backend),
  handsOn: asItIs,
  json: 401,
  programAccepts: 'application/json',
  ownLogin: true,
}

export const TRAEFIK_INGRESS: RouteKindOnStage = {
  title: 'an Ingress behind Traefik',
  gateway: 'traefik',
  slug: 'ingress',
  route: backend => ingress('traefik', backend),
  handsOn: withoutSemicolons,
  json: 401,
  programAccepts: '*/*',
  ownLogin: false,
}

export const TRAEFIK_HTTP_ROUTE: RouteKindOnStage = {
  title: 'an HTTPRoute behind Traefik',
  gateway: 'traefik',
  slug: 'route',
  route: backend => httpRoute('traefik', backend),
  handsOn: withoutSemicolons,
  json: 401,
  programAccepts: '*/*',
  ownLogin: true,
}

export const INGRESS_NGINX: RouteKindOnStage = {
  title: 'an Ingress with the annotations of ingress-nginx, read by Traefik',
  gateway: 'traefik',
  slug: 'nginx',
  route(backend) {
    const route = ingress('nginx', backend)
    return { ...route, metadata: { ...route.metadata, annotations: CLUSTER_IP } }
  },
  handsOn: withoutSemicolons,
  // Whoever has no session is sent to auth-signin.
  json: 302,
  programAccepts: '*/*',
  ownLogin: false,
}
