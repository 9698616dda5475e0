// Generated routes: mostly such that they can be protected, with labels, annotations and filters of a hostile owner.
import fc from 'fast-check'
import type { KubeObject } from '../../src/core/types.ts'
import { parent } from '../facts/cluster.ts'

/** In the owner's own words everywhere, and never to be seen in what is injected. */
export const MARK = 'zzmark'
export const PROTECT = 'auth.example/protect'
export const INJECTED = 'auth.example/injected'
export const MIDDLEWARES = 'traefik.ingress.kubernetes.io/router.middlewares'
export const PREFIXES = ['nginx.ingress.kubernetes.io', 'internal.example.com'] as const

/** A fixed number of runs, so that the folder takes seconds; more of them when somebody asks. */
export function runs(count: number): { numRuns: number } {
  return { numRuns: Math.max(1, Math.round(count * Number(process.env.PORTCULLIS_PROPERTY_RUNS ?? 1))) }
}

const HOSTILE_KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'a/b/c~d',
  '~0~1',
  '~1',
  '/',
  '',
  '0',
  'ключ/значение',
  '\u{1d4b3}/\ud800',
  `${MARK}.example/x`,
  'auth.example/other',
  'auth.example/injected-not',
  'nginx.ingress.kubernetes.io/',
  'kubectl.kubernetes.io/last-applied-configuration',
] as const

export const hostileKey = fc.constantFrom(...HOSTILE_KEYS)
/** Of every code point, lone surrogates included. fast-check's own unit for that takes a second to set up. */
export const anyCharacter = fc.integer({ min: 0, max: 0x10ffff }).map(point => String.fromCodePoint(point))
const word = fc.stringMatching(/^[a-z]{1,8}$/)
const anyKey = fc.oneof(
  { weight: 4, arbitrary: word.map(each => `example.com/${each}`) },
  { weight: 3, arbitrary: hostileKey },
  { weight: 1, arbitrary: fc.string({ unit: anyCharacter, maxLength: 20 }) },
)
export const anyText = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: anyCharacter, maxLength: 30 }) },
  { weight: 2, arbitrary: word.map(each => `${MARK} "${each}"\n$host;{}`) },
  { weight: 1, arbitrary: fc.constantFrom('', ' ', ',', '{"team":"team-b"}', 'true', '\u0000\u202e') },
  { weight: 1, arbitrary: fc.nat({ max: 3000 }).map(length => 'x"'.repeat(length)) },
)

/** Keys that ingress-nginx's authentication is made of, with values that it takes. */
const OWNED_VALUES: Readonly<Record<string, readonly string[]>> = {
  'auth-url': ['https://$host/oauth2/auth', `http://${MARK}.apps.svc.cluster.local/check`, '', '   '],
  'auth-signin': [`https://${MARK}.example.com/start?rd=$escaped_request_uri`, 'https://$host/x', ''],
  'auth-method': ['GET', 'HEAD'],
  'auth-response-headers': ['X-User', 'X-A, X-B', ''],
  'auth-always-set-cookie': ['true', 'false', '0'],
  'auth-cache-key': ['$cookie_session'],
  'auth-cache-duration': ['200 10m', '200 202 401 5m'],
  'auth-type': ['basic', 'digest'],
  'auth-secret': [`apps/${MARK}`, MARK],
  'auth-realm': ['Please log in'],
  'auth-keepalive': ['32'],
  [`auth-${MARK}~1x~0/y`]: ['unknown to every controller'],
  'auth-__proto__': ['x'],
  satisfy: ['any', 'all'],
  'enable-global-auth': ['true', 'false'],
  'custom-http-errors': ['401,403', '404', '404, 401', ''],
  'default-backend': [MARK],
  'proxy-buffer-size': ['4k', '8k', '16k', '1m', '', '16384'],
}

const OTHER_VALUES: Readonly<Record<string, readonly string[]>> = {
  'proxy-body-size': ['8m', '0'],
  'ssl-redirect': ['true', 'false'],
  'rewrite-target': ['/$1', `/${MARK}`],
  'whitelist-source-range': ['10.0.0.0/8'],
  'proxy-read-timeout': ['60'],
  'auth-tls-verify-client': ['off'],
  'auth-tls-secret': [`apps/${MARK}`],
  affinity: ['cookie'],
}

/** Values with which the label is refused. */
const REFUSED_VALUES: Readonly<Record<string, readonly string[]>> = {
  'auth-always-set-cookie': ['maybe'],
  'auth-request-redirect': ['$host x'],
  'auth-snippet': ['return 200;'],
  'configuration-snippet': ['satisfy any; allow all;'],
  'Auth-Url': ['https://x/'],
  'proxy-body-size': ['lots'],
  canary: ['true'],
  'mirror-target': ['https://x/'],
}

type Entry = readonly [key: string, value: string]

function entryOf(prefix: string, values: Readonly<Record<string, readonly string[]>>): fc.Arbitrary<Entry> {
  return fc
    .constantFrom(...Object.keys(values))
    .chain(name => fc.constantFrom(...values[name]!).map((value): Entry => [`${prefix}/${name}`, value]))
}

/** A Middleware reference of the shape that we inject, but of nobody's. */
export const LOOKALIKE = 'portcullis-m0123456789abcdef@kubernetescrd'

const middlewareList = fc
  .array(
    fc.tuple(
      fc.constantFrom('', ' ', '  '),
      fc.constantFrom('apps-a@kubernetescrd', `apps-${MARK}@kubernetescrd`, 'b@file', 'b@file', '', LOOKALIKE),
      fc.constantFrom('', ' '),
    ),
    { maxLength: 5 },
  )
  .map(parts => parts.map(part => part.join('')).join(','))

/** One annotation with a key that the gateway of the prefix owns. */
export const ownedEntry = fc
  .constantFrom(...PREFIXES)
  .chain(prefix =>
    fc.oneof(
      { weight: 3, arbitrary: entryOf(prefix, OWNED_VALUES) },
      { weight: 1, arbitrary: middlewareList.map((list): Entry => [MIDDLEWARES, list]) },
    ),
  )

export const unownedEntry: fc.Arbitrary<Entry> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(anyKey, anyText) },
  { weight: 1, arbitrary: fc.constantFrom(...PREFIXES).chain(prefix => entryOf(prefix, OTHER_VALUES)) },
  { weight: 1, arbitrary: fc.constant<Entry>(['traefik.ingress.kubernetes.io/router.entrypoints', 'websecure']) },
)

const refusedEntry = fc.constantFrom(...PREFIXES).chain(prefix => entryOf(prefix, REFUSED_VALUES))

const entries = fc
  .record({
    unowned: fc.array(unownedEntry, { maxLength: 12 }),
    owned: fc.array(ownedEntry, { maxLength: 6 }),
    refused: fc.option(refusedEntry, { freq: 12 }),
    many: fc.oneof(
      { weight: 9, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: 10, max: 42 }) },
    ),
  })
  .map(({ unowned, owned, refused, many }): Entry[] => [
    ...unowned,
    ...owned,
    ...(refused === null ? [] : [refused]),
    ...Array.from({ length: many }, (_, index): Entry => [`example.com/many-${index}`, MARK]),
  ])

/** As JSON makes it: `__proto__` is a key like any other. */
function mapOf(of: readonly Entry[]): Record<string, string> {
  return Object.fromEntries(of)
}

const TEAMS = ['true', '', 'team-a', 'team-b'] as const
const labelsOfOurs = fc
  .record(
    {
      [PROTECT]: fc.constantFrom(...TEAMS),
      'auth.example/access': fc.constantFrom('admins', 'robots'),
      'auth.example/client': fc.constantFrom('browser', 'api'),
    },
    { requiredKeys: [PROTECT] },
  )
  .map(labels => ({ ...labels }) as Record<string, string>)

/** A label key that is no label of ours, and none by which a route is told from a companion or a certificate challenge. */
const otherLabels = fc.array(
  fc.tuple(
    fc.oneof(hostileKey, word),
    fc.oneof(
      word,
      fc.constantFrom('team-b', 'true', MARK),
      fc.constantFrom('auth.example/team', 'kubernetes.io/metadata.name'),
    ),
  ),
  { maxLength: 3 },
)

const metadata = fc.record({ ours: labelsOfOurs, labels: otherLabels, annotations: entries, bare: fc.nat({ max: 9 }) })

function metadataOf({ ours, labels, annotations, bare }: typeof metadata extends fc.Arbitrary<infer T> ? T : never) {
  const maps = bare === 0 ? {} : bare === 1 ? { annotations: {} } : { annotations: mapOf(annotations) }
  return {
    namespace: 'apps',
    ...(bare === 2 ? { generateName: `${MARK}-` } : { name: MARK }),
    labels: { ...mapOf(labels), ...ours },
    ...maps,
    resourceVersion: '9007199254740993',
    generation: 9007199254740992,
  }
}

const path = fc.constantFrom('/', `/${MARK}`, '/a~1b', '/x/(.*)', '/oauth2x')
const host = fc.constantFrom(`${MARK}.a.example.com`, 'app.a.example.com', '*.x.a.example.com', 'A.a.example.com')

export type Gateway = 'nginx' | 'nginx-internal' | 'traefik' | 'envoy'

const ingress = (classes: readonly Gateway[]): fc.Arbitrary<KubeObject> =>
  fc
    .record({
      metadata,
      className: fc.constantFrom(...classes),
      legacy: fc.nat({ max: 5 }),
      rules: fc.array(fc.record({ host, paths: fc.array(path, { minLength: 1, maxLength: 2 }) }), {
        minLength: 1,
        maxLength: 3,
      }),
    })
    .map(({ metadata, className, legacy, rules }) => {
      const made = metadataOf(metadata)
      const backend = { service: { name: MARK, port: { number: 9007199254740992 } } }
      const spec = {
        rules: rules.map(({ host, paths }) => ({
          host,
          http: { paths: paths.map(each => ({ path: each, pathType: 'ImplementationSpecific', backend })) },
        })),
        unknownField: { [MARK]: 1e21 },
      }
      if (legacy > 0) return { ...INGRESS, metadata: made, spec: { ingressClassName: className, ...spec } }
      const annotations = {
        ...(made as { annotations?: object }).annotations,
        'kubernetes.io/ingress.class': className,
      }
      return { ...INGRESS, metadata: { ...made, annotations }, spec }
    })

const INGRESS = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' }
const HTTP_ROUTE = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute' }

const filter = fc.constantFrom<object>(
  { type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-auth-request-user', value: MARK }] } },
  { type: 'RequestRedirect', requestRedirect: { scheme: 'https' } },
  { type: 'ExtensionRef', extensionRef: { group: 'traefik.io', kind: 'Middleware', name: MARK } },
  { type: 'URLRewrite', urlRewrite: { path: { type: 'ReplaceFullPath', replaceFullPath: `/${MARK}` } } },
)

const httpRoute = (gateways: readonly Gateway[]): fc.Arbitrary<KubeObject> =>
  fc
    .record({
      metadata,
      gateway: fc.constantFrom(...gateways),
      hostnames: fc.array(host, { minLength: 1, maxLength: 3 }),
      rules: fc.array(fc.record({ path, filters: fc.option(fc.array(filter, { maxLength: 3 })) }), {
        minLength: 1,
        maxLength: 4,
      }),
    })
    .map(({ metadata, gateway, hostnames, rules }) => ({
      ...HTTP_ROUTE,
      metadata: metadataOf(metadata),
      spec: {
        parentRefs: [parent(gateway)],
        hostnames,
        rules: rules.map(({ path, filters }) => ({
          matches: [{ path: { type: 'PathPrefix', value: path } }],
          ...(filters === null ? {} : { filters }),
          backendRefs: [{ name: MARK, port: 9007199254740992 }],
        })),
      },
    }))

export const nginxIngress = ingress(['nginx', 'nginx-internal'])
export const traefikIngress = ingress(['traefik'])
export const traefikRoute = httpRoute(['traefik'])
export const envoyRoute = httpRoute(['envoy'])
export const anyIngress = fc.oneof({ weight: 2, arbitrary: nginxIngress }, { weight: 1, arbitrary: traefikIngress })
export const anyHTTPRoute = fc.oneof({ weight: 2, arbitrary: traefikRoute }, { weight: 1, arbitrary: envoyRoute })
export const anyRoute = fc.oneof({ weight: 3, arbitrary: anyIngress }, { weight: 2, arbitrary: anyHTTPRoute })
