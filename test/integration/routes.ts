// Routes and facts of the cluster that the golden cases have too, for tests that need no setup of their own.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KubeObject } from '../../src/core/types.ts'
import { GOLDEN } from '../golden/case.ts'
import { fromYaml } from './objects.ts'

export const PROTECT = 'auth.example/protect'
export const base = fromYaml(readFileSync(join(GOLDEN, 'base.yaml'), 'utf8'))

export function ingress(name: string, { label = 'true', host = `${name}.team-a.example.com` } = {}): KubeObject {
  const labels = label === '' ? {} : { [PROTECT]: label }
  const backend = { service: { name, port: { number: 80 } } }
  const rules = [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }]
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'wiki', labels },
    spec: { ingressClassName: 'nginx', rules },
  }
}

export function gatewayRoute(kind: string, version: string, name: string, rules: readonly object[]): KubeObject {
  const parentRefs = [{ name: 'traefik', namespace: 'gateways' }]
  return {
    apiVersion: `gateway.networking.k8s.io/${version}`,
    kind,
    metadata: { name, namespace: 'wiki', labels: { [PROTECT]: 'true' } },
    spec: { parentRefs, hostnames: [`${name}.team-a.example.com`], rules },
  }
}
