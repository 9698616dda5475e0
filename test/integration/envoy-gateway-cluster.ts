// A cluster for Envoy Gateway's translator: that of the golden cases without Traefik, with a second Gateway handed over
// that serves no labelled route.
import { createAuthority } from '../../src/certificates/authority.ts'
import { issueLeaf } from '../../src/certificates/leaf.ts'
import { array, object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { run } from '../golden/run.ts'
import { base } from './routes.ts'

type Place = {
  readonly gateway?: string
  readonly listener?: string
  readonly namespace?: string
  readonly domain?: string
  readonly service?: string
}

const GATEWAY_API = 'gateway.networking.k8s.io/v1'

export function route(name: string, labels: Readonly<Record<string, string>>, place: Place = {}): KubeObject {
  const { gateway = 'main', listener, namespace = 'wiki', domain = 'team-a.example.com', service = name } = place
  const sectionName = listener === undefined ? {} : { sectionName: listener }
  return {
    apiVersion: GATEWAY_API,
    kind: 'HTTPRoute',
    metadata: { name, namespace, labels },
    spec: {
      parentRefs: [{ name: gateway, namespace: 'gateways', ...sectionName }],
      hostnames: [`${name}.${domain}`],
      rules: [{ backendRefs: [{ name: service, port: 80 }] }],
    },
  }
}

const handedOver = [
  { namespace: 'gateways', name: 'main', strictListeners: ['strict'] },
  { namespace: 'gateways', name: 'idle' },
]

const config: KubeObject = {
  apiVersion: 'config.auth.example/v1alpha1',
  kind: 'PortcullisConfig',
  metadata: {},
  controllers: [{ controller: 'gateway.envoyproxy.io/gatewayclass-controller', gateway: 'envoy-gateway', handedOver }],
}

const idle: KubeObject = {
  apiVersion: GATEWAY_API,
  kind: 'Gateway',
  metadata: { name: 'idle', namespace: 'gateways' },
  spec: {
    gatewayClassName: 'envoy',
    listeners: [
      { name: 'wildcard', port: 443, protocol: 'HTTPS', hostname: '*.example.com', ...fromAll() },
      { name: 'one-host', port: 443, protocol: 'HTTPS', hostname: 'only.example.com', ...fromAll() },
    ],
  },
}

function fromAll() {
  return { allowedRoutes: { namespaces: { from: 'All' } } }
}

// The translator takes one GatewayClass.
const shared = base.filter(({ kind, metadata }) => kind !== 'PortcullisConfig' && metadata.name !== 'traefik')
const facts = [config, idle, ...shared]

/** What Portcullis makes for these routes, and for further scopes. */
export function companionsFor(routes: readonly KubeObject[], scopes: readonly string[]): KubeObject[] {
  const golden = { title: '', outFile: '', documents: [...facts, ...routes], planned: routes, scopes }
  return run(golden).companions.flatMap(each => each.companions.map(({ object: made }) => made))
}

/** Namespaces, the Gateways with a certificate, and a Service for every backend. */
export async function cluster(routes: readonly KubeObject[]): Promise<KubeObject[]> {
  const leaf = await issueLeaf(await createAuthority(new Date()), ['*.example.com'], new Date())
  const data = { 'tls.crt': btoa(leaf.cert), 'tls.key': btoa(leaf.key) }
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'tls', namespace: 'gateways' } }
  const proxies = ['monitoring-team-a', 'login-team-b'].map(namespace => ({ namespace, name: 'oauth2-proxy' }))
  const applications = routes.map(({ metadata }) => ({ namespace: metadata.namespace, name: metadata.name }))
  const spec = { clusterIP: '10.0.0.1', ports: [{ port: 80, protocol: 'TCP' }] }
  return [
    ...facts.filter(({ kind }) => TRANSLATED.has(kind)).map(withCertificate),
    { ...secret, type: 'kubernetes.io/tls', data },
    ...[...proxies, ...applications].map(metadata => ({ apiVersion: 'v1', kind: 'Service', metadata, spec })),
  ]
}

const TRANSLATED: ReadonlySet<string> = new Set(['Namespace', 'GatewayClass', 'Gateway'])

function withCertificate(document: KubeObject): KubeObject {
  if (document.kind !== 'Gateway') return document
  const tls = { mode: 'Terminate', certificateRefs: [{ name: 'tls' }] }
  const listeners = array(object(document.spec).listeners).map(each => ({ ...object(each), tls }))
  return { ...document, spec: { ...object(document.spec), listeners } }
}
