// The custom resource definitions that gateways and cert-manager bring, as their releases ship them.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { PartName } from './catalogue.ts'
import { locate } from './locate.ts'

/**
 * Envoy Gateway's files hold its own definitions and Gateway API's experimental channel; "gateway-api" is the standard
 * channel and brings an admission policy that refuses the experimental one afterwards: apply one of the two.
 * Traefik's files hold traefik.io only and go with either.
 */
export const crdFiles = (source: 'envoy-gateway' | 'traefik' | 'gateway-api' | 'cert-manager'): string[] => {
  const part: PartName = `${source}-crds`
  const folder = locate(part)
  if (!folder) throw new Error(`${part} not on this machine; "npm run parts" fetches it`)
  return readdirSync(folder)
    .sort()
    .map(file => join(folder, file))
}
