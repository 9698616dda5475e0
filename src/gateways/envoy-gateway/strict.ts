// Strict listeners: every route without a policy of its own is denied; what must stay open there is allowed by name.
import { scopeKey } from '../../core/companions.ts'
import { isLogin } from '../../core/left-alone.ts'
import { digest } from '../../core/names.ts'
import { isExempt } from '../../core/require.ts'
import type { Attachment, Companion, Facts, Gateway, Route } from '../../core/types.ts'
import { ALLOW_ALL, DENY_ALL, routeTarget, securityPolicy } from './policies.ts'
import { handedOver } from './settings.ts'
import { foreignPolicies } from './targets.ts'

/** A policy of one listener, never of the Gateway: there it would also deny TCP and UDP. */
export function denyByDefault(gateway: Gateway, strictListeners: readonly string[]): Companion[] {
  return gateway.listeners
    .filter(listener => strictListeners.includes(listener.name))
    .map(({ name: sectionName }) => {
      const { namespace, name: of } = gateway
      const head = {
        namespace,
        name: `portcullis-strict-${digest(namespace, of, sectionName)}`,
        standsFor: `Gateway ${namespace}/${of}, listener ${sectionName}`,
        scope: scopeKey({ of: 'gateway', namespace, name: of }),
      }
      const targetRefs = [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: of, sectionName }]
      return securityPolicy(head, { targetRefs, ...DENY_ALL }, true)
    })
}

export function isOnStrict(attachments: readonly Attachment[], facts: Facts): boolean {
  return attachments.some(({ gateway, listener }) =>
    handedOver(gateway, facts)?.strictListeners.includes(listener.name),
  )
}

/** Whether a route stays open on a strict listener: a team's login, or what an administrator exempted. */
export function staysOpen(route: Route, facts: Facts): boolean {
  return isExempt(route, facts) || isLogin(route, facts)
}

/**
 * By name and never by labels, and only while no other policy targets the route: the older policy wins, and ours would
 * switch off what somebody attached.
 */
export function allowByName(route: Route, facts: Facts): Companion[] {
  if (foreignPolicies(route, facts).length > 0) return []
  const { kind, namespace, name } = route.ref
  const head = {
    namespace,
    name: `portcullis-allow-${digest(kind, namespace, name)}`,
    standsFor: `${kind} ${namespace}/${name}`,
    // Of the route that it names, a passthrough too, which has it both as a companion and as a login of its own.
    scope: scopeKey({ of: 'route', route: route.ref }),
  }
  return [securityPolicy(head, { ...routeTarget(name), ...ALLOW_ALL }, false)]
}
