// The patch that writes an injection and its record into a route, and the one that takes both out again.
import { bareRoute, recordedFilter } from './bare.ts'
import { array, isObject, object } from './json.ts'
import { INJECTED, PROTECT } from './keys.ts'
import type { Label } from './label.ts'
import { withHead } from './list.ts'
import { perObject } from './memo.ts'
import { annotationOperations, filterOperations, labelOperations } from './patch.ts'
import { type Record, writeRecord } from './record.ts'
import type { Facts, GatewayKind, Injection, Operation, Route, Target } from './types.ts'

/** What the record says of an injection beside its values. */
export type Written = { readonly target: Target; readonly label: Label; readonly format: number }

/** Everything in the record taken back, and the record itself. */
export function releasePatch(
  route: Route,
  record: Record | undefined,
  facts: Facts,
  gateways: readonly GatewayKind[],
): Operation[] {
  const bare = bareRoute(route, record, facts, gateways)
  const wanted = nullMap()
  wanted[INJECTED] = null
  for (const key of recordedKeys(record)) wanted[key] = bare.annotations[key] ?? null
  const filter = recordedFilter(record, gatewayOf(record, gateways))
  // A label that is ours goes with the namespace's; one that says "false" by now is its owner's.
  const labels = record?.label === true && route.labels[PROTECT] === 'true' ? labelOperations(route, PROTECT, null) : []
  return [
    ...labels,
    ...annotationOperations(route, wanted),
    ...filterOperations(route, undefined, filter, record?.filter?.empty ?? []),
  ]
}

/**
 * `bare`: the route as its owner wrote it, to which the injection is added as if for the first time. A patch that many
 * routes share is frozen.
 */
export function injectionPatch(
  route: Route,
  bare: Route,
  injection: Injection,
  record: Record | undefined,
  written: Written,
  gateways: readonly GatewayKind[],
): readonly Operation[] {
  if (isPlain(route, injection, written)) return plainPatch(route, injection, written)
  const old = recordedFilter(record, gatewayOf(record, gateways))
  return [
    ...(written.label.defaulted ? labelOperations(route, PROTECT, 'true') : []),
    ...annotationOperations(route, wantedAnnotations(bare, injection, record, written)),
    ...filterOperations(route, injection.firstFilter, old, record?.filter?.empty ?? []),
  ]
}

/** Whether nothing of what is injected was there before, and nothing but annotations is. */
function isPlain({ annotations }: Route, injection: Injection, { label }: Written): boolean {
  if (label.defaulted || injection.listHead !== undefined || injection.firstFilter !== undefined) return false
  return (
    annotations[INJECTED] === undefined &&
    Object.keys(injection.annotations).every(key => annotations[key] === undefined)
  )
}

/** Patches of plain routes by injection: gateways make one for all routes of a team, so that is done once, too. */
const plainPatches = perObject((_: Injection) => new Map<string, readonly Operation[]>())

function plainPatch(route: Route, injection: Injection, written: Written): readonly Operation[] {
  const { team, controller } = written.target
  const key = `${written.format} ${controller.gateway} ${team.name} ${isObject(route.object.metadata.annotations)}`
  const known = plainPatches(injection).get(key)
  if (known !== undefined) return known
  const patch = Object.freeze(annotationOperations(route, wantedAnnotations(route, injection, undefined, written)))
  plainPatches(injection).set(key, patch)
  return patch
}

function wantedAnnotations(
  bare: Route,
  injection: Injection,
  record: Record | undefined,
  written: Written,
): { [key: string]: string | null } {
  const { annotations, listHead } = injection
  const wanted = nullMap()
  for (const key of recordedKeys(record)) wanted[key] = bare.annotations[key] ?? null
  // In one order, whatever order the annotations came in: the same route must get the same patch.
  for (const key of Object.keys(annotations).sort()) wanted[key] = annotations[key] ?? null
  if (listHead !== undefined) wanted[listHead.key] = withHead(bare.annotations[listHead.key] ?? null, listHead.element)
  wanted[INJECTED] = recordOf(injection, bare, written)
  return wanted
}

function recordOf(injection: Injection, bare: Route, { target, label, format }: Written): string {
  const { annotations, listHead, firstFilter } = injection
  const was: { [key: string]: string } = Object.create(null)
  const set = nullMap()
  for (const key of Object.keys(annotations).sort()) {
    set[key] = annotations[key] ?? null
    const before = bare.annotations[key]
    if (before !== undefined) was[key] = before
  }
  return writeRecord({
    format,
    gateway: target.controller.gateway,
    team: target.team.name,
    ...(label.defaulted ? { label: true as const } : {}),
    set,
    was,
    ...(listHead === undefined ? {} : { list: { ...listHead, was: bare.annotations[listHead.key] ?? null } }),
    ...(firstFilter === undefined
      ? {}
      : { filter: { ...firstFilter.extensionRef, empty: rulesWithEmptyFilters(bare) } }),
  })
}

function rulesWithEmptyFilters(bare: Route): number[] {
  return array(object(bare.object.spec).rules).flatMap((rule, index) =>
    isObject(rule) && Array.isArray(rule.filters) && rule.filters.length === 0 ? [index] : [],
  )
}

function recordedKeys(record: Record | undefined): string[] {
  if (record === undefined) return []
  return record.list === undefined ? Object.keys(record.set) : [...Object.keys(record.set), record.list.key]
}

function gatewayOf(record: Record | undefined, gateways: readonly GatewayKind[]): GatewayKind | undefined {
  return gateways.find(each => each.id === record?.gateway)
}

function nullMap(): { [key: string]: string | null } {
  return Object.create(null)
}
