// Whether the guards that a plan relies on are in force, or when they will be.
import { scopeKey } from './companions.ts'
import { reason } from './reasons.ts'
import type { Facts, GatewayKind, Reason, Scope } from './types.ts'

/** Proxies are given this much longer than their drain time before a Gateway counts as prepared. */
const DRAIN_MARGIN = 5
/** For which proxies drain unless somebody says otherwise (Envoy Gateway's default). */
const DRAIN_SECONDS = 60

/** `areThere`: they only have to be in force for so many seconds more. Otherwise nobody knows when they will be there. */
export type NotReady = { readonly reason: Reason; readonly seconds: number; readonly areThere: boolean }

/** Of a route behind this gateway. `now` in ms since the epoch. The first scope that is not ready decides. */
export function notReady(
  scopes: readonly Scope[],
  gateway: GatewayKind['id'],
  facts: Facts,
  now: number,
): NotReady | undefined {
  for (const scope of scopes) {
    // What belongs to one route only (its passthrough) guards nothing.
    if (scope.of === 'route') continue
    const since = facts.readySince(scope, gateway)
    if (since === undefined) {
      return { reason: reason('guards-missing', { scope: scopeKey(scope) }), seconds: 2, areThere: false }
    }
    const seconds = Math.ceil((since + needed(scope, facts) * 1000 - now) / 1000)
    if (seconds <= 0) continue
    const areThere = true
    if (scope.of !== 'gateway')
      return { reason: reason('guards-missing', { scope: scopeKey(scope) }), seconds, areThere }
    const named = { gateway: `${scope.namespace}/${scope.name}`, seconds: String(seconds) }
    return { reason: reason('gateway-preparing', named), seconds, areThere }
  }
  return undefined
}

/** Seconds for which the guards of a scope have to be in force before a route may rely on them. */
function needed(scope: Scope, facts: Facts): number {
  if (scope.of !== 'gateway') return facts.config.settleSeconds
  for (const controller of facts.config.controllers) {
    if (controller.gateway !== 'envoy-gateway') continue
    const handedOver = controller.handedOver.find(
      each => each.namespace === scope.namespace && each.name === scope.name,
    )
    if (handedOver !== undefined) return handedOver.drainSeconds + DRAIN_MARGIN
  }
  return DRAIN_SECONDS + DRAIN_MARGIN
}
