// AuthTeam: one oauth2-proxy and the namespaces that may use it. Its type, and how a document becomes one.
import { type AuthTeamSpec, authTeamName, authTeamSpec } from './auth-team-schema.ts'
import type { LabelSelector } from './label-selector.ts'
import { check, type Parsed } from './problems.ts'
import { document, identity } from './resource.ts'

/** A team in normal form: every default is filled in. */
export type AuthTeam = {
  readonly name: string
  readonly uid?: string
  /** RFC 3339; absent while it is not stored. */
  readonly created?: string
  readonly namespaces: {
    readonly names: readonly string[]
    readonly selector?: LabelSelector
    readonly default: boolean
  }
  readonly hosts: readonly string[]
  readonly proxy: Proxy
  readonly access: ReadonlyMap<string, AccessLevel>
  readonly headers: PassedHeaders
  readonly passthrough: 'Always' | 'HTTPRoute' | 'Never'
}

export type Proxy = {
  readonly service: { readonly namespace: string; readonly name: string; readonly port: number }
  readonly scheme: 'http' | 'https'
  readonly caSecret?: string
  readonly pathPrefix: string
  readonly loginHost?: string
  readonly cookieDomains: readonly string[]
  readonly cookieName: string
  readonly bufferSize: string
}

export type AccessLevel = {
  readonly name: string
  readonly allowedGroups: readonly string[]
  readonly headers: PassedHeaders
}

/** What the application gets besides user, email and groups. */
export type PassedHeaders = { readonly accessToken: boolean; readonly authorization: boolean }

const schema = document('AuthTeam', authTeamName, authTeamSpec)

export function parseAuthTeam(input: unknown): Parsed<AuthTeam> {
  const parsed = check(schema, input)
  if ('problems' in parsed) return parsed
  const { metadata, spec } = parsed.value
  return { value: normalised(identity(metadata), spec) }
}

function normalised(id: ReturnType<typeof identity>, spec: AuthTeamSpec): AuthTeam {
  const { namespaces, proxy, headers, passthrough } = spec
  const { selector } = namespaces
  const { caSecret, loginHost } = proxy
  return {
    ...id,
    namespaces: {
      names: namespaces.names,
      default: namespaces.default,
      ...(selector === undefined ? {} : { selector }),
    },
    hosts: spec.hosts ?? proxy.cookieDomains.flatMap(domain => [domain, `*.${domain}`]),
    proxy: {
      service: proxy.service,
      scheme: proxy.scheme,
      pathPrefix: proxy.pathPrefix,
      cookieDomains: proxy.cookieDomains,
      cookieName: proxy.cookieName ?? `__Secure-${id.name}`,
      bufferSize: proxy.bufferSize,
      ...(caSecret === undefined ? {} : { caSecret }),
      ...(loginHost === undefined ? {} : { loginHost }),
    },
    access: new Map(spec.access.map(level => [level.name, accessOf(level, headers)])),
    headers,
    passthrough,
  }
}

function accessOf(
  { name, allowedGroups, headers = {} }: AuthTeamSpec['access'][number],
  team: PassedHeaders,
): AccessLevel {
  const { accessToken = team.accessToken, authorization = team.authorization } = headers
  return { name, allowedGroups, headers: { accessToken, authorization } }
}
