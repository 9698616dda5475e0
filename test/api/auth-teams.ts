// AuthTeams that are right and wrong in one way each; the unit tests and the API server judge the same ones.

export type Document = Record<string, unknown>

/** The smallest team that says enough. */
export function smallest(): Document {
  return {
    apiVersion: 'auth.example/v1alpha1',
    kind: 'AuthTeam',
    metadata: { name: 'team-a' },
    spec: {
      namespaces: { names: ['monitoring'] },
      proxy: { service: { namespace: 'monitoring', name: 'oauth2-proxy' }, cookieDomains: ['team-a.example.com'] },
    },
  }
}

/** A team that says everything. */
export function full(): Document {
  return {
    apiVersion: 'auth.example/v1alpha1',
    kind: 'AuthTeam',
    metadata: { name: 'team-a', labels: { any: 'label' }, annotations: {} },
    spec: {
      namespaces: {
        names: ['monitoring-team-a'],
        selector: {
          matchLabels: { 'auth.example/team': 'team-a' },
          matchExpressions: [
            { key: 'stage', operator: 'In', values: ['test', 'live'] },
            { key: 'frozen', operator: 'DoesNotExist' },
          ],
        },
        default: true,
      },
      hosts: ['*.team-a.example.com', '*-team-a.example.com', 'team-a.example.com'],
      proxy: {
        service: { namespace: 'monitoring-team-a', name: 'oauth2-proxy', port: 4180 },
        scheme: 'https',
        caSecret: 'oauth2-proxy-ca',
        pathPrefix: '/auth/v1.2',
        loginHost: 'login.team-a.example.com',
        cookieDomains: ['team-a.example.com'],
        cookieName: '__Secure-a_1',
        bufferSize: '512k',
      },
      access: [
        { name: 'admins', allowedGroups: ['0b1f4cb6-4f2a-4b0e-a5c4-111111111111', 'team/a:admins~1'] },
        { name: 'robots', allowedGroups: ['robots'], headers: { accessToken: false, authorization: true } },
      ],
      headers: { accessToken: true },
      passthrough: 'Never',
    },
    status: { conditions: [], routes: { ingress: 1, httpRoute: 2 } },
  }
}

/** A document with one field set to something else; undefined takes it away. */
export function withField(document: Document, path: string, value: unknown): Document {
  const copy = structuredClone(document)
  const steps = path.split('.')
  let at = copy
  for (const step of steps.slice(0, -1)) {
    at[step] ??= {}
    at = at[step] as Document
  }
  const last = steps.at(-1)!
  if (value === undefined) delete at[last]
  else at[last] = value
  return copy
}

export type Refused = {
  readonly because: string
  readonly set: readonly (readonly [path: string, value: unknown])[]
  readonly path: string
  /** Where the API server says it, when it cannot be as exact. */
  readonly serverPath?: string
}

const admins = { name: 'admins', allowedGroups: ['admins'] }
const invalid = (because: string, path: string, value: unknown, at = path): Refused => ({
  because,
  set: [[path, value]],
  path: at,
})

export const REFUSED: readonly Refused[] = [
  invalid('a name in capitals', 'metadata.name', 'Team-A'),
  invalid('a name with a dot', 'metadata.name', 'team.a'),
  invalid('a name of 41 characters', 'metadata.name', 'a'.repeat(41)),
  ...['true', 'false', 'browser', 'api', 'enforce', 'warn', 'audit'].map(word =>
    invalid(`a name that labels use otherwise, ${word}`, 'metadata.name', word),
  ),
  invalid('no namespaces', 'spec.namespaces', undefined),
  invalid('namespaces that name nothing', 'spec.namespaces', { names: [] }),
  invalid('a namespace that is no DNS label', 'spec.namespaces.names', ['a.b'], 'spec.namespaces.names[0]'),
  invalid('a namespace twice', 'spec.namespaces.names', ['a', 'a'], 'spec.namespaces.names[1]'),
  invalid('an empty selector', 'spec.namespaces.selector', {}),
  invalid('a selector of empty parts', 'spec.namespaces.selector', { matchLabels: {}, matchExpressions: [] }),
  {
    because: 'a selector with a key that no label can have',
    set: [['spec.namespaces.selector', { matchLabels: { 'a b': 'c' } }]],
    path: 'spec.namespaces.selector.matchLabels["a b"]',
    serverPath: 'spec.namespaces.selector.matchLabels',
  },
  invalid(
    'a selector with a value that no label can have',
    'spec.namespaces.selector',
    { matchLabels: { a: 'b c' } },
    'spec.namespaces.selector.matchLabels.a',
  ),
  invalid(
    'In without values',
    'spec.namespaces.selector',
    { matchExpressions: [{ key: 'a', operator: 'In' }] },
    'spec.namespaces.selector.matchExpressions[0].values',
  ),
  invalid(
    'Exists with values',
    'spec.namespaces.selector',
    { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] },
    'spec.namespaces.selector.matchExpressions[0].values',
  ),
  invalid(
    'an operator that does not exist',
    'spec.namespaces.selector',
    { matchExpressions: [{ key: 'a', operator: 'Is', values: ['b'] }] },
    'spec.namespaces.selector.matchExpressions[0].operator',
  ),
  invalid('an empty list of hosts', 'spec.hosts', []),
  ...['*', '*.com', '*-a.com', 'a.*.example.com', 'a*.example.com', 'A.team-a.example.com', '10.0.0.1'].map(host =>
    invalid(`the host ${host}`, 'spec.hosts', ['team-a.example.com', host], 'spec.hosts[1]'),
  ),
  invalid('hosts of which none is under a cookie domain', 'spec.hosts', ['*-team-a.example.com', 'x.example.com']),
  invalid('no proxy', 'spec.proxy', undefined),
  invalid('no Service', 'spec.proxy.service', undefined),
  invalid('a Service without a name', 'spec.proxy.service', { namespace: 'a' }, 'spec.proxy.service.name'),
  invalid('port 0', 'spec.proxy.service.port', 0),
  invalid('port 65536', 'spec.proxy.service.port', 65536),
  invalid('a port in quotes', 'spec.proxy.service.port', '80'),
  invalid('an unknown scheme', 'spec.proxy.scheme', 'h2c'),
  invalid('https without an authority', 'spec.proxy.scheme', 'https', 'spec.proxy.caSecret'),
  ...['oauth2', '/', '/oauth2/', '/a//b', '/a/../b', '/..', '/a..b', '/OAuth2', '/a b', '/a?b', '/a%2fb', '/a;b'].map(
    prefix => invalid(`the path prefix ${prefix}`, 'spec.proxy.pathPrefix', prefix),
  ),
  invalid('a login host outside of the cookie domains', 'spec.proxy.loginHost', 'login.example.com'),
  invalid('a login host that ends alike', 'spec.proxy.loginHost', 'xteam-a.example.com'),
  invalid('a login host that is a pattern', 'spec.proxy.loginHost', '*.team-a.example.com'),
  invalid('no cookie domains', 'spec.proxy.cookieDomains', undefined),
  invalid('an empty list of cookie domains', 'spec.proxy.cookieDomains', []),
  ...['.team-a.example.com', 'com', 'example.com:443', '*.example.com'].map(domain =>
    invalid(`the cookie domain ${domain}`, 'spec.proxy.cookieDomains', [domain], 'spec.proxy.cookieDomains[0]'),
  ),
  ...['a b', 'a;b', 'a=b', '', 'a.b'].map(name => invalid(`the cookie name "${name}"`, 'spec.proxy.cookieName', name)),
  ...['__Host-a', '__host-a'].map(name => invalid(`the cookie name ${name}`, 'spec.proxy.cookieName', name)),
  ...['16', '0k', '16K', '-1k', '1.5m', '16k;'].map(size =>
    invalid(`the buffer size ${size}`, 'spec.proxy.bufferSize', size),
  ),
  ...['a,b', 'a b', 'a&allowed_groups=b', '.a', '', 'a%20b', 'a#b', 'a@b', 'a'.repeat(129)].map(group =>
    invalid(
      `the group ${group.slice(0, 20)}`,
      'spec.access',
      [admins, { name: 'more', allowedGroups: [group] }],
      'spec.access[1].allowedGroups[0]',
    ),
  ),
  invalid(
    'an access level without groups',
    'spec.access',
    [{ name: 'admins', allowedGroups: [] }],
    'spec.access[0].allowedGroups',
  ),
  invalid(
    'an access level called true',
    'spec.access',
    [{ name: 'true', allowedGroups: ['a'] }],
    'spec.access[0].name',
  ),
  {
    because: 'two access levels of one name',
    set: [['spec.access', [admins, admins]]],
    path: 'spec.access[1].name',
    serverPath: 'spec.access[1]',
  },
  invalid('a header switch that is no boolean', 'spec.headers.accessToken', 'yes'),
  invalid('an unknown passthrough', 'spec.passthrough', 'Ingress'),
  invalid('no passthrough and no login host', 'spec.passthrough', 'Never', 'spec.proxy.loginHost'),
]

export function refusedDocument({ set }: Refused): Document {
  return set.reduce((document, [path, value]) => withField(document, path, value), smallest())
}
