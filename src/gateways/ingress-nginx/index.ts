// Ingress-nginx (1.13.9, 1.14.5, 1.15.1, and Traefik's provider that reads the same annotations).
// A program that wants JSON is redirected like a browser, by Traefik's provider too: only the label says otherwise (3.7.13).
//
// How it fails closed: the protection is in the Ingress itself. Without an answer of 2xx from `auth-url` the controller
// serves 401, 403 or 500, also when the oauth2-proxy is away or its name does not resolve (seen on 1.15.1). It fails open
// in three ways, all of them in annotations, which its own webhook accepts: an empty `auth-url`, which the injection
// overwrites; malformed siblings of it (`auth-always-set-cookie: maybe`, `auth-request-redirect: $host`,
// `auth-cache-duration: 200;300`), over which the controller drops the whole authentication; and any value that it
// rejects, because it then goes on serving the Ingress as it was before. The last two are refused.
import type { AuthTeam } from '../../api/auth-team.ts'
import type { Controller } from '../../api/config.ts'
import { perObject } from '../../core/memo.ts'
import type { GatewayKind, Injection, Route, Target } from '../../core/types.ts'
import { passthroughIngress, passthroughWanted, routeCompanions } from '../passthrough.ts'
import { groupsQuery, identityHeaders, proxyOrigin } from '../upstream.ts'
import { meansWhatItSays, sizeInBytes, verdict } from './annotation-values.ts'
import { isAside, isOwned, isTrue, SNIPPETS } from './owned.ts'
import { refuse, warn } from './refuse.ts'

type Settings = Extract<Controller, { gateway: 'ingress-nginx' }>

export const ingressNginx: GatewayKind = {
  id: 'ingress-nginx',
  routeKinds: ['Ingress'],
  reads: (annotation, controller) => annotation.toLowerCase().startsWith(`${prefixOf(controller).toLowerCase()}/`),
  owns: (annotation, controller) => isOwned(nameIn(annotation, controller)),
  restores(annotation, value, controller) {
    const name = nameIn(annotation, controller)
    if (name === undefined || !isOwned(name) || SNIPPETS.has(name)) return false
    return verdict(name, value) !== 'rejected' && meansWhatItSays(name, value)
  },
  refuse: (bare, target) => refuse(bare, target, prefixOf(target.controller)),
  isCanary: (route, controller) => isTrue(route.annotations[`${prefixOf(controller)}/canary`]),
  warn: (bare, target) => warn(bare, target, prefixOf(target.controller)),
  inject,
  scopes: (bare, { team }) => (passthroughWanted(team, 'Ingress') ? [{ of: 'route', route: bare.ref }] : []),
  companions: (scope, facts) =>
    routeCompanions(scope, ingressNginx, facts, (route, target) => [
      passthroughIngress(route, target, {
        [`${prefixOf(target.controller)}/proxy-buffer-size`]: target.team.proxy.bufferSize,
      }),
    ]),
}

type Login = {
  readonly annotations: Readonly<Record<string, string>>
  /** The annotation of the buffer, and the bytes that it has to hold. */
  readonly buffer: string
  readonly bufferBytes: number
  /** For a route that has none of these annotations yet. */
  readonly plain: Injection
}

/**
 * What protects every route of a team alike, by client and access level. Values are made of administrators' text only;
 * `$host` and `$escaped_request_uri` are nginx's own variables.
 */
const logins = perObject((_: AuthTeam) => new Map<string, Login>())

function loginOf(target: Target): Login {
  const { team, access, client, clusterDomain } = target
  const prefix = prefixOf(target.controller)
  const key = `${prefix} ${clusterDomain} ${client} ${access?.name ?? ''}`
  const known = logins(team).get(key)
  if (known !== undefined) return known
  const { pathPrefix, loginHost, bufferSize } = team.proxy
  // Without a sign-in address the controller answers 401, which is what a client that is no browser needs.
  const signIn = `https://${loginHost ?? '$host'}${pathPrefix}/start?rd=https://$host$escaped_request_uri`
  const annotations = {
    [`${prefix}/auth-always-set-cookie`]: 'true',
    [`${prefix}/auth-response-headers`]: identityHeaders(team, access).join(','),
    ...(client === 'browser' ? { [`${prefix}/auth-signin`]: signIn } : {}),
    [`${prefix}/auth-url`]: `${proxyOrigin(team, clusterDomain)}${pathPrefix}/auth${groupsQuery(access)}`,
  }
  const buffer = `${prefix}/proxy-buffer-size`
  const plain = { annotations: { ...annotations, [buffer]: bufferSize } }
  const login = { annotations, buffer, bufferBytes: sizeInBytes(bufferSize) ?? 0, plain }
  logins(team).set(key, login)
  return login
}

function inject(bare: Route, target: Target): Injection {
  const login = loginOf(target)
  const annotations: Record<string, string | null> = {}
  let isPlain = bare.annotations[login.buffer] === undefined
  for (const key of Object.keys(bare.annotations)) {
    const name = nameIn(key, target.controller)
    if (name !== undefined && isAside(name, bare.annotations[key] ?? '', target.client)) {
      annotations[key] = null
      isPlain = false
    }
  }
  if (isPlain) return login.plain
  Object.assign(annotations, login.annotations)
  const current = bare.annotations[login.buffer]
  if (current === undefined || (sizeInBytes(current) ?? 0) < login.bufferBytes) {
    annotations[login.buffer] = target.team.proxy.bufferSize
  }
  return { annotations }
}

function prefixOf(controller: Controller): string {
  return (controller as Settings).annotationPrefix
}

/** The annotation's name without the controller's prefix; undefined if it is not one of the controller's. */
function nameIn(annotation: string, controller: Controller): string | undefined {
  const prefix = (controller as Settings).annotationPrefix
  return annotation.startsWith(prefix) && annotation[prefix.length] === '/'
    ? annotation.slice(prefix.length + 1)
    : undefined
}
