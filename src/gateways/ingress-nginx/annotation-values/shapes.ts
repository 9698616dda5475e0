// The shapes of value that ingress-nginx 1.15.1 accepts for its annotations, each as a test and in words for a person.
// Source: internal/ingress/annotations/parser/validators.go and the validators inside each annotation's package.
// Go's expressions run in linear time and these here do not, so every one is written without ambiguity.
import { parsesAsBool, parsesAsInt, parsesAsNetwork, trimSpace } from './go.ts'
import { compilesInGo } from './go-regexp.ts'

export type Shape = { readonly words: string; readonly takes: (value: string) => boolean }

/** The controller compares most values with their spaces taken out, wherever they stand, and takes no line break. */
function pattern(words: string, expression: RegExp): Shape {
  return { words, takes: value => expression.test(value.replaceAll(' ', '')) && !/[\r\n]/.test(value) }
}

/** A few values are compared as they are. */
function exactPattern(words: string, expression: RegExp): Shape {
  return { words, takes: value => expression.test(value) && !/[\r\n]/.test(value) }
}

/** Compared with white space around the value taken away. */
function oneOf(...options: string[]): Shape {
  return { words: list(options), takes: value => options.includes(trimSpace(value)) }
}

function oneOfAnyCase(...options: string[]): Shape {
  return { words: `${list(options)}, in any case`, takes: value => options.includes(trimSpace(value).toLowerCase()) }
}

/** The controller only looks for one of these inside the value. */
function containing(...parts: string[]): Shape {
  return {
    words: list(parts),
    takes: value => {
      const packed = value.replaceAll(' ', '')
      return parts.some(part => packed.includes(part)) && !/[\r\n]/.test(value)
    },
  }
}

function list(options: readonly string[]): string {
  return options.length < 2 ? options.join() : `${options.slice(0, -1).join(', ')} or ${options.at(-1)}`
}

export const BOOL: Shape = { words: 'true or false', takes: parsesAsBool }
export const INT: Shape = { words: 'a whole number', takes: parsesAsInt }
export const ON_OFF = pattern('on or off', /^(?:on|off)$/)
export const SIZE = pattern('a size such as 16k', /^\d+[bkmg]?$/i)

const NETWORKS = 'addresses or networks with commas between them, such as 10.0.0.0/8'
export const CIDRS: Shape = {
  words: NETWORKS,
  takes: value => value.split(',').every(part => parsesAsNetwork(trimSpace(part))),
}

const BASIC_WORDS = 'letters, digits and - . _ ~ / :'
export const BASIC = pattern(BASIC_WORDS, /^[-._~a-zA-Z0-9/:]*$/)
export const CONFIG_MAP = { ...BASIC, words: 'the name of a ConfigMap, as namespace/name' }
export const SECRET = { ...BASIC, words: 'the name of a Secret, as namespace/name' }
export const BASIC_WITH_SPACES = exactPattern(`${BASIC_WORDS} and spaces`, /^[-._~a-zA-Z0-9/: ]*$/)

const URL_EXPRESSION = /^[-._~a-zA-Z0-9/:,?&=]*$/
const URL_WORDS = 'a URL made of letters, digits and - . _ ~ / : , ? & ='
export const URL_SAFE = pattern(URL_WORDS, URL_EXPRESSION)
export const URL_SAFE_EXACT = exactPattern(URL_WORDS, URL_EXPRESSION)
export const URL_WITH_VARIABLES = pattern(`${URL_WORDS} $`, /^[-._~a-zA-Z0-9/:,?&=$]*$/)

export const PATH_WITH_CAPTURES = exactPattern('a path such as /app/$1', /^[-._~a-zA-Z0-9/:$]*$/)
export const PREFIX_WITH_CAPTURES = pattern('a path such as /app/$1', /^[-._~a-zA-Z0-9/:$]*$/)
export const HEADER_NAMES = pattern('header names with commas between them', /^[A-Za-z0-9\-_, ]*$/)
export const VARIABLES = pattern('text with variables such as $request_uri', /^[A-Za-z0-9\-_${}]*$/)

const NAME_EXPRESSION = /^[-._~a-zA-Z0-9/:^$[\](){}*+?|&=\\]*$/
export const EXPRESSION = exactPattern('a regular expression without spaces', NAME_EXPRESSION)
export const SERVER_NAME: Shape = {
  words: 'a host name or an expression for one, without spaces',
  takes: value => NAME_EXPRESSION.test(trimSpace(value)),
}
export const SERVER_NAMES: Shape = {
  words: 'host names with commas between them',
  takes: value => value.split(',').every(SERVER_NAME.takes),
}
/** A DNS-1035 label, as Kubernetes wants for the name of a Service. */
export const SERVICE = exactPattern('the name of a Service', /^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/)

/** ValidateNull: no test at all, but the risk level Critical, which a controller refuses unless it allows snippets. */
export const SNIPPET: Shape = {
  words: 'nothing: snippets are off unless the controller allows them',
  takes: () => false,
}

// auth, authreq, authtls
export const AUTH_TYPE = containing('basic', 'digest')
export const AUTH_SECRET_TYPE = containing('auth-file', 'auth-map')
export const METHOD = pattern(
  'GET, HEAD, POST, PUT, PATCH, DELETE, CONNECT, OPTIONS or TRACE',
  /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|CONNECT|OPTIONS|TRACE)$/,
)
export const CACHE_DURATIONS = exactPattern('status codes and a time, such as 200 202 10m', /^[-._~a-zA-Z0-9/:, ]*$/)
export const VERIFY_CLIENT = pattern('on, off, optional or optional_no_ca', /^(?:on|off|optional|optional_no_ca)$/)
export const ERROR_PAGE = pattern(
  'a URL, a path or a named location such as @error',
  /^(?:@[A-Za-z0-9_-]+|(?:(?:https?:\/\/)?[A-Za-z0-9\-.]+(?::\d+)?)?(?:\/[A-Za-z0-9\-_.]+)*\/?)$/,
)
export const COMMON_NAME: Shape = {
  words: 'CN= and a regular expression',
  takes: value => value.startsWith('CN=') && compilesInGo(value.slice(3)),
}

// backendprotocol, connection, loadbalancing, satisfy
export const PROTOCOL = oneOfAnyCase('auto_http', 'http', 'https', 'grpc', 'grpcs', 'fcgi')
export const CONNECTION = pattern('close or keep-alive', /^(?:close|keep-alive)$/)
export const BALANCING = oneOf('round_robin', 'chash', 'chashsubset', 'sticky_balanced', 'sticky_persistent', 'ewma')
export const SATISFY = oneOf('any', 'all')

// cors
/** Any sequence of scheme, *., host and port: the origins behind it are tested again one by one, and skipped if wrong. */
export const ORIGINS = pattern(
  'origins such as https://app.example.com with commas between them, or *',
  /^(?:\*|(?:[A-Za-z0-9.,-]|\*\.|(?<=[a-z]):\/\/|:\d)*)$/,
)
export const METHODS = pattern('methods with commas between them', /^(?:[A-Za-z](?:,[\t\f]?|[\t\f])?)+$/)
export const EXPOSED_HEADERS = pattern(
  'header names with commas between them, or *',
  /^(?:[A-Za-z0-9\-_*](?:,[\t\f]?|[\t\f])?)+$/,
)

// customhttperrors
/** The controller's own expression also takes a comma for the first digit; such a value means nothing. */
export const HTTP_ERRORS = pattern('status codes from 400 to 599 with commas between them', /^(?:[45]\d\d,?)*$/)

// fastcgi, opentelemetry
export const FILE_NAME = pattern('a file name such as index.php', /^[A-Za-z0-9.\-_]+$/)
export const OPERATION = pattern('letters, digits, - and _', /^[A-Za-z0-9_-]*$/)

// proxy
export const UPSTREAM_FAILURES = exactPattern(
  'failures such as error timeout http_502',
  /^(?:(?:error|timeout|invalid_header|http_(?:50[0234]|40[34]|429)|non_idempotent|off)[\t\f ]?)+$/,
)
export const COOKIE_DOMAINS = exactPattern(
  'off, or two domains with a space between them',
  /^(?:off|[-._~a-zA-Z0-9/:]+[\t\f ]+[-._~a-zA-Z0-9/:]+)$/,
)
export const SWITCH = oneOf('on', 'off')
export const HTTP_VERSION = oneOf('1.0', '1.1')

// proxyssl, sslcipher
export const TLS_PROTOCOLS = pattern('TLSv1.2, TLSv1.3 or both', /^(?:TLSv1\.[23])*$/)
export const UPSTREAM_CIPHERS = pattern('ciphers as OpenSSL writes them', /^[A-Za-z0-9+:_\-!]*$/)
export const CIPHERS = pattern('ciphers as OpenSSL writes them', /^(?:[A-Za-z0-9!:+\-_]|@STRENGTH|@SECLEVEL=[0-5])*$/)

// sessionaffinity
export const AFFINITY = oneOf('cookie')
export const AFFINITY_MODE = oneOf('balanced', 'persistent')
export const CANARY_BEHAVIOR = oneOf('sticky', 'legacy')
export const SAME_SITE = oneOfAnyCase('none', 'lax', 'strict')
/** The controller's expression is satisfied by a leading 0 or by a number at the end. */
export const SECONDS: Shape = {
  words: 'a number of seconds',
  takes: value => SECONDS_EXACT.takes(value.replaceAll(' ', '')),
}
export const SECONDS_EXACT: Shape = {
  words: 'a number of seconds',
  takes: value => !/[\r\n]/.test(value) && (value.startsWith('0') || /[1-9]/.test(lastDigits(value))),
}

function lastDigits(text: string): string {
  let start = text.length
  while (start > 0 && /\d/.test(text.charAt(start - 1))) start--
  return text.slice(start)
}
