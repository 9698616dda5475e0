// Every companion that the gateways make in the example cluster, where one team speaks TLS and has a login on every host.
import { join } from 'node:path'
import { companions } from '../../src/core/companions.ts'
import { PROTECT } from '../../src/core/keys.ts'
import type { Companion, Scope } from '../../src/core/types.ts'
import { loadFacts } from '../../src/facts/documents.ts'
import { gateways } from '../../src/gateways/index.ts'
import { MANIFESTS } from './documents.ts'

const SAFE_TEAM = {
  apiVersion: 'auth.example/v1alpha1',
  kind: 'AuthTeam',
  metadata: { name: 'safe' },
  spec: {
    namespaces: { names: ['shop'] },
    proxy: {
      service: { namespace: 'login-safe', name: 'oauth2-proxy', port: 443 },
      scheme: 'https',
      caSecret: 'authority',
      cookieDomains: ['safe.example.com'],
    },
  },
}

const SAFE_INGRESS = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { namespace: 'shop', name: 'safe', labels: { [PROTECT]: 'safe' } },
  spec: { ingressClassName: 'nginx', rules: [{ host: 'app.safe.example.com' }] },
}

export async function madeCompanions(): Promise<Companion[]> {
  const { store, problems: read } = await loadFacts(join(MANIFESTS, 'examples'))
  const problems = [...read, ...[SAFE_TEAM, SAFE_INGRESS].flatMap(each => store.put(each)).map(each => each.message)]
  if (problems.length > 0) throw new Error(problems.join('\n'))
  const teams = [...store.teams()].map(({ name }) => name)
  const scopes: Scope[] = [
    ...teams.map(team => ({ of: 'team', team }) as const),
    ...teams.flatMap(team =>
      [...store.namespaces()].map(({ name }) => ({ of: 'namespace', team, namespace: name }) as const),
    ),
    ...[...store.gateways()].map(({ namespace, name }) => ({ of: 'gateway', namespace, name }) as const),
    ...[...store.routes.all()].map(({ ref }) => ({ of: 'route', route: ref }) as const),
  ]
  return scopes.flatMap(scope => companions(scope, store, gateways))
}
