// The kinds that are facts, and where the API server has them.
import { GROUP, VERSION } from '../api/resource.ts'

const TRAEFIK = '/apis/traefik.io/v1alpha1'
const ENVOY_GATEWAY = '/apis/gateway.envoyproxy.io/v1alpha1'
const GATEWAY_API = '/apis/gateway.networking.k8s.io/v1'
const NETWORKING = '/apis/networking.k8s.io/v1'
const OURS = `/apis/${GROUP}/${VERSION}`

/** Kind to the path of its list. */
export const FACT_PATHS: Readonly<Record<string, string>> = {
  AuthTeam: `${OURS}/authteams`,
  AuthExemption: `${OURS}/authexemptions`,
  Namespace: '/api/v1/namespaces',
  IngressClass: `${NETWORKING}/ingressclasses`,
  Ingress: `${NETWORKING}/ingresses`,
  GatewayClass: `${GATEWAY_API}/gatewayclasses`,
  Gateway: `${GATEWAY_API}/gateways`,
  HTTPRoute: `${GATEWAY_API}/httproutes`,
  SecurityPolicy: `${ENVOY_GATEWAY}/securitypolicies`,
  ClientTrafficPolicy: `${ENVOY_GATEWAY}/clienttrafficpolicies`,
  Middleware: `${TRAEFIK}/middlewares`,
}
