// What an administrator requires of the routes in a namespace, and whether a route without protection may stay so.
import { PROTECT, REQUIRE } from './keys.ts'
import { isCanary, isCompanion, isLogin, isSolver } from './left-alone.ts'
import { reason } from './reasons.ts'
import { saysOpen } from './team.ts'
import type { Facts, GatewayKind, Namespace, Reason, Route } from './types.ts'

export type Demand = 'enforce' | 'warn' | 'audit'

/** A value that is none of the three is taken for the strictest; a namespace that protects by default enforces. */
export function demandOf(namespace: Namespace | undefined): Demand | undefined {
  const value = namespace?.labels[REQUIRE]
  if (value === 'warn' || value === 'audit') return value
  if (value !== undefined) return 'enforce'
  return saysOpen(namespace?.labels[PROTECT]) ? undefined : 'enforce'
}

/**
 * Why a route without protection is against what its namespace requires; undefined if it may stay as it is. `writer`:
 * who writes it, as the API server says; a route that answers certificate challenges is one only if cert-manager wrote it.
 */
export function missingProtection(
  route: Route,
  demand: Demand,
  writer: string | undefined,
  facts: Facts,
  gateways: readonly GatewayKind[],
): Reason | undefined {
  const { namespace } = route.ref
  if (isExempt(route, facts) || isCompanion(route) || isLogin(route, facts)) return undefined
  if (isSolver(route) && (writer === undefined || writer === facts.config.solver)) return undefined
  if (isCanary(route, facts, gateways) && isBesideProtected(route, facts)) return undefined
  const code = ({ enforce: 'protection-required', warn: 'protection-wanted', audit: 'protection-audited' } as const)[
    demand
  ]
  return reason(code, { namespace, label: PROTECT })
}

/** An exemption names the hosts that may stay public, and perhaps the exact paths; a route with more is not exempt. */
export function isExempt(route: Route, facts: Facts): boolean {
  return facts
    .exemptions(route.ref)
    .some(
      ({ hosts, paths }) =>
        !route.hasDefaultBackend &&
        route.hosts.every(host => hosts.includes(host)) &&
        (paths === undefined || (route.exactPathsOnly && route.paths.every(path => paths.includes(path)))),
    )
}

/** A canary takes the protection of the Ingress that serves its host; alone it would have none. */
function isBesideProtected(canary: Route, facts: Facts): boolean {
  return canary.hosts.every(host => {
    for (const route of facts.routes.inNamespace(canary.ref.namespace)) {
      if (route.ref.name !== canary.ref.name && !saysOpen(route.labels[PROTECT]) && route.hosts.includes(host))
        return true
    }
    return false
  })
}
