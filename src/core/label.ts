// The label that counts for a route: its owner's, or, where the owner wrote none, the namespace's default.
import { PROTECT } from './keys.ts'
import { isLeftAlone } from './left-alone.ts'
import type { Record } from './record.ts'
import { saysOpen } from './team.ts'
import type { Facts, GatewayKind, Route } from './types.ts'

export type Label = {
  /** undefined: the route has no label, and its namespace gives it none. */
  readonly value: string | undefined
  /** Whether it is ours, put on because the namespace says so. */
  readonly defaulted: boolean
}

/** What an administrator's label on a namespace makes of routes without one. A route's own label always wins. */
export function labelOf(
  route: Route,
  record: Record | undefined,
  facts: Facts,
  gateways: readonly GatewayKind[],
): Label {
  const own = route.labels[PROTECT]
  const isOurs = record?.label === true && own === 'true'
  if (own !== undefined && !isOurs) return { value: own, defaulted: false }
  const namespace = facts.namespace(route.ref.namespace)
  // A namespace that is not among the facts says nothing: what stands, stands.
  if (namespace === undefined) return { value: own, defaulted: isOurs }
  const isDefault = !saysOpen(namespace.labels[PROTECT]) && !isLeftAlone(route, facts, gateways)
  return isDefault ? { value: 'true', defaulted: true } : { value: undefined, defaulted: false }
}
