// The forwardAuth Middlewares of a team: one for each access level, kind of client and setting of Traefik.
import type { AccessLevel, AuthTeam } from '../../api/auth-team.ts'
import type { Config } from '../../api/config.ts'
import { companionMetadata, scopeKey } from '../../core/companions.ts'
import { digest } from '../../core/names.ts'
import type { Client, Companion, KubeObject, Scope } from '../../core/types.ts'
import { groupsQuery, identityHeaders, proxyOrigin } from '../upstream.ts'

export const GROUP = 'traefik.io'
export const KIND = 'Middleware'

/** What tells one Middleware of a team from another. */
export type Variant = {
  readonly team: AuthTeam
  readonly access: AccessLevel | undefined
  readonly client: Client
  readonly trustForwardHeader: boolean
}

/**
 * Neither dash nor dot: Traefik joins namespace and name with a dash and turns every other character into one, so that
 * `a` with `b-c` and `a-b` with `c` would be one Middleware.
 */
export const NAME = /^m[0-9a-f]{16}$/

export function middlewareName({ team, access, client, trustForwardHeader }: Variant): string {
  const parts = [team.name, access?.name ?? '', client]
  return `m${digest(...parts, ...(trustForwardHeader ? ['trust'] : []))}`
}

/**
 * Every Middleware that a route of the team can be led through. All are guards: a router without its own is dropped.
 * In our own namespace those for Ingresses and copies for HTTPRoutes are the same objects: of the team, then.
 */
export function middlewares(
  team: AuthTeam,
  namespace: string,
  { namespace: own, clusterDomain }: Config,
  trusts: ReadonlySet<boolean>,
): Companion[] {
  const scope: Scope =
    namespace === own ? { of: 'team', team: team.name } : { of: 'namespace', team: team.name, namespace }
  return [undefined, ...team.access.values()].flatMap(access =>
    CLIENTS.flatMap(client =>
      [...trusts].map(trustForwardHeader => {
        const variant: Variant = { team, access, client, trustForwardHeader }
        const metadata = companionMetadata(
          { namespace, name: middlewareName(variant) },
          inWords(variant),
          scopeKey(scope),
        )
        return { object: middleware(variant, metadata, clusterDomain), guards: true }
      }),
    ),
  )
}

const CLIENTS = ['browser', 'api'] as const

function middleware(variant: Variant, metadata: KubeObject['metadata'], clusterDomain: string): KubeObject {
  const { team, access, trustForwardHeader } = variant
  const { cookieName, caSecret } = team.proxy
  const forwardAuth = {
    address: address(variant, clusterDomain),
    // Said either way: unset means a mixture that Traefik warns about.
    trustForwardHeader,
    // Without a list every header of the client is sent, X-Auth-Request-Redirect among them.
    authRequestHeaders: ['Cookie', 'Authorization', 'Accept'],
    authResponseHeaders: identityHeaders(team, access),
    addAuthCookiesToResponse: [cookieName, ...COOKIE_PARTS.map(part => `${cookieName}_${part}`)],
    // The sign-in page of oauth2-proxy has some 10 KB.
    maxResponseBodySize: 65536,
    ...(caSecret === undefined || team.proxy.scheme === 'http' ? {} : { tls: { caSecret } }),
  }
  return { apiVersion: `${GROUP}/v1alpha1`, kind: KIND, metadata, spec: { forwardAuth } }
}

/** oauth2-proxy splits a long session over cookies of these numbers. One that is not listed signs its user out. */
const COOKIE_PARTS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

/**
 * At the root oauth2-proxy answers a stranger with the login, whatever path was asked for; under `auth` with 401. No path
 * of the client is part of the address, so none that oauth2-proxy leaves open (`/ping`, `/robots.txt`) is open here.
 */
function address({ team, access, client }: Variant, clusterDomain: string): string {
  const path = client === 'api' ? `${team.proxy.pathPrefix}/auth` : '/'
  return `${proxyOrigin(team, clusterDomain)}${path}${groupsQuery(access)}`
}

function inWords({ team, access, client, trustForwardHeader }: Variant): string {
  const level = access === undefined ? '' : `, access level ${access.name}`
  const trust = trustForwardHeader ? ', X-Forwarded headers trusted' : ''
  return `team ${team.name}${level}, client ${client}${trust}`
}
