// What a route relies on of ours, as names: what is so named stays, whatever else is said of it.
import { array, object, string } from '../../core/json.ts'
import { ACCESS, INJECTED, PROTECT } from '../../core/keys.ts'
import { policyName } from '../../core/names.ts'
import { readRecord } from '../../core/record.ts'
import { isGateway, readRoute } from '../../core/route.ts'
import { saysOpen } from '../../core/team.ts'
import type { KubeObject, ObjectName, Route } from '../../core/types.ts'

export function middlewareReference({ namespace, name }: ObjectName): string {
  return `Middleware/${namespace}/${name}`
}

/** Of a policy of a team, by its own name. */
export function policyReference({ namespace, name }: ObjectName): string {
  return `SecurityPolicy/${namespace}/${name}`
}

/** That a namespace has routes which ask to be protected. */
export function labelReference(namespace: string): string {
  return `labelled/${namespace}`
}

/** That routes which ask to be protected name this Gateway. */
export function gatewayReference({ namespace, name }: ObjectName): string {
  return `Gateway/${namespace}/${name}`
}

/** `document`: the route as the API server has it. */
export function referencesOf(document: KubeObject): string[] {
  const route = readRoute(document)
  if (route === undefined) return []
  return [...middlewares(route), ...(route.ref.kind === 'HTTPRoute' ? guards(route) : [])]
}

function guards(route: Route): string[] {
  if (saysOpen(route.labels[PROTECT])) return []
  const { namespace } = route.ref
  const team = readRecord(route.annotations[INJECTED])?.team
  const policy =
    team === undefined ? [] : [policyReference({ namespace, name: policyName(team, route.labels[ACCESS]) })]
  return [labelReference(namespace), ...policy, ...route.parents.filter(isGateway).map(gatewayReference)]
}

/** Of a labelled route or not: a reference that does not resolve takes the route down. */
function middlewares(route: Route): string[] {
  return route.ref.kind === 'Ingress' ? inAnnotations(route) : inFilters(route)
}

/** Namespace and name are joined by one character, which neither has where a Middleware is ours. */
const ELEMENT = /\b([a-z0-9]+)[-_](m[0-9a-f]{16})@kubernetescrd\b/g

function inAnnotations({ annotations }: Route): string[] {
  return Object.values(annotations).flatMap(value =>
    value.includes('@kubernetescrd')
      ? [...value.matchAll(ELEMENT)].map(([, namespace = '', name = '']) => middlewareReference({ namespace, name }))
      : [],
  )
}

function inFilters({ object: document, ref: { namespace } }: Route): string[] {
  const rules = array(object(document.spec).rules).map(object)
  return [...rules, ...rules.flatMap(rule => array(rule.backendRefs).map(object))]
    .flatMap(each => array(each.filters))
    .map(filter => object(object(filter).extensionRef))
    .filter(({ kind }) => kind === 'Middleware')
    .map(({ name }) => middlewareReference({ namespace, name: string(name) ?? '' }))
}
