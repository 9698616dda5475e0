// Routes that are neither given a label by their namespace nor required to have one: behind a login they could not work.
import { ACME_SOLVER, MANAGED_BY, MANAGER } from './keys.ts'
import type { Facts, GatewayKind, Route } from './types.ts'

/** A team's login, a companion, a route that answers certificate challenges, a canary. By what the route says of itself. */
export function isLeftAlone(route: Route, facts: Facts, gateways: readonly GatewayKind[]): boolean {
  return isCompanion(route) || isSolver(route) || isLogin(route, facts) || isCanary(route, facts, gateways)
}

export function isCompanion(route: Route): boolean {
  return route.labels[MANAGED_BY] === MANAGER
}

export function isSolver(route: Route): boolean {
  return route.labels[ACME_SOLVER] === 'true'
}

/** Whether every backend is the oauth2-proxy of one team. */
export function isLogin(route: Route, facts: Facts): boolean {
  for (const team of facts.teams()) if (servesOnly(route, team.proxy.service)) return true
  return false
}

export function isCanary(route: Route, facts: Facts, gateways: readonly GatewayKind[]): boolean {
  return facts.config.controllers.some(controller =>
    gateways.some(gateway => gateway.id === controller.gateway && gateway.isCanary?.(route, controller)),
  )
}

/** Whether a service is the only thing behind a route: then the route is that service's own. */
export function servesOnly(route: Route, service: { readonly namespace: string; readonly name: string }): boolean {
  return (
    route.services.length > 0 &&
    route.services.every(each => each.namespace === service.namespace && each.name === service.name)
  )
}
