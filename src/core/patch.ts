// The JSON Patch from a route as it stands to the route as it must be. Only owned paths appear in it.
import { sameFilter } from './bare.ts'
import { array, isObject, object } from './json.ts'
import type { HTTPRouteFilter, Operation, Route } from './types.ts'

type Change = { readonly [annotation: string]: string | null }

/** What has to be true of the annotations: key to value, null for absent. Keys that are right already make no operation. */
export function annotationOperations(route: Route, wanted: Change): Operation[] {
  const operations: Operation[] = []
  let removed = 0
  for (const key of Object.keys(wanted)) {
    const value = wanted[key] ?? null
    const current = route.annotations[key]
    if (value === null) {
      if (current === undefined) continue
      removed++
      operations.push({ op: 'remove', path: annotationPath(key) })
    } else if (current === undefined) operations.push({ op: 'add', path: annotationPath(key), value })
    else if (current !== value) operations.push({ op: 'replace', path: annotationPath(key), value })
  }
  if (operations.length === 0) return operations
  const stored = route.object.metadata.annotations
  if (!isObject(stored)) return [{ op: 'add', path: '/metadata/annotations', value: added(operations, wanted) }]
  // An empty map that only we had filled goes with the last of our keys.
  if (removed === operations.length && removed === Object.keys(stored).length)
    return [{ op: 'remove', path: '/metadata/annotations' }]
  return operations
}

/** One label set, or with null removed. An empty map that only we had filled goes with it. */
export function labelOperations(route: Route, label: string, value: string | null): Operation[] {
  const current = route.labels[label]
  const path = `/metadata/labels/${escaped(label)}`
  if (value === null) {
    if (current === undefined) return []
    return [
      {
        op: 'remove',
        path: Object.keys(object(route.object.metadata.labels)).length === 1 ? '/metadata/labels' : path,
      },
    ]
  }
  if (current === value) return []
  if (!isObject(route.object.metadata.labels))
    return [{ op: 'add', path: '/metadata/labels', value: { [label]: value } }]
  return [{ op: current === undefined ? 'add' : 'replace', path, value }]
}

function added(operations: readonly Operation[], wanted: Change): Record<string, string> {
  const paths = new Set(operations.map(each => each.path))
  return Object.fromEntries(
    Object.entries(wanted).filter(
      (entry): entry is [string, string] => entry[1] !== null && paths.has(annotationPath(entry[0])),
    ),
  )
}

function annotationPath(key: string): string {
  return `/metadata/annotations/${escaped(key)}`
}

function escaped(key: string): string {
  return key.includes('~') ? key.replaceAll('~', '~0').replaceAll('/', '~1') : key.replaceAll('/', '~1')
}

/** Puts `wanted` first in every rule and takes `old` and further copies out; `empty`: rules that keep an empty list. */
export function filterOperations(
  route: Route,
  wanted: HTTPRouteFilter | undefined,
  old: HTTPRouteFilter | undefined,
  empty: readonly number[],
): Operation[] {
  if (wanted === undefined && old === undefined) return []
  const ours = (filter: unknown) => [wanted, old].some(each => each !== undefined && sameFilter(filter, each))
  return array(object(route.object.spec).rules).flatMap((rule, index): Operation[] => {
    if (!isObject(rule)) return []
    const path = `/spec/rules/${index}/filters`
    if (!Array.isArray(rule.filters)) return wanted === undefined ? [] : [{ op: 'add', path, value: [wanted] }]
    const inPlace = wanted !== undefined && sameFilter(rule.filters[0], wanted)
    const surplus = rule.filters.flatMap((filter, at) => (ours(filter) && !(inPlace && at === 0) ? [at] : []))
    if (
      wanted === undefined &&
      surplus.length === rule.filters.length &&
      surplus.length > 0 &&
      !empty.includes(index)
    ) {
      return [{ op: 'remove', path }]
    }
    const removals: Operation[] = surplus.reverse().map(at => ({ op: 'remove', path: `${path}/${at}` }))
    return wanted === undefined || inPlace ? removals : [...removals, { op: 'add', path: `${path}/0`, value: wanted }]
  })
}
