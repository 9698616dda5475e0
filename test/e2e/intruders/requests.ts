// What somebody without a session asks with: ordinary requests, and such as are to pass for somebody's.

export type Trick = {
  readonly name: string
  /** Whether an answer says of the route that it is closed; others may be turned away for what they are. */
  readonly ordinary: boolean
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | readonly string[]>>
}

const USER = 'evil'
const GET = { ordinary: false, method: 'GET', path: '/intruder', headers: {} } as const
const IDENTITY = ['User', 'Email', 'Groups', 'Preferred-Username', 'Access-Token']
const NAMES = ['X-Auth-Request', 'X-Forwarded'].flatMap(each => IDENTITY.map(word => `${each}-${word}`))

function identity(spelled: (name: string) => string): Trick['headers'] {
  return Object.fromEntries([...NAMES, 'GAP-Auth'].map(name => [spelled(name), USER]))
}

/** Hop-by-hop in HTTP/1: what they name, or they themselves, must not be taken out of what the login has added. */
const HTTP_1: readonly Trick[] = [
  { ...GET, name: 'identity as hop-by-hop', headers: { ...identity(name => name), connection: NAMES.join(', ') } },
  {
    ...GET,
    name: 'WebSocket',
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    },
  },
]

const BOTH: readonly Trick[] = [
  { ...GET, name: 'identity', ordinary: true, headers: identity(name => name.toLowerCase()) },
  { ...GET, name: 'identity in capitals', headers: identity(name => name.toUpperCase()) },
  { ...GET, name: 'identity with underscores', headers: identity(name => name.replaceAll('-', '_')) },
  { ...GET, name: 'identity with dots', headers: identity(name => name.replaceAll('-', '.')) },
  { ...GET, name: 'identity with tildes', headers: identity(name => name.replaceAll('-', '~')) },
  { ...GET, name: 'identity twice', headers: Object.fromEntries(NAMES.map(name => [name, [USER, '']])) },
  {
    ...GET,
    name: 'another address',
    headers: {
      'x-forwarded-uri': '/oauth2/sign_in',
      'x-original-url': '/oauth2/sign_in',
      'x-rewrite-url': '/oauth2/sign_in',
      'x-envoy-original-path': '/oauth2/sign_in',
      'x-auth-request-redirect': '/oauth2/sign_in',
      'x-forwarded-method': 'OPTIONS',
      'x-http-method-override': 'OPTIONS',
    },
  },
  {
    ...GET,
    name: 'credentials',
    headers: {
      authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJldmlsIn0.',
      cookie:
        '__Secure-team-a=djIuX19TZWN1cmUtdGVhbS1h.AAAA|1|AAAA; __Secure-team-b=AAAA|1|AAAA; _oauth2_proxy=AAAA|1|AAAA',
    },
  },
  ...['POST', 'OPTIONS', 'HEAD'].map(method => ({ ...GET, name: method, method })),
  ...[
    '/ping',
    '/ready',
    '/robots.txt',
    '/.well-known/acme-challenge/intruder',
    '/oauth2/../intruder',
    '/oauth2/%2e%2e/intruder',
    '/oauth2%2fauth',
    '/oauth2x',
    '//oauth2/sign_in/..;/intruder',
    '/intruder?allowed_groups=&rd=%2F',
  ].map(path => ({ ...GET, name: path, path })),
]

const ORDINARY: Trick = { ...GET, name: '', ordinary: true }

export type Tricks = {
  /** Every other request is ordinary; the others go through the list. */
  next(): Trick
}

export function tricks(http: 1 | 2): Tricks {
  const all = http === 1 ? [...BOTH, ...HTTP_1] : BOTH
  let count = Math.floor(Math.random() * all.length * 2)
  return {
    next() {
      count++
      return count % 2 === 0 ? ORDINARY : (all[(count >> 1) % all.length] as Trick)
    },
  }
}
