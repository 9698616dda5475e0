// Which routes a SecurityPolicy targets, by name or by labels.
import { array, isObject, object } from '../../core/json.ts'
import { selects, selectsAcross } from '../../core/selector.ts'
import type { Facts, Policy, Route } from '../../core/types.ts'

/** By name, a rule of the route included: a policy of a rule comes before one of the route. */
export function targetsByName(policy: Policy, route: string): boolean {
  const spec = object(policy.object.spec)
  const refs = [...array(spec.targetRefs), ...(isObject(spec.targetRef) ? [spec.targetRef] : [])].map(object)
  return refs.some(ref => ref.kind === 'HTTPRoute' && ref.name === route)
}

/** Policies of somebody else that target a route. One that selects across namespaces is taken to mean this namespace. */
export function foreignPolicies(route: Route, facts: Facts): Policy[] {
  const { namespace, name } = route.ref
  const here = facts
    .policies('SecurityPolicy', namespace)
    .filter(policy => targetsByName(policy, name) || selectsRoute(policy, route, false))
  const elsewhere = facts
    .policiesAcrossNamespaces()
    .filter(policy => policy.namespace !== namespace && selectsRoute(policy, route, true))
  return [...here, ...elsewhere].filter(policy => !policy.ours)
}

function selectsRoute(policy: Policy, route: Route, across: boolean): boolean {
  return array(object(policy.object.spec).targetSelectors)
    .map(object)
    .some(
      selector =>
        selector.kind === 'HTTPRoute' && (!across || selectsAcross(selector)) && selects(selector, route.labels),
    )
}
