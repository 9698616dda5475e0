// The companions of a scope: what every gateway of the cluster needs for it, in an order in which it can be applied.
import { strings } from './json.ts'
import { EXTERNAL_DNS_CONTROLLER, MANAGED_BY, MANAGER, SCOPE, STANDS_FOR } from './keys.ts'
import type { Companion, Facts, GatewayKind, KubeObject, ObjectName, Scope } from './types.ts'

/** Pure. A scope whose team, namespace, Gateway or route is not among the facts has no companions. */
export function companions(scope: Scope, facts: Facts, gateways: readonly GatewayKind[]): Companion[] {
  const result = new Map<string, Companion>()
  for (const gateway of gateways) {
    for (const companion of gateway.companions(scope, facts)) {
      const key = identity(companion.object)
      if (!result.has(key)) result.set(key, companion)
    }
  }
  return [...result.values()]
}

/** Pure. What a stored companion has to be whatever the facts are; undefined: that depends on them. */
export function standing(stored: KubeObject, gateways: readonly GatewayKind[]): Companion | undefined {
  for (const gateway of gateways) {
    const companion = gateway.standing?.(stored)
    if (companion !== undefined) return companion
  }
  return undefined
}

export function identity(object: KubeObject): string {
  return `${object.apiVersion}/${object.kind}/${String(object.metadata.namespace ?? '')}/${String(object.metadata.name)}`
}

export function scopeKey(scope: Scope): string {
  switch (scope.of) {
    case 'team':
      return `team/${scope.team}`
    case 'namespace':
      return `${namespaceKey(scope.namespace)}/${scope.team}`
    case 'gateway':
      return `gateway/${scope.namespace}/${scope.name}`
    case 'route':
      return `route/${scope.route.kind}/${scope.route.namespace}/${scope.route.name}`
  }
}

/** A companion that belongs to one route: it guards nothing, and there are as many as routes. By what it says of itself. */
export function isOfOneRoute({ metadata }: KubeObject): boolean {
  if (strings(metadata.labels)[MANAGED_BY] !== MANAGER) return false
  return strings(metadata.annotations)[SCOPE]?.startsWith('route/') ?? false
}

/** What all scopes of teams in a namespace share. */
export function namespaceKey(namespace: string): string {
  return `namespace/${namespace}`
}

/** Metadata that every companion carries; `standsFor` says in words what a hashed name cannot, `scope` is a key. */
export function companionMetadata(name: ObjectName, standsFor: string, scope: string): KubeObject['metadata'] {
  return {
    name: name.name,
    namespace: name.namespace,
    labels: { [MANAGED_BY]: MANAGER },
    annotations: { [STANDS_FOR]: standsFor, [SCOPE]: scope, [EXTERNAL_DNS_CONTROLLER]: MANAGER },
  }
}
