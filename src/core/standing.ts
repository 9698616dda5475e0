// Whether what a record says was injected still stands in the route.
import { sameFilter } from './bare.ts'
import { array, isObject, object } from './json.ts'
import type { Record } from './record.ts'
import type { HTTPRouteFilter, Route } from './types.ts'

/** The annotation or the field that is no longer as the record says; undefined if all of it stands. */
export function altered(route: Route, record: Record): string | undefined {
  for (const key of Object.keys(record.set)) {
    if ((route.annotations[key] ?? null) !== record.set[key]) return key
  }
  const { list, filter } = record
  if (list !== undefined && route.annotations[list.key]?.split(',')[0]?.trim() !== list.element) return list.key
  if (filter === undefined) return undefined
  const wanted: HTTPRouteFilter = {
    type: 'ExtensionRef',
    extensionRef: { group: filter.group, kind: filter.kind, name: filter.name },
  }
  const index = array(object(route.object.spec).rules).findIndex(
    rule => !isObject(rule) || !sameFilter(array(rule.filters)[0], wanted),
  )
  return index === -1 ? undefined : `spec.rules[${index}].filters`
}
