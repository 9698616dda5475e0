// What Envoy Gateway's own translator makes of the companions: who is asked, who is denied, on which listener.
import { beforeAll, describe, expect, test } from '@jest/globals'
import { createAuthority } from '../../src/certificates/authority.ts'
import { issueLeaf } from '../../src/certificates/leaf.ts'
import { array, object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import type { GoldenCase } from '../golden/case.ts'
import { run } from '../golden/run.ts'
import { describeWithParts } from '../parts/require.ts'
import { base, PROTECT } from './routes.ts'
import { type Translation, translate } from './translation.ts'

const TRANSLATED = new Set(['Namespace', 'GatewayClass', 'Gateway'])
const ACCESS = 'auth.example/access'
const NET = 'portcullis-zz-net.1'
const ASKED = { asks: '/', guard: 'ALLOW x-auth-request-user @in request.headers', otherwise: 'DENY' }

const envoys = [
  { namespace: 'gateways', name: 'main', strictListeners: ['strict'] },
  { namespace: 'gateways', name: 'idle' },
]
const config = {
  apiVersion: 'config.auth.example/v1alpha1',
  kind: 'PortcullisConfig',
  metadata: {},
  controllers: [
    { controller: 'gateway.envoyproxy.io/gatewayclass-controller', gateway: 'envoy-gateway', handedOver: envoys },
  ],
}
const idle = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { name: 'idle', namespace: 'gateways' },
  spec: {
    gatewayClassName: 'envoy',
    listeners: ['*.example.com', 'only.example.com'].map((hostname, index) => ({
      name: `listener-${index}`,
      port: 443,
      protocol: 'HTTPS',
      hostname,
      allowedRoutes: { namespaces: { from: 'All' } },
    })),
  },
}
/** The cluster of the goldens, without Traefik: egctl takes one GatewayClass. */
const facts = [config, idle, ...base.filter(each => each.kind !== 'PortcullisConfig' && each.metadata.name !== 'traefik')]

type Place = { gateway?: string; listener?: string; namespace?: string; domain?: string; service?: string }

function route(name: string, labels: Record<string, string>, place: Place = {}): KubeObject {
  const { gateway = 'main', listener, namespace = 'wiki', domain = 'team-a.example.com', service = name } = place
  const sectionName = listener === undefined ? {} : { sectionName: listener }
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name, namespace, labels },
    spec: {
      parentRefs: [{ name: gateway, namespace: 'gateways', ...sectionName }],
      hostnames: [`${name}.${domain}`],
      rules: [{ backendRefs: [{ name: service, port: 80 }] }],
    },
  }
}

const routes = [
  route('member', { [PROTECT]: 'true' }),
  route('admin', { [PROTECT]: 'team-a', [ACCESS]: 'admins' }),
  route('typo', { [PROTECT]: 'team-z' }),
  route('unknown-level', { [PROTECT]: 'true', [ACCESS]: 'admin' }),
  route('open', {}),
  route('on-purpose', { [PROTECT]: 'false' }),
  route('strict-member', { [PROTECT]: '' }, { listener: 'strict' }),
  route('strict-open', {}, { listener: 'strict' }),
]
const login = {
  ...route('login', {}, { listener: 'strict', service: 'oauth2-proxy' }),
  metadata: { name: 'login', namespace: 'monitoring-team-a' },
}

function companionsOf(planned: readonly KubeObject[], scopes: readonly string[]): KubeObject[] {
  const golden: GoldenCase = { title: '', outFile: '', documents: [...facts, ...planned], planned, scopes }
  return run(golden).companions.flatMap(each => each.companions.map(({ object: of }) => of))
}

/** Services, and the certificate that the listeners show. */
async function surroundings(): Promise<KubeObject[]> {
  const leaf = await issueLeaf(await createAuthority(new Date()), ['*.example.com'], new Date())
  const data = { 'tls.crt': btoa(leaf.cert), 'tls.key': btoa(leaf.key) }
  const services = routes.map(({ metadata }) => ({ name: metadata.name, namespace: 'wiki' }))
  const proxy = { name: 'oauth2-proxy', namespace: 'monitoring-team-a' }
  return [
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'tls', namespace: 'gateways' }, type: TLS, data },
    ...[...services, proxy].map(metadata => ({ apiVersion: 'v1', kind: 'Service', metadata, spec: SERVICE })),
  ]
}

const TLS = 'kubernetes.io/tls'
const SERVICE = { clusterIP: '10.0.0.1', ports: [{ port: 80, protocol: 'TCP' }] }

function withCertificate(document: KubeObject): KubeObject {
  if (document.kind !== 'Gateway') return document
  const tls = { mode: 'Terminate', certificateRefs: [{ name: 'tls' }] }
  const listeners = array(object(document.spec).listeners).map(each => ({ ...object(each), tls }))
  return { ...document, spec: { ...object(document.spec), listeners } }
}

describeWithParts("Envoy Gateway's translator", ['egctl'], () => {
  let around: KubeObject[]
  const cluster = facts.filter(each => TRANSLATED.has(each.kind)).map(withCertificate)
  const translated = (...documents: KubeObject[]) => translate([...cluster, ...around, ...documents], 'gateways/main')

  beforeAll(async () => {
    around = await surroundings()
  }, 30_000)

  describe('with every companion', () => {
    let translation: Translation
    const made = companionsOf([...routes, login], ['route/HTTPRoute/monitoring-team-a/login'])
    const passthroughOf = (host: string) =>
      String(
        made.find(each => each.kind === 'HTTPRoute' && array(object(each.spec).hostnames)[0] === host)?.metadata.name,
      )

    beforeAll(async () => {
      translation = await translated(...routes, login, ...made)
    }, 60_000)

    test('the policies of the team are accepted, and the net is in conflict with them, as it is to be', () => {
      expect(translation.policy('portcullis-team.team-a')).toEqual(['shared: Accepted', 'strict: Accepted'])
      expect(translation.policy('portcullis-team.team-a.admins')).toEqual(['shared: Accepted'])
      expect(translation.policy(NET)).toEqual(['shared: Conflicted', 'strict: Conflicted'])
    })

    test('a labelled route asks oauth2-proxy, and only what it has marked goes through', () => {
      expect(translation.route('member')).toEqual(ASKED)
      expect(translation.route('strict-member')).toEqual(ASKED)
    })

    test('an access level asks with its groups, which nothing in the request can widen', () => {
      const groups = ['0b1f4cb6-4f2a-4b0e-a5c4-111111111111', '0b1f4cb6-4f2a-4b0e-a5c4-222222222222']
      expect(translation.route('admin')).toEqual({ ...ASKED, asks: `/?allowed_groups=${groups.join(',')}` })
    })

    test('the net denies a label that no team serves, and an access level that it has not', () => {
      expect(translation.route('typo')).toEqual({ otherwise: 'DENY' })
      expect(translation.route('unknown-level')).toEqual({ otherwise: 'DENY' })
    })

    test('a route without the label, or with "false", is as open as before on a shared listener', () => {
      expect(translation.route('open')).toEqual({})
      expect(translation.route('on-purpose')).toEqual({})
    })

    test('a strict listener denies a route without the label, and lets logins through', () => {
      expect(translation.route('strict-open')).toEqual({ otherwise: 'DENY' })
      expect(translation.route('login')).toEqual({ otherwise: 'ALLOW' })
      expect(translation.route(passthroughOf('strict-member.team-a.example.com'))).toEqual({ otherwise: 'ALLOW' })
    })

    test('the login path on a shared listener passes by the login', () => {
      expect(translation.route(passthroughOf('member.team-a.example.com'))).toEqual({})
    })

    test.each(['shared', 'strict'])('listener %s takes identity from clients and sets the return address', listener => {
      const headers = translation.chains.get(listener)?.headers ?? []
      expect(headers[0]).toBe(
        'OVERWRITE_IF_EXISTS_OR_ADD X-Auth-Request-Redirect: https://%REQ(:authority)%%REQ(:path)%',
      )
      const identity = ['User', 'Email', 'Groups', 'Preferred-Username', 'Access-Token']
      const removed = identity.flatMap(each => [`remove X-Auth-Request-${each}`, `remove X-Forwarded-${each}`])
      expect(headers).toEqual(expect.arrayContaining([...removed, 'remove GAP-Auth']))
    })
  })

  test('without the grant of the team nothing of its routes reaches the application', async () => {
    const made = companionsOf(routes, []).filter(each => each.kind !== 'ReferenceGrant')
    const translation = await translated(...routes, ...made)
    expect(translation.policy('portcullis-team.team-a')).toEqual(['shared: Invalid', 'strict: Invalid'])
    expect(translation.route('member')).toMatchObject({ answers: 500 })
  }, 60_000)

  test('without the policies of the team the net denies every labelled route', async () => {
    const team = /^portcullis-team\./
    const made = companionsOf(routes, []).filter(each => !team.test(String(each.metadata.name)))
    const translation = await translated(...routes, ...made)
    expect(translation.policy(NET)).toEqual(['shared: Accepted', 'strict: Accepted'])
    expect(translation.route('member')).toEqual({ otherwise: 'DENY' })
  }, 60_000)

  test('the anchor keeps the authorization filter in the chain of every listener, before any route is labelled', async () => {
    const open = routes.filter(each => object(each.metadata.labels)[PROTECT] === undefined)
    const made = companionsOf(open, ['gateway/gateways/main'])
    const anchor = /^portcullis-anchor-/
    const translation = await translated(...open, ...made.filter(each => anchor.test(String(each.metadata.name))))
    const bare = await translated(...open)
    for (const listener of ['shared', 'strict']) {
      expect(translation.chains.get(listener)?.filters).toContain('envoy.filters.http.rbac')
      expect(bare.chains.get(listener)?.filters).not.toContain('envoy.filters.http.rbac')
    }
  }, 60_000)
})
