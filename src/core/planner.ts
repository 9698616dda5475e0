// The plan for one route: protect, release, skip or deny. Pure: the same object and facts give the same plan.
import { attach } from './attach.ts'
import { bareRoute, recordedFilter } from './bare.ts'
import { covers, underDomain } from './hosts.ts'
import { array, isObject, object } from './json.ts'
import { INJECTED, PROTECT } from './keys.ts'
import { type Label, labelOf } from './label.ts'
import { isCompanion, isSolver, servesOnly } from './left-alone.ts'
import { withHead } from './list.ts'
import { annotationOperations, filterOperations, labelOperations } from './patch.ts'
import { reason } from './reasons.ts'
import { type Record, readRecord, writeRecord } from './record.ts'
import { readRoute } from './route.ts'
import { chooseTeam, saysOpen } from './team.ts'
import type { Facts, GatewayKind, Injection, KubeObject, Operation, Plan, Reason, Route, Target } from './types.ts'

/** Kubernetes' limit for all annotations of an object, keys and values, in bytes. */
const ANNOTATIONS_LIMIT = 256 * 1024

/** `namespace`: of the request, for objects that do not say it themselves. */
export function plan(document: KubeObject, facts: Facts, gateways: readonly GatewayKind[], namespace?: string): Plan {
  const route = readRoute(document, namespace)
  if (route === undefined) return { outcome: 'skip', reason: reason('not-a-route', { kind: document.kind }) }
  const record = readRecord(route.annotations[INJECTED])
  const label = labelOf(route, record, facts, gateways)
  if (saysOpen(label.value)) {
    if (route.annotations[INJECTED] !== undefined)
      return { outcome: 'release', patch: release(route, record, facts, gateways) }
    return {
      outcome: 'skip',
      reason: reason(label.value === undefined ? 'not-labelled' : 'opted-out', { label: PROTECT }),
    }
  }
  return protect(route, label, record, facts, gateways)
}

function release(
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

function protect(
  route: Route,
  label: Label,
  record: Record | undefined,
  facts: Facts,
  gateways: readonly GatewayKind[],
): Plan {
  if (record !== undefined && record.format > facts.config.injectionFormat) return deny([reason('injection-other')])
  const bare = bareRoute(route, record, facts, gateways)
  const aimed = aim(bare, record?.team, facts, gateways)
  if (Array.isArray(aimed)) return deny(aimed)
  const { target, kind } = aimed
  const refused = [...refuseHosts(bare, target), ...refusePaths(bare, target), ...kind.refuse(bare, target, facts)]
  if (refused.length > 0) return deny(refused)
  const injection = kind.inject(bare, target)
  const patch = injectionPatch(
    route,
    bare,
    injection,
    record,
    { target, label, format: facts.config.injectionFormat },
    gateways,
  )
  if (patch.length > 0 && annotationBytes(route, patch) > ANNOTATIONS_LIMIT)
    return deny([reason('annotations-too-large', {}, 'metadata.annotations')])
  return {
    outcome: 'protect',
    patch,
    target,
    scopes: kind.scopes(bare, target, facts),
    warnings: kind.warn(bare, target, facts),
  }
}

function deny(reasons: readonly Reason[]): Plan {
  return { outcome: 'deny', reasons: reasons as [Reason, ...Reason[]] }
}

/** Team and gateway of a labelled route, or everything that stands against them. */
export function aim(
  bare: Route,
  recordedTeam: string | undefined,
  facts: Facts,
  gateways: readonly GatewayKind[],
): { target: Target; kind: GatewayKind } | Reason[] {
  const own = notAnApplication(bare)
  if (own !== undefined) return [own]
  const choice = chooseTeam(bare, recordedTeam, facts)
  const attached = attach(bare, facts)
  if (Array.isArray(choice) || Array.isArray(attached)) {
    return [...(Array.isArray(choice) ? choice : []), ...(Array.isArray(attached) ? attached : [])]
  }
  const { controller, hosts, attachments } = attached
  const kind = gateways.find(each => each.id === controller.gateway)
  if (kind === undefined || !kind.routeKinds.includes(bare.ref.kind)) {
    return [reason('kind-unsupported', { gateway: controller.gateway, kind: bare.ref.kind })]
  }
  const { clusterDomain, namespace: ownNamespace } = facts.config
  if (servesOnly(bare, choice.team.proxy.service)) return [reason('own-proxy', { team: choice.team.name })]
  return { kind, target: { ...choice, controller, clusterDomain, ownNamespace, hosts, attachments } }
}

function notAnApplication(route: Route): Reason | undefined {
  if (isCompanion(route)) return reason('companion-labelled')
  if (isSolver(route)) return reason('solver-labelled')
  return undefined
}

function refuseHosts(route: Route, { team, hosts }: Target): Reason[] {
  const problems: Reason[] = []
  if (route.hasDefaultBackend) problems.push(reason('default-backend', {}, 'spec.defaultBackend'))
  for (const host of hosts) {
    if (host === '')
      problems.push(reason('host-missing', {}, route.ref.kind === 'Ingress' ? 'spec.rules' : 'spec.hostnames'))
    else if (!team.hosts.some(pattern => covers(pattern, host))) {
      problems.push(reason('host-of-others', { host, team: team.name, hosts: team.hosts.join(', ') }))
    } else if (!team.proxy.cookieDomains.some(domain => underDomain(host, domain))) {
      problems.push(reason('host-no-cookie', { host, team: team.name, domains: team.proxy.cookieDomains.join(', ') }))
    }
  }
  if (hosts.length === 0 && !route.hasDefaultBackend) problems.push(reason('host-missing', {}, 'spec.rules'))
  return problems
}

function refusePaths(route: Route, { team }: Target): Reason[] {
  const { pathPrefix } = team.proxy
  return route.paths
    .filter(path => path === pathPrefix || path.startsWith(`${pathPrefix}/`))
    .map(path => reason('path-of-login', { path, team: team.name }))
}

function injectionPatch(
  route: Route,
  bare: Route,
  injection: Injection,
  record: Record | undefined,
  { target, label, format }: { target: Target; label: Label; format: number },
  gateways: readonly GatewayKind[],
): Operation[] {
  const { annotations, listHead, firstFilter } = injection
  const wanted = nullMap()
  for (const key of recordedKeys(record)) wanted[key] = bare.annotations[key] ?? null
  const was: { [key: string]: string } = Object.create(null)
  const set = nullMap()
  // In one order, whatever order the annotations came in: the same injection must make the same record.
  for (const key of Object.keys(annotations).sort()) {
    wanted[key] = set[key] = annotations[key] ?? null
    const before = bare.annotations[key]
    if (before !== undefined) was[key] = before
  }
  if (listHead !== undefined) wanted[listHead.key] = withHead(bare.annotations[listHead.key] ?? null, listHead.element)
  wanted[INJECTED] = writeRecord({
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
  const old = recordedFilter(record, gatewayOf(record, gateways))
  return [
    ...(label.defaulted ? labelOperations(route, PROTECT, 'true') : []),
    ...annotationOperations(route, wanted),
    ...filterOperations(route, firstFilter, old, record?.filter?.empty ?? []),
  ]
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

function annotationBytes(route: Route, patch: readonly Operation[]): number {
  const sizes = new Map(Object.entries(route.annotations).map(([key, value]) => [key, bytes(key) + bytes(value)]))
  for (const operation of patch) {
    if (operation.path === '/metadata/annotations') {
      for (const [key, value] of Object.entries(object(operation.op === 'remove' ? undefined : operation.value)))
        sizes.set(key, bytes(key) + bytes(String(value)))
      continue
    }
    const key = operation.path.split('/')[3]?.replaceAll('~1', '/').replaceAll('~0', '~')
    if (key === undefined || !operation.path.startsWith('/metadata/annotations/')) continue
    sizes.set(key, operation.op === 'remove' ? 0 : bytes(key) + bytes(String(operation.value)))
  }
  let total = 0
  for (const size of sizes.values()) total += size
  return total
}

function bytes(text: string): number {
  return Buffer.byteLength(text)
}
