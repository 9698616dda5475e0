// What the controller's queue holds: names of things to be looked at again, never the things.
import type { ObjectName, RouteRef } from '../core/types.ts'

export type Key =
  /** The central companions of a team. */
  | { readonly of: 'team'; readonly team: string }
  /** All teams in a namespace at once: they share the net. */
  | { readonly of: 'namespace'; readonly namespace: string }
  | ({ readonly of: 'gateway' } & ObjectName)
  /** The route itself, and its companions. */
  | { readonly of: 'route'; readonly route: RouteRef }

/** The same text for the same key. */
export function keyText(key: Key): string {
  switch (key.of) {
    case 'team':
      return `team/${key.team}`
    case 'namespace':
      return `namespace/${key.namespace}`
    case 'gateway':
      return `gateway/${key.namespace}/${key.name}`
    case 'route':
      return `route/${key.route.kind}/${key.route.namespace}/${key.route.name}`
  }
}
