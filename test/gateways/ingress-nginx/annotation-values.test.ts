import { describe, expect, test } from '@jest/globals'
import { TABLE } from '../../../src/gateways/ingress-nginx/annotation-values/table.ts'
import {
  accepts,
  buffersLoad,
  meansWhatItSays,
  sizeInBytes,
  verdict,
} from '../../../src/gateways/ingress-nginx/annotation-values.ts'

const LARGEST = 256 * 1024

describe('what the running controller was seen to do', () => {
  test.each([
    ['auth-url', ''],
    ['auth-url', '   '],
    ['auth-url', 'foo'],
    ['auth-always-set-cookie', 'maybe'],
    ['auth-always-set-cookie', 'yes'],
    ['auth-always-set-cookie', ''],
    ['auth-always-set-cookie', 'True'],
    ['auth-request-redirect', '$host'],
    ['auth-cache-duration', '200;300'],
    ['auth-cache-duration', 'forever'],
    ['auth-cache-duration', '200 10x'],
    ['auth-method', 'FOO'],
    ['auth-response-headers', 'X-A,b@d'],
    ['auth-proxy-set-headers', 'missing/map'],
    ['auth-signin', 'https://x/{y}'],
    ['auth-cache-key', 'a;b'],
    ['auth-signin-redirect-param', '$rd'],
    ['auth-keepalive', 'x'],
    ['satisfy', 'any'],
    ['whitelist-source-range', '0.0.0.0/0'],
    ['allowlist-source-range', '0.0.0.0/0'],
    ['enable-global-auth', 'false'],
    ['use-regex', 'true'],
    ['enable-cors', 'true'],
    ['permanent-redirect', 'https://elsewhere.example.com'],
    ['app-root', '/start'],
    ['custom-http-errors', '401'],
    ['custom-http-errors', '401,403'],
    ['default-backend', 'errors'],
  ])('it takes an Ingress with %s: %j', (name, value) => {
    expect(verdict(name, value)).toBe('accepted')
  })

  test.each([
    ['auth-url', 'http://auth.example.com/{x}'],
    ['auth-url', 'http://auth.example.com/;x'],
    ['auth-url', 'http://auth.example.com/%20'],
    ['auth-url', 'http://user@auth.example.com/'],
    ['auth-snippet', 'return 200;'],
    ['server-snippet', 'satisfy any; allow all;'],
    ['configuration-snippet', 'auth_request off;'],
  ])('it rejects an Ingress with %s: %j', (name, value) => {
    expect(verdict(name, value)).toBe('rejected')
  })

  test.each([
    ['auth-always-set-cookie', 'maybe'],
    ['auth-always-set-cookie', 'yes'],
    ['auth-request-redirect', '$host'],
    ['auth-cache-duration', '200;300'],
  ])('it serves a route open over %s: %j, so that does not mean what it says', (name, value) => {
    expect(meansWhatItSays(name, value)).toBe(false)
  })

  test.each([
    ['auth-url', 'foo'],
    ['auth-cache-duration', 'forever'],
    ['auth-cache-duration', '200 10x'],
    ['auth-method', 'FOO'],
    ['auth-response-headers', 'X-A,b@d'],
  ])('it answers 503 over %s: %j, so that does not mean what it says', (name, value) => {
    expect(meansWhatItSays(name, value)).toBe(false)
  })

  test.each([
    ['auth-signin', 'https://x/{y}'],
    ['auth-cache-key', 'a;b'],
    ['auth-signin-redirect-param', '$rd'],
    ['auth-keepalive', 'x'],
  ])('it ignores %s: %j, so that does not mean what it says', (name, value) => {
    expect(meansWhatItSays(name, value)).toBe(false)
  })

  test.each([
    ['auth-always-set-cookie', ''],
    ['auth-always-set-cookie', 'True'],
    ['auth-always-set-cookie', 'true'],
  ])('it stays protected with %s: %j', (name, value) => {
    expect(meansWhatItSays(name, value)).toBe(true)
  })
})

// [annotation whose bad value rejects the Ingress, good, bad]
const SHAPES: readonly [string, string, string[], string[]][] = [
  ['a bool', 'ssl-passthrough', ['true', 'False', '1', 't'], ['yes', 'tRue', ' true', 'on', '   ']],
  [
    'a number',
    'limit-rps',
    ['5', '+5', '-5', '007', '9223372036854775807'],
    ['5s', '5.0', '1_0', '9223372036854775808'],
  ],
  ['a size', 'client-body-buffer-size', ['16k', '8192', '1M', '1 m'], ['16kb', '1.5m', '-1', '16k\n']],
  [
    'networks',
    'limit-whitelist',
    ['10.0.0.0/8, ::1', '10.0.0.1', '::ffff:1.2.3.4/120'],
    ['10.0.0.0/33', '010.0.0.1', 'a', ',', '::1/129', 'fe80::1%eth0', '10.0.0.0/'],
  ],
  [
    'a URL',
    'temporal-redirect',
    ['https://a.example.com/x?y=1&z'],
    ['https://a.example.com/$host', 'https://a/ b', 'https://a/%20'],
  ],
  ['a URL with variables', 'auth-url', ['https://$host/oauth2/auth'], ['https://a/(b)', 'https://a/#b']],
  ['a Secret', 'proxy-ssl-secret', ['team/tls', 'te am/tls'], ['team/t!s', 'team/\ntls']],
  ['text with spaces', 'auth-realm', ['Members only: v1.0'], ['Members only!', 'Members\tonly']],
  ['a path with captures', 'x-forwarded-prefix', ['/app/$1', '/ app'], ['/app/{x}', '/app?']],
  ['variables', 'upstream-hash-by', ['$request_uri', '$host-x{1}', '$a $b'], ['$a;', '$a.b', '$a\n']],
  ['a server name', 'upstream-vhost', ['a.example.com', ' $host ', '~^w\\d+$'], ['a b', 'a;', 'a,b']],
  ['server names', 'server-alias', ['a.example.com, *.b.example.com'], ['a.example.com,b c', 'a"']],
  ['a Service', 'default-backend', ['errors', 'a', 'a'.repeat(63)], ['Errors', '9a', 'a-', 'a.b', 'a'.repeat(64)]],
  ['a choice', 'load-balance', ['ewma', ' ewma\t'], ['EWMA', 'ip_hash']],
  ['a choice by expression', 'connection-proxy-header', ['close', 'keep- alive'], ['upgrade', 'Close']],
  ['a contained word', 'auth-type', ['basic', 'xdigestx'], ['Basic', 'basic\n']],
  ['a contained word of a Secret', 'auth-secret-type', ['auth-map'], ['map']],
  [
    'an error page',
    'auth-tls-error-page',
    ['@error', 'https://a.example.com:8443/e/', '/e/x.html'],
    ['@e!', '/e?x', 'https://a//b'],
  ],
  [
    'a common name',
    'auth-tls-match-cn',
    ['CN=a.*', 'CN=(?i)^(a|b){2,3}[^x-z\\d]$', 'CN='],
    ['a', 'CN=(', 'CN=(?=a)', 'CN=a**', 'CN=[z-a]', 'CN=(a{100}){100}', 'CN=\\1', 'CN=a\\'],
  ],
  ['status codes', 'custom-http-errors', ['404, 503', '500', '404,'], ['399', '600', '4040', '404;']],
  ['a file', 'fastcgi-index', ['index.php'], ['../index.php']],
  ['an operation', 'opentelemetry-operation-name', ['app_1'], ['app.1']],
  ['ciphers', 'ssl-ciphers', ['HIGH:!aNULL', 'ALL@STRENGTH@SECLEVEL=1'], ['ALL@SECLEVEL=6', 'ALL;', 'ALL@']],
]

describe.each(SHAPES)('%s, as in %s', (_shape, name, good, bad) => {
  test.each(good.map(value => [value]))('%j is accepted', value => {
    expect(verdict(name, value)).toBe('accepted')
  })
  test.each(bad.map(value => [value]))('%j is rejected', value => {
    expect(verdict(name, value)).toBe('rejected')
  })
})

// [annotation for whose bad value a default serves, good, bad]
const IGNORED: readonly [string, string[], string[]][] = [
  ['proxy-body-size', ['8m'], ['8 mb']],
  ['proxy-buffering', ['on', ' off '], ['On', 'yes']],
  ['proxy-http-version', ['1.1'], ['2']],
  ['proxy-next-upstream', ['error timeout http_502'], ['error,timeout', 'http_501']],
  ['proxy-cookie-domain', ['off', 'localhost example.com'], ['localhost', 'a b c']],
  ['proxy-ssl-protocols', ['TLSv1.2 TLSv1.3'], ['TLSv1.1']],
  ['proxy-ssl-ciphers', ['HIGH:!MD5'], ['HIGH@STRENGTH']],
  ['mirror-request-body', ['off'], ['no']],
  ['backend-protocol', ['GRPCS', 'https'], ['ajp']],
  ['canary-by-header-pattern', ['^a|b$'], ['a b']],
  ['rewrite-target', ['/$2'], ['/ $2', '/{x}']],
  ['cors-allow-origin', ['*', 'https://*.example.com, http://a:8080', 'null'], ['a_b', '://a', '*,*', 'a:']],
  ['cors-allow-methods', ['GET, PUT', 'GET,PUT'], ['GET,,PUT', 'G1', ',GET']],
  ['cors-expose-headers', ['X-A, *'], ['X-A;', ',']],
  ['cors-allow-headers', ['X-A, X_B'], ['X-A:']],
  ['session-cookie-samesite', ['None', 'lax'], ['secure']],
  ['session-cookie-max-age', ['3600', '0', '-1'], ['x0', 'hour']],
  ['session-cookie-expires', ['3 600'], ['x', '1 h']],
  ['affinity', ['cookie'], ['ip']],
  ['affinity-mode', ['persistent'], ['sticky']],
  ['affinity-canary-behavior', ['legacy'], ['balanced']],
  ['auth-tls-verify-client', ['optional_no_ca'], ['maybe']],
  ['satisfy', ['any', 'all'], ['Any']],
  ['modsecurity-transaction-id', ['$request_id'], ['$a.b']],
]

describe.each(IGNORED)('%s, for which a default can serve', (name, good, bad) => {
  test.each(good.map(value => [value]))('%j is taken for what it says', value => {
    expect(verdict(name, value)).toBe('accepted')
    expect(meansWhatItSays(name, value)).toBe(true)
  })
  test.each(
    bad.map(value => [value]),
  )('%j keeps nothing from being served, but is not taken for what it says', value => {
    expect(verdict(name, value)).toBe('accepted')
    expect(meansWhatItSays(name, value)).toBe(false)
  })
})

describe('the external authentication', () => {
  test.each([
    ['auth-url', 'http://oauth2-proxy.team-a.svc.cluster.local:4180/oauth2/auth?allowed_groups=a,b'],
    ['auth-url', 'https://$host/oauth2/auth'],
    ['auth-url', '   '],
    ['auth-signin', 'https://login.example.com/oauth2/start?rd=https://$host$escaped_request_uri'],
    ['auth-method', ' POST '],
    ['auth-cache-duration', '200 202 10m, 401 1m'],
    ['auth-cache-duration', '5m'],
    ['auth-response-headers', 'X-Auth-Request-User, X_B,'],
    ['auth-proxy-set-headers', 'team/headers'],
    ['auth-request-redirect', 'https://a.example.com/x?y=z'],
    ['auth-type', 'digest'],
    ['auth-secret', 'htpasswd'],
    ['auth-tls-secret', 'team/ca'],
  ])('%s: %j means what it says', (name, value) => {
    expect(meansWhatItSays(name, value)).toBe(true)
  })

  test.each([
    ['auth-url', 'ftp://auth.example.com/'],
    ['auth-url', 'http://a..b/'],
    ['auth-url', 'http://a:b/'],
    ['auth-url', 'http://a b/'],
    ['auth-url', 'http:///x'],
    ['auth-url', '//auth.example.com/'],
    ['auth-url', 'http://a/{x}'],
    ['auth-signin', 'https://a/ b'],
    ['auth-method', 'G ET'],
    ['auth-always-set-cookie', '  '],
    ['auth-cache-duration', '10m 200'],
    ['auth-cache-duration', '200 foo 10m'],
    ['auth-cache-duration', '200'],
    ['auth-response-headers', 'X A'],
    ['auth-proxy-set-headers', 'headers'],
    ['auth-request-redirect', '/a b'],
    ['auth-type', 'basics'],
    ['auth-secret', 'a/b/c'],
    ['auth-snippet', ''],
  ])('%s: %j does not', (name, value) => {
    expect(meansWhatItSays(name, value)).toBe(false)
  })

  test('an empty list of networks is not an absent one: it denies the location', () => {
    expect(meansWhatItSays('whitelist-source-range', '')).toBe(false)
    expect(meansWhatItSays('whitelist-source-range', 'nonsense')).toBe(false)
    expect(meansWhatItSays('whitelist-source-range', '10.0.0.0/8')).toBe(true)
  })
})

describe('an alias', () => {
  test.each([
    ['whitelist-source-range', 'allowlist-source-range'],
    ['limit-whitelist', 'limit-allowlist'],
  ])('%s is judged as %s is', (alias, name) => {
    expect(TABLE.get(alias)).toEqual(TABLE.get(name))
  })
})

describe('the table', () => {
  test('has every annotation that the controller registers, aliases included', () => {
    expect(TABLE.size).toBe(138)
  })

  test('says in words what each of them accepts', () => {
    for (const name of TABLE.keys()) expect(accepts(name)).toMatch(/\w/)
    expect(accepts('ssl-redirect')).toBe('true or false')
    expect(accepts('proxy-body-size')).toBe('a size such as 16k')
    expect(accepts('satisfy')).toBe('any or all')
  })

  test('knows that no empty value is validated, except that snippets are forbidden whatever they hold', () => {
    for (const [name, row] of TABLE) {
      expect([name, verdict(name, '')]).toEqual([name, row.otherwise === 'forbids' ? 'rejected' : 'accepted'])
    }
  })

  test.each([
    'foo',
    '',
    'Auth-Url',
    'nginx.ingress.kubernetes.io/auth-url',
    '__proto__',
    'constructor',
    'toString',
    'has',
  ])('does not know %j', name => {
    expect(verdict(name, 'x')).toBe('unknown')
    expect(accepts(name)).toBeUndefined()
    expect(meansWhatItSays(name, 'x')).toBe(true)
  })
})

describe('a hostile value', () => {
  const seeds = [
    ' a',
    ':1',
    'a,',
    '((a+)+',
    '{1',
    '@SECLEVEL=1',
    '/a',
    '44,',
    'error ',
    '200 5m,',
    '1.1.1.1,',
    '0',
    '\ud800',
  ]
  const values = seeds.flatMap(seed => {
    const long = seed.repeat(Math.floor((LARGEST - 8) / seed.length))
    return [long, `${long}!`, `CN=${long}`, `http://${long};`]
  })
  // One annotation for each shape and meaning.
  const names = new Map([...TABLE].map(([name, row]) => [`${row.shape.words} ${row.means}`, name])).values()

  // An expression that takes more than linear time over one of these never comes back.
  test.each([...names].map(name => [name]))('as large as Kubernetes stores is answered for %s', name => {
    for (const value of values) {
      expect(['accepted', 'rejected']).toContain(verdict(name, value))
      expect(typeof meansWhatItSays(name, value)).toBe('boolean')
    }
  })

  test('larger than Kubernetes stores is rejected', () => {
    const value = 'a'.repeat(1024 * 1024)
    for (const name of TABLE.keys()) {
      expect([name, verdict(name, value), meansWhatItSays(name, value)]).toEqual([name, 'rejected', false])
    }
    expect(sizeInBytes(value)).toBeUndefined()
    expect(sizeInBytes('9'.repeat(1024 * 1024))).toBeUndefined()
  })

  test('with a line break in it is rejected wherever the controller validates it', () => {
    for (const [name, row] of TABLE) {
      if (row.otherwise !== 'rejects' || name === 'auth-tls-match-cn') continue
      expect([name, verdict(name, 'basic auth-file\nallow all;')]).toEqual([name, 'rejected'])
    }
  })
})

describe('the size of a buffer', () => {
  test.each([
    ['16k', 16384],
    ['16K', 16384],
    [' 1m ', 1048576],
    ['8192', 8192],
    ['0', 0],
  ])('%j has %d bytes', (value, bytes) => {
    expect(sizeInBytes(value)).toBe(bytes)
  })

  test.each([
    '',
    'k',
    '1g',
    '16b',
    '16 k',
    '-1',
    '1.5m',
    '16kb',
    '16k\n',
    '0x10',
    '1e3',
    '9'.repeat(16),
    '٣k',
    '16\u212a',
  ])('%j is none that nginx loads', value => {
    expect(sizeInBytes(value)).toBeUndefined()
  })
})

describe('proxy buffers', () => {
  test('of 16k load where nothing else is set', () => {
    expect(buffersLoad({ size: '16k' })).toBe(true)
  })

  test.each([
    ['that may be busy with less than one buffer', { size: '16k', busy: '8k' }],
    ['that may be busy with all buffers', { size: '16k', busy: '64k' }],
    ['two in number, where the default busy size is both of them', { size: '16k', number: '2' }],
    ['one in number', { size: '16k', number: '1', busy: '16k' }],
    ['with a temporary file smaller than one of them', { size: '16k', maxTempFile: '8k' }],
    ['of no size', { size: '1g' }],
    ['of nothing', { size: '0' }],
  ])('%s do not load', (_what, buffers) => {
    expect(buffersLoad(buffers)).toBe(false)
  })

  test.each([
    ['busy with one of them', { size: '16k', busy: '16k' }],
    ['busy with all but one', { size: '16k', busy: '48k' }],
    ['two in number, busy with one', { size: '16k', number: '2', busy: '16k' }],
    ['without a temporary file', { size: '16k', maxTempFile: '0' }],
    ['with a number that the controller ignores', { size: '16k', number: 'x' }],
  ])('%s load', (_what, buffers) => {
    expect(buffersLoad(buffers)).toBe(true)
  })
})
