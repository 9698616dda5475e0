// The SecurityPolicies of teams in a namespace as they are stored: whose each is, what it selects, and how that may change.
import { array, isObject, object, string } from '../../core/json.ts'
import { ACCESS, PROTECT } from '../../core/keys.ts'
import { NET_PREFIX, readPolicyName } from '../../core/names.ts'
import { selects } from '../../core/selector.ts'
import { saysTrue } from '../../core/team.ts'
import type { Facts, KubeObject, StoredRoute } from '../../core/types.ts'

export type PolicyOf = { readonly team: string; readonly level: string | undefined }

/** By its name; undefined: it is no team's policy. */
export function policyOf({ kind, metadata }: KubeObject): PolicyOf | undefined {
  return kind === 'SecurityPolicy' ? readPolicyName(string(metadata.name) ?? '') : undefined
}

export function isNet({ kind, metadata }: KubeObject): boolean {
  return kind === 'SecurityPolicy' && (string(metadata.name) ?? '').startsWith(NET_PREFIX)
}

/** Second by second, as the API server keeps it. */
export function createdAt({ metadata }: KubeObject): number {
  return Date.parse(string(metadata.creationTimestamp) ?? '') || 0
}

export function isGoing({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined
}

/** Values of the route label that a policy selects. */
export function valuesOf(policy: KubeObject): string[] {
  return protectExpressions(policy).flatMap(expression => array(expression.values).map(String))
}

/** The same policy for other values. */
export function withValues(policy: KubeObject, values: readonly string[]): KubeObject {
  const spec = object(policy.spec)
  const targetSelectors = array(spec.targetSelectors)
    .map(object)
    .map(selector => ({
      ...selector,
      matchExpressions: array(selector.matchExpressions)
        .map(object)
        .map(expression => (expression.key === PROTECT ? { ...expression, values } : expression)),
    }))
  return { ...policy, spec: { ...spec, targetSelectors } }
}

function protectExpressions(policy: KubeObject) {
  return array(object(policy.spec).targetSelectors)
    .flatMap(selector => array(object(selector).matchExpressions))
    .filter(isObject)
    .filter(expression => expression.key === PROTECT)
}

export function selectsRoute(policy: KubeObject, { labels }: StoredRoute): boolean {
  return array(object(policy.spec).targetSelectors).some(selector => selects(object(selector), labels))
}

/** HTTPRoutes of a namespace that ask to be protected. */
export function* labelledRoutes(namespace: string, facts: Facts): Iterable<StoredRoute> {
  for (const route of facts.routes.inNamespace(namespace)) {
    const value = route.labels[PROTECT]
    if (route.ref.kind === 'HTTPRoute' && value !== undefined && value !== 'false') yield route
  }
}

/** Whether a route that a team protects could be lost by its policy, were a value of the label taken out of it. */
export function relies({ team, level }: PolicyOf, value: string, route: StoredRoute): boolean {
  return route.recordedTeam === team && route.labels[PROTECT] === value && route.labels[ACCESS] === level
}

/**
 * Values that mean "the team of this namespace", and stay with a team that is not among the facts as long as a policy of it
 * is there or a route that it protects: that it is missing is no reason to lead its routes to the login of another.
 */
export function heldValues(namespace: string, policies: readonly KubeObject[], facts: Facts): ReadonlySet<string> {
  const held = policies
    .filter(policy => {
      const of = policyOf(policy)
      return of !== undefined && !isGoing(policy) && facts.team(of.team) === undefined
    })
    .flatMap(valuesOf)
  for (const { labels, recordedTeam } of labelledRoutes(namespace, facts)) {
    if (recordedTeam !== undefined && facts.team(recordedTeam) === undefined) held.push(labels[PROTECT] ?? '')
  }
  return new Set(held.filter(saysTrue))
}
