// Names of companions: injective, so that no two scopes ever share an object.
import { createHash } from 'node:crypto'
import type { RouteRef } from './types.ts'

/**
 * 16 hex digits that stand for the parts, which a companion's `stands-for` annotation spells out. The parts are joined
 * as JSON, so that ("a", "b-c") is not ("a-b", "c").
 */
export function digest(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16)
}

/**
 * The SecurityPolicy of a team, or of one of its access levels. Neither may hold a dot, so that the dot separates them.
 */
export function policyName(team: string, level?: string): string {
  return level === undefined ? `portcullis-team.${team}` : `portcullis-team.${team}.${level}`
}

/** Whose policy has this name; undefined: no team's. */
export function readPolicyName(
  name: string,
): { readonly team: string; readonly level: string | undefined } | undefined {
  const [prefix, team, level, ...more] = name.split('.')
  if (prefix !== 'portcullis-team' || team === undefined || team === '' || more.length > 0) return undefined
  return { team, level }
}

/** The net sorts after every policy of a team: of two policies made in the same second the first by name wins. */
export const NET_PREFIX = 'portcullis-zz-net.'

export function passthroughName(route: RouteRef): string {
  return `portcullis-login-${digest(route.kind, route.namespace, route.name)}`
}

export function grantName(namespace: string, team: string): string {
  return `portcullis-from.${namespace}.${team}`
}
