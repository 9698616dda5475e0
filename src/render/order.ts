// The order in which `kubectl apply` can take everything in one go: what others need comes first.
import { NET_PREFIX } from '../core/names.ts'
import type { KubeObject, Scope } from '../core/types.ts'

const FIRST: readonly (readonly string[])[] = [
  ['Namespace'],
  ['CustomResourceDefinition'],
  ['AuthTeam', 'AuthExemption'],
  ['IngressClass'],
  ['GatewayClass'],
  ['Gateway'],
]

const OTHERS = FIRST.length
const SCOPES: readonly Scope['of'][] = ['gateway', 'team', 'namespace']
const NETS = OTHERS + 1 + SCOPES.length * 2
const ROUTES = NETS + 1
const OF_ROUTES = ROUTES + 1

/** Documents of the same rank stay in the order in which they came. */
export function rankOfDocument({ kind }: KubeObject, isRoute: boolean): number {
  if (isRoute) return ROUTES
  const place = FIRST.findIndex(kinds => kinds.includes(kind))
  return place === -1 ? OTHERS : place
}

/** What lets a policy reach its proxy comes before the policy, the net after every policy of a team: it has to be newest. */
export function rankOfCompanion({ kind, metadata }: KubeObject, of: Scope['of']): number {
  if (of === 'route') return OF_ROUTES
  if (kind === 'SecurityPolicy' && String(metadata.name).startsWith(NET_PREFIX)) return NETS
  return OTHERS + 1 + SCOPES.indexOf(of) * 2 + (kind === 'ReferenceGrant' ? 0 : 1)
}
