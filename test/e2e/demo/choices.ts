// What `--gateway` of the demo chooses among.
import {
  ENVOY_HTTP_ROUTE,
  INGRESS_NGINX,
  type RouteKindOnStage,
  TRAEFIK_HTTP_ROUTE,
  TRAEFIK_INGRESS,
} from '../stage/route-kinds.ts'

export const CHOICES: Readonly<Record<string, RouteKindOnStage>> = {
  'envoy-gateway': ENVOY_HTTP_ROUTE,
  traefik: TRAEFIK_INGRESS,
  'traefik-httproute': TRAEFIK_HTTP_ROUTE,
  'ingress-nginx': INGRESS_NGINX,
}
