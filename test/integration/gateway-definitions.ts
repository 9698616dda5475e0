// The definitions of the gateways without those whose kinds nobody here uses: an API server needs seconds for each.
import { basename } from 'node:path'
import { crdFiles } from '../parts/crds.ts'

const ENVOY_GATEWAY = 'gateway.envoyproxy.io'
const UNUSED: ReadonlySet<string> = new Set([
  `${ENVOY_GATEWAY}_backends.yaml`,
  `${ENVOY_GATEWAY}_backendtrafficpolicies.yaml`,
  `${ENVOY_GATEWAY}_envoyextensionpolicies.yaml`,
  `${ENVOY_GATEWAY}_envoypatchpolicies.yaml`,
  `${ENVOY_GATEWAY}_envoyproxies.yaml`,
  `${ENVOY_GATEWAY}_httproutefilters.yaml`,
])

export function gatewayDefinitions(): string[] {
  return [...crdFiles('envoy-gateway'), ...crdFiles('traefik')].filter(file => !UNUSED.has(basename(file)))
}
