// The plan for one route: protect, release, skip or deny. Pure: the same object and facts give the same plan.
import { attach } from './attach.ts'
import { bareRoute, recordedFilter } from './bare.ts'
import { covers, underDomain } from './hosts.ts'
import { array, isObject, object } from './json.ts'
import { ACME_SOLVER, INJECTED, MANAGED_BY, MANAGER, PROTECT } from './keys.ts'
import { withHead } from './list.ts'
import { perObject } from './memo.ts'
import { annotationOperations, filterOperations } from './patch.ts'
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
  const value = route.labels[PROTECT]
  if (saysOpen(value)) {
    if (route.annotations[INJECTED] !== undefined)
      return { outcome: 'release', patch: release(route, record, facts, gateways) }
    return { outcome: 'skip', reason: reason(value === undefined ? 'not-labelled' : 'opted-out', { label: PROTECT }) }
  }
  return protect(route, record, facts, gateways)
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
  return [
    ...annotationOperations(route, wanted),
    ...filterOperations(route, undefined, filter, record?.filter?.empty ?? []),
  ]
}

function protect(route: Route, record: Record | undefined, facts: Facts, gateways: readonly GatewayKind[]): Plan {
  if (record !== undefined && record.format > facts.config.injectionFormat) return deny([reason('injection-other')])
  const bare = bareRoute(route, record, facts, gateways)
  const aimed = aim(bare, record?.team, facts, gateways)
  if (Array.isArray(aimed)) return deny(aimed)
  const { target, kind } = aimed
  const refused = [...refuseHosts(bare, target), ...refusePaths(bare, target), ...kind.refuse(bare, target, facts)]
  if (refused.length > 0) return deny(refused)
  const injection = kind.inject(bare, target)
  const patch = injectionPatch(route, bare, injection, record, target, facts.config.injectionFormat, gateways)
  if (!fits(route, patch)) return deny([reason('annotations-too-large', {}, 'metadata.annotations')])
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
  if (route.labels[MANAGED_BY] === MANAGER) return reason('companion-labelled')
  if (route.labels[ACME_SOLVER] === 'true') return reason('solver-labelled')
  return undefined
}

/** Whether a service is the only thing behind a route: then the route is that service's own. */
export function servesOnly(route: Route, service: { namespace: string; name: string }): boolean {
  return (
    route.services.length > 0 &&
    route.services.every(each => each.namespace === service.namespace && each.name === service.name)
  )
}

function refuseHosts(route: Route, { team, hosts }: Target): Reason[] {
  const problems: Reason[] = []
  const field = route.ref.kind === 'Ingress' ? 'spec.rules' : 'spec.hostnames'
  if (route.hasDefaultBackend) problems.push(reason('default-backend', {}, 'spec.defaultBackend'))
  for (const host of hosts) {
    if (host === '') problems.push(reason('host-missing', {}, field))
    else if (!team.hosts.some(pattern => covers(pattern, host))) {
      problems.push(reason('host-of-others', { host, team: team.name, hosts: team.hosts.join(', ') }, field))
    } else if (!team.proxy.cookieDomains.some(domain => underDomain(host, domain))) {
      problems.push(
        reason('host-no-cookie', { host, team: team.name, domains: team.proxy.cookieDomains.join(', ') }, field),
      )
    }
  }
  if (hosts.length === 0 && !route.hasDefaultBackend) problems.push(reason('host-missing', {}, field))
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
  target: Target,
  format: number,
  gateways: readonly GatewayKind[],
): Operation[] {
  const { annotations, listHead, firstFilter } = injection
  const wanted = nullMap()
  for (const key of recordedKeys(record)) wanted[key] = bare.annotations[key] ?? null
  // In one order, whatever order the annotations came in: the same route must get the same patch.
  for (const key of Object.keys(annotations).sort()) wanted[key] = annotations[key] ?? null
  if (listHead !== undefined) wanted[listHead.key] = withHead(bare.annotations[listHead.key] ?? null, listHead.element)
  wanted[INJECTED] = recordOf(injection, bare, target, format)
  const old = recordedFilter(record, gatewayOf(record, gateways))
  return [
    ...annotationOperations(route, wanted),
    ...filterOperations(route, firstFilter, old, record?.filter?.empty ?? []),
  ]
}

/** The text is the same for every route of a team on which nothing stood before, and made once for all of them. */
const plainRecords = perObject((_: Injection) => new Map<string, string>())

function recordOf(injection: Injection, bare: Route, target: Target, format: number): string {
  const { annotations, listHead, firstFilter } = injection
  const isPlain =
    listHead === undefined &&
    firstFilter === undefined &&
    Object.keys(annotations).every(key => bare.annotations[key] === undefined)
  const key = `${format} ${target.controller.gateway} ${target.team.name}`
  const known = isPlain ? plainRecords(injection).get(key) : undefined
  if (known !== undefined) return known
  const was: { [key: string]: string } = Object.create(null)
  const set = nullMap()
  // In one order, whatever order the annotations came in: the same injection must make the same record.
  for (const key of Object.keys(annotations).sort()) {
    set[key] = annotations[key] ?? null
    const before = bare.annotations[key]
    if (before !== undefined) was[key] = before
  }
  const text = writeRecord({
    format,
    gateway: target.controller.gateway,
    team: target.team.name,
    set,
    was,
    ...(listHead === undefined ? {} : { list: { ...listHead, was: bare.annotations[listHead.key] ?? null } }),
    ...(firstFilter === undefined
      ? {}
      : { filter: { ...firstFilter.extensionRef, empty: rulesWithEmptyFilters(bare) } }),
  })
  if (isPlain) plainRecords(injection).set(key, text)
  return text
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

/** Whether the annotations stay within what Kubernetes stores, once the patch is applied. */
function fits(route: Route, patch: readonly Operation[]): boolean {
  // No character takes more than three bytes for each unit of its length, which is enough to know for nearly all routes.
  return characters(route, patch) * 3 <= ANNOTATIONS_LIMIT || annotationBytes(route, patch) <= ANNOTATIONS_LIMIT
}

function characters(route: Route, patch: readonly Operation[]): number {
  let total = 0
  for (const key of Object.keys(route.annotations)) total += key.length + (route.annotations[key]?.length ?? 0)
  for (const operation of patch) {
    if (operation.op === 'remove') continue
    const { path, value } = operation
    total += path.length
    if (typeof value === 'string') total += value.length
    else for (const [key, text] of Object.entries(object(value))) total += key.length + String(text).length
  }
  return total
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
