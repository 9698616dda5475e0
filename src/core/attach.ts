// From a route to the one gateway that serves it: through its class, or through every parent, by controller name.
import type { Controller } from '../api/config.ts'
import { intersectHosts } from './hosts.ts'
import { reason } from './reasons.ts'
import { isGateway } from './route.ts'
import { selects } from './selector.ts'
import type { Attachment, Facts, Gateway, Listener, Parent, Reason, Route } from './types.ts'

export type Attached = {
  readonly controller: Controller
  /** Under which the gateway serves the route; for an HTTPRoute what listeners and route have in common. */
  readonly hosts: readonly string[]
  readonly attachments: readonly Attachment[]
}

export function attach(route: Route, facts: Facts): Attached | Reason[] {
  return route.ref.kind === 'Ingress' ? attachIngress(route, facts) : attachHTTPRoute(route, facts)
}

function attachIngress(route: Route, facts: Facts): Attached | Reason[] {
  const { className, legacyClassName } = route
  if (className !== undefined && legacyClassName !== undefined && className !== legacyClassName) {
    return [reason('class-ambiguous', { classes: `${className}, ${legacyClassName}` }, 'spec.ingressClassName')]
  }
  const found = facts.ingressClass(className ?? legacyClassName)
  if ('code' in found) return [found]
  const controller = controllerNamed(found.controller, facts)
  if (controller === undefined) {
    return [
      reason(
        'controller-unknown',
        { controller: found.controller, class: `IngressClass ${found.name}` },
        'spec.ingressClassName',
      ),
    ]
  }
  return { controller, hosts: route.hosts, attachments: [] }
}

function attachHTTPRoute(route: Route, facts: Facts): Attached | Reason[] {
  if (route.parents.length === 0) return [reason('parents-missing', {}, 'spec.parentRefs')]
  const problems: Reason[] = []
  const controllers = new Set<Controller>()
  const attachments: Attachment[] = []
  route.parents.forEach((parent, index) => {
    const found = attachParent(route, parent, facts)
    if ('code' in found) {
      problems.push({ ...found, field: `spec.parentRefs[${index}]` })
      return
    }
    controllers.add(found.controller)
    attachments.push(...found.attachments)
  })
  if (problems.length > 0) return problems
  const [controller, another] = controllers
  if (controller === undefined || another !== undefined) {
    const list = [...controllers].map(each => each.controller).join(', ')
    return [reason('gateways-differ', { controllers: list }, 'spec.parentRefs')]
  }
  return { controller, hosts: [...new Set(attachments.flatMap(each => each.hosts))], attachments }
}

function attachParent(
  route: Route,
  parent: Parent,
  facts: Facts,
): { controller: Controller; attachments: Attachment[] } | Reason {
  if (!isGateway(parent)) return reason('parent-kind', { kind: parent.kind })
  const name = `${parent.namespace}/${parent.name}`
  const gateway = facts.gateway(parent.namespace, parent.name)
  if (gateway === undefined) return reason('gateway-unknown', { gateway: name })
  const gatewayClass = facts.gatewayClass(gateway.className)
  if (gatewayClass === undefined) return reason('gateway-class-unknown', { gateway: name, class: gateway.className })
  const controller = controllerNamed(gatewayClass.controller, facts)
  if (controller === undefined) {
    return reason('controller-unknown', {
      controller: gatewayClass.controller,
      class: `GatewayClass ${gatewayClass.name}`,
    })
  }
  const attachments = gateway.listeners.flatMap(listener => {
    const hosts = hostsOn(listener, route, parent, gateway, facts)
    return hosts.length === 0 ? [] : [{ gateway, listener, hosts }]
  })
  return attachments.length === 0 ? reason('listener-none', { gateway: name }) : { controller, attachments }
}

function hostsOn(listener: Listener, route: Route, parent: Parent, gateway: Gateway, facts: Facts): string[] {
  if (parent.sectionName !== undefined && parent.sectionName !== listener.name) return []
  if (parent.port !== undefined && parent.port !== listener.port) return []
  if (!servesHTTP(listener) || !admitsNamespace(listener, gateway, route.ref.namespace, facts)) return []
  const hosts = new Set<string>()
  for (const host of route.hosts) {
    const common = intersectHosts(listener.hostname, host)
    if (common !== undefined) hosts.add(common)
  }
  return [...hosts]
}

export function servesHTTP(listener: Listener): boolean {
  return listener.admitsHTTPRoutes && (listener.protocol === 'HTTP' || listener.protocol === 'HTTPS')
}

/** Whether a listener takes routes from a namespace (Gateway API, `allowedRoutes.namespaces`). */
export function admitsNamespace(listener: Listener, gateway: Gateway, namespace: string, facts: Facts): boolean {
  switch (listener.routesFrom) {
    case 'All':
      return true
    case 'Same':
      return gateway.namespace === namespace
    case 'Selector': {
      const labels = facts.namespace(namespace)?.labels
      return labels !== undefined && listener.routesSelector !== undefined && selects(listener.routesSelector, labels)
    }
    case 'None':
      return false
  }
}

function controllerNamed(name: string, facts: Facts): Controller | undefined {
  return facts.config.controllers.find(each => each.controller === name)
}
