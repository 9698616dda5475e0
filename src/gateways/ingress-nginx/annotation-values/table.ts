// Every annotation that ingress-nginx 1.15.1 parses, what it accepts, and what becomes of the Ingress otherwise.
// Source: internal/ingress/annotations, the same in 1.13.9, 1.14.5 and 1.15.1.
import * as meaning from './meaning.ts'
import * as shape from './shapes.ts'

/**
 * What the controller does with a value outside the shape:
 * rejects  the whole Ingress: it serves the version it had before, or none
 * denies   every location of the Ingress: 503
 * drops    the feature the annotation belongs to, for auth-* the whole external authentication: the route is open
 * ignores  the value: the default serves
 * forbids  the annotation itself, with any value
 */
export type Otherwise = 'rejects' | 'denies' | 'drops' | 'ignores' | 'forbids'

export type Row = {
  readonly shape: shape.Shape
  readonly otherwise: Otherwise
  /** Tested on the trimmed value, after the shape. */
  readonly means?: (trimmed: string) => boolean
  /** An empty value counts as an absent one unless this says otherwise. */
  readonly emptyToo?: true
}

const rejects = (accepted: shape.Shape, means?: Row['means']) => row(accepted, 'rejects', means)
const denies = (accepted: shape.Shape, means?: Row['means']) => row(accepted, 'denies', means)
const deniesEmptyToo = (accepted: shape.Shape): Row => ({ shape: accepted, otherwise: 'denies', emptyToo: true })
const drops = (accepted: shape.Shape, means?: Row['means']) => row(accepted, 'drops', means)
const ignores = (accepted: shape.Shape, means?: Row['means']) => row(accepted, 'ignores', means)
const forbidden = row(shape.SNIPPET, 'forbids', undefined)

function row(accepted: shape.Shape, otherwise: Otherwise, means: Row['means']): Row {
  return means === undefined ? { shape: accepted, otherwise } : { shape: accepted, otherwise, means }
}

const exactly =
  (...words: string[]) =>
  (trimmed: string) =>
    words.includes(trimmed)

// Some rows are read only next to another annotation (auth-realm next to auth-type). They count as always read.
export const TABLE: ReadonlyMap<string, Row> = new Map<string, Row>([
  // alias
  ['server-alias', rejects(shape.SERVER_NAMES)],

  // auth
  ['auth-type', rejects(shape.AUTH_TYPE, exactly('basic', 'digest'))],
  ['auth-secret', denies(shape.SECRET, meaning.objectName)],
  ['auth-secret-type', rejects(shape.AUTH_SECRET_TYPE, exactly('auth-file', 'auth-map'))],
  ['auth-realm', rejects(shape.BASIC_WITH_SPACES)],

  // authreq
  ['auth-url', rejects(shape.URL_WITH_VARIABLES, meaning.httpUrl)],
  ['auth-method', denies(shape.METHOD, meaning.oneWord)],
  ['auth-signin', ignores(shape.URL_WITH_VARIABLES, meaning.oneWord)],
  ['auth-signin-redirect-param', ignores(shape.URL_SAFE, meaning.oneWord)],
  ['auth-snippet', forbidden],
  ['auth-cache-key', ignores(shape.VARIABLES)],
  ['auth-keepalive', ignores(shape.INT)],
  ['auth-keepalive-share-vars', ignores(shape.BOOL)],
  ['auth-keepalive-requests', ignores(shape.INT)],
  ['auth-keepalive-timeout', ignores(shape.INT)],
  ['auth-cache-duration', drops(shape.CACHE_DURATIONS, meaning.cacheDurations)],
  ['auth-response-headers', denies(shape.HEADER_NAMES, meaning.headerNames)],
  ['auth-proxy-set-headers', ignores(shape.CONFIG_MAP, meaning.namespacedName)],
  ['auth-request-redirect', drops(shape.URL_SAFE, meaning.oneWord)],
  ['auth-always-set-cookie', drops(shape.BOOL)],

  // authreqglobal
  ['enable-global-auth', ignores(shape.BOOL)],

  // authtls
  ['auth-tls-secret', rejects(shape.SECRET, meaning.namespacedName)],
  ['auth-tls-verify-client', ignores(shape.VERIFY_CLIENT)],
  ['auth-tls-verify-depth', ignores(shape.INT)],
  ['auth-tls-error-page', rejects(shape.ERROR_PAGE)],
  ['auth-tls-pass-certificate-to-upstream', rejects(shape.BOOL)],
  ['auth-tls-match-cn', rejects(shape.COMMON_NAME)],

  // backendprotocol
  ['backend-protocol', ignores(shape.PROTOCOL)],

  // canary
  ['canary', ignores(shape.BOOL)],
  ['canary-weight', ignores(shape.INT)],
  ['canary-weight-total', ignores(shape.INT)],
  ['canary-by-header', ignores(shape.BASIC)],
  ['canary-by-header-value', ignores(shape.BASIC)],
  ['canary-by-header-pattern', ignores(shape.EXPRESSION)],
  ['canary-by-cookie', ignores(shape.BASIC)],

  // clientbodybuffersize, connection
  ['client-body-buffer-size', rejects(shape.SIZE)],
  ['connection-proxy-header', rejects(shape.CONNECTION)],

  // cors
  ['enable-cors', ignores(shape.BOOL)],
  ['cors-allow-origin', ignores(shape.ORIGINS)],
  ['cors-allow-headers', ignores(shape.HEADER_NAMES)],
  ['cors-allow-methods', ignores(shape.METHODS)],
  ['cors-allow-credentials', ignores(shape.BOOL)],
  ['cors-expose-headers', ignores(shape.EXPOSED_HEADERS)],
  ['cors-max-age', ignores(shape.INT)],

  // customheaders, customhttperrors, defaultbackend, disableproxyintercepterrors
  ['custom-headers', ignores(shape.CONFIG_MAP, meaning.namespacedName)],
  ['custom-http-errors', rejects(shape.HTTP_ERRORS)],
  ['default-backend', rejects(shape.SERVICE)],
  ['disable-proxy-intercept-errors', ignores(shape.BOOL)],

  // fastcgi
  ['fastcgi-index', rejects(shape.FILE_NAME)],
  ['fastcgi-params-configmap', rejects(shape.CONFIG_MAP, meaning.objectName)],

  // http2pushpreload
  ['http2-push-preload', rejects(shape.BOOL)],

  // ipallowlist with its alias, ipdenylist
  ['allowlist-source-range', deniesEmptyToo(shape.CIDRS)],
  ['whitelist-source-range', deniesEmptyToo(shape.CIDRS)],
  ['denylist-source-range', deniesEmptyToo(shape.CIDRS)],

  // loadbalancing, log
  ['load-balance', rejects(shape.BALANCING)],
  ['enable-access-log', ignores(shape.BOOL)],
  ['enable-rewrite-log', ignores(shape.BOOL)],

  // mirror
  ['mirror-request-body', ignores(shape.ON_OFF)],
  ['mirror-target', ignores(shape.SERVER_NAME)],
  ['mirror-host', ignores(shape.SERVER_NAME)],

  // modsecurity
  ['enable-modsecurity', ignores(shape.BOOL)],
  ['enable-owasp-core-rules', ignores(shape.BOOL)],
  ['modsecurity-transaction-id', ignores(shape.VARIABLES)],
  ['modsecurity-snippet', forbidden],

  // opentelemetry
  ['enable-opentelemetry', ignores(shape.BOOL)],
  ['opentelemetry-trust-incoming-span', ignores(shape.BOOL)],
  ['opentelemetry-operation-name', rejects(shape.OPERATION)],

  // portinredirect
  ['use-port-in-redirects', ignores(shape.BOOL)],

  // proxy
  ['proxy-connect-timeout', ignores(shape.INT)],
  ['proxy-send-timeout', ignores(shape.INT)],
  ['proxy-read-timeout', ignores(shape.INT)],
  ['proxy-buffers-number', ignores(shape.INT)],
  ['proxy-buffer-size', ignores(shape.SIZE)],
  ['proxy-busy-buffers-size', ignores(shape.SIZE)],
  ['proxy-cookie-path', ignores(shape.URL_SAFE)],
  ['proxy-cookie-domain', ignores(shape.COOKIE_DOMAINS)],
  ['proxy-body-size', ignores(shape.SIZE)],
  ['proxy-next-upstream', ignores(shape.UPSTREAM_FAILURES)],
  ['proxy-next-upstream-timeout', ignores(shape.INT)],
  ['proxy-next-upstream-tries', ignores(shape.INT)],
  ['proxy-request-buffering', ignores(shape.SWITCH)],
  ['proxy-redirect-from', ignores(shape.URL_SAFE)],
  ['proxy-redirect-to', ignores(shape.URL_SAFE)],
  ['proxy-buffering', ignores(shape.SWITCH)],
  ['proxy-http-version', ignores(shape.HTTP_VERSION)],
  ['proxy-max-temp-file-size', ignores(shape.SIZE)],

  // proxyssl
  ['proxy-ssl-secret', rejects(shape.SECRET, meaning.namespacedName)],
  ['proxy-ssl-ciphers', ignores(shape.UPSTREAM_CIPHERS)],
  ['proxy-ssl-protocols', ignores(shape.TLS_PROTOCOLS)],
  ['proxy-ssl-name', ignores(shape.SERVER_NAME)],
  ['proxy-ssl-verify', ignores(shape.ON_OFF)],
  ['proxy-ssl-verify-depth', ignores(shape.INT)],
  ['proxy-ssl-server-name', ignores(shape.ON_OFF)],

  // ratelimit with its alias
  ['limit-rate', ignores(shape.INT)],
  ['limit-rate-after', ignores(shape.INT)],
  ['limit-rpm', rejects(shape.INT)],
  ['limit-rps', rejects(shape.INT)],
  ['limit-connections', rejects(shape.INT)],
  ['limit-burst-multiplier', ignores(shape.INT)],
  ['limit-allowlist', rejects(shape.CIDRS)],
  ['limit-whitelist', rejects(shape.CIDRS)],

  // redirect
  ['from-to-www-redirect', rejects(shape.BOOL)],
  ['temporal-redirect', rejects(shape.URL_SAFE_EXACT)],
  ['temporal-redirect-code', rejects(shape.INT)],
  ['permanent-redirect', rejects(shape.URL_SAFE_EXACT)],
  ['permanent-redirect-code', rejects(shape.INT)],
  ['relative-redirects', rejects(shape.BOOL)],

  // rewrite
  ['rewrite-target', ignores(shape.PATH_WITH_CAPTURES)],
  ['ssl-redirect', ignores(shape.BOOL)],
  ['preserve-trailing-slash', ignores(shape.BOOL)],
  ['force-ssl-redirect', ignores(shape.BOOL)],
  ['use-regex', ignores(shape.BOOL)],
  ['app-root', ignores(shape.PATH_WITH_CAPTURES)],

  // satisfy
  ['satisfy', ignores(shape.SATISFY)],

  // serversnippet, snippet, streamsnippet
  ['server-snippet', forbidden],
  ['configuration-snippet', forbidden],
  ['stream-snippet', forbidden],

  // serviceupstream
  ['service-upstream', ignores(shape.BOOL)],

  // sessionaffinity
  ['affinity', ignores(shape.AFFINITY)],
  ['affinity-mode', ignores(shape.AFFINITY_MODE)],
  ['affinity-canary-behavior', ignores(shape.CANARY_BEHAVIOR)],
  ['session-cookie-name', ignores(shape.BASIC)],
  ['session-cookie-secure', ignores(shape.BOOL)],
  ['session-cookie-expires', ignores(shape.SECONDS)],
  ['session-cookie-max-age', ignores(shape.SECONDS_EXACT)],
  ['session-cookie-path', ignores(shape.URL_SAFE)],
  ['session-cookie-domain', ignores(shape.BASIC)],
  ['session-cookie-samesite', ignores(shape.SAME_SITE)],
  ['session-cookie-conditional-samesite-none', ignores(shape.BOOL)],
  ['session-cookie-change-on-failure', ignores(shape.BOOL)],

  // sslcipher, sslpassthrough
  ['ssl-prefer-server-ciphers', ignores(shape.BOOL)],
  ['ssl-ciphers', rejects(shape.CIPHERS)],
  ['ssl-passthrough', rejects(shape.BOOL)],

  // upstreamhashby, upstreamvhost, xforwardedprefix
  ['upstream-hash-by', rejects(shape.VARIABLES)],
  ['upstream-hash-by-subset', rejects(shape.BOOL)],
  ['upstream-hash-by-subset-size', rejects(shape.INT)],
  ['upstream-vhost', rejects(shape.SERVER_NAME)],
  ['x-forwarded-prefix', rejects(shape.PREFIX_WITH_CAPTURES)],
])
