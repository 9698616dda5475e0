// The bare route: what its owner wrote. Planning starts from it, taking back ends at it.
import type { Controller } from '../api/config.ts'
import { array, isObject, object } from './json.ts'
import { INJECTED } from './keys.ts'
import { withHead, withoutElement } from './list.ts'
import type { Record } from './record.ts'
import type { Facts, GatewayKind, HTTPRouteFilter, Route } from './types.ts'

type Annotations = { [annotation: string]: string }

/**
 * The route with everything in the record taken back. A recorded value that is still ours gives way to what stood
 * before; a value that the owner wrote since stays. Only keys that the recorded gateway owns are touched, and only values
 * that it accepts are put back, so that a forged record can do no more than its author could.
 */
export function bareRoute(
  route: Route,
  record: Record | undefined,
  facts: Facts,
  gateways: readonly GatewayKind[],
): Route {
  if (route.annotations[INJECTED] === undefined) return route
  const annotations: Annotations = Object.assign(Object.create(null), route.annotations)
  delete annotations[INJECTED]
  const kind = gateways.find(each => each.id === record?.gateway)
  if (record === undefined || kind === undefined) return { ...route, annotations }
  const controllers = facts.config.controllers.filter(each => each.gateway === kind.id)
  takeBackValues(annotations, record, kind, controllers)
  takeBackElement(annotations, record, kind)
  return { ...route, annotations, object: withoutFilter(route, record, kind) }
}

function takeBackValues(
  annotations: Annotations,
  record: Record,
  kind: GatewayKind,
  controllers: readonly Controller[],
): void {
  for (const key of Object.keys(record.set)) {
    const controller = controllers.find(each => kind.owns(key, each))
    if (controller === undefined || (annotations[key] ?? null) !== record.set[key]) continue
    const was = record.was[key] ?? null
    if (was !== null && kind.restores(key, was, controller)) annotations[key] = was
    else delete annotations[key]
  }
}

function takeBackElement(annotations: Annotations, record: Record, kind: GatewayKind): void {
  if (record.list === undefined || !kind.ownsElement?.(record.list.key, record.list.element)) return
  const { key, element, was } = record.list
  const current = annotations[key]
  if (current === undefined) return
  const rest = current === withHead(was, element) ? was : withoutElement(current, element)
  if (rest === null || (rest === '' && was === null)) delete annotations[key]
  else annotations[key] = rest
}

function withoutFilter(route: Route, record: Record, kind: GatewayKind): Route['object'] {
  const filter = recordedFilter(record, kind)
  if (filter === undefined || record.filter === undefined) return route.object
  const spec = object(route.object.spec)
  const { empty } = record.filter
  const rules = array(spec.rules).map((rule, index) => {
    if (!isObject(rule) || !array(rule.filters).some(each => sameFilter(each, filter))) return rule
    const filters = array(rule.filters).filter(each => !sameFilter(each, filter))
    if (filters.length > 0 || empty.includes(index)) return { ...rule, filters }
    const { filters: _, ...rest } = rule
    return rest
  })
  return { ...route.object, spec: { ...spec, rules } }
}

/** The filter that a record names, if the gateway could have injected it. */
export function recordedFilter(record: Record | undefined, kind: GatewayKind | undefined): HTTPRouteFilter | undefined {
  if (record?.filter === undefined) return undefined
  const { group, kind: of, name } = record.filter
  const filter: HTTPRouteFilter = { type: 'ExtensionRef', extensionRef: { group, kind: of, name } }
  return kind?.ownsFilter?.(filter) ? filter : undefined
}

export function sameFilter(a: unknown, b: HTTPRouteFilter): boolean {
  if (!isObject(a) || a.type !== 'ExtensionRef') return false
  const ref = object(a.extensionRef)
  return ref.group === b.extensionRef.group && ref.kind === b.extensionRef.kind && ref.name === b.extensionRef.name
}
