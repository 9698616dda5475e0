// The plan for one route: protect, release, skip or deny. Pure: the same object and facts give the same plan.
import { attach } from './attach.ts'
import { bareRoute } from './bare.ts'
import { covers, underDomain } from './hosts.ts'
import { injectionPatch, releasePatch } from './inject.ts'
import { INJECTED, PROTECT } from './keys.ts'
import { type Label, labelOf } from './label.ts'
import { isCompanion, isSolver, servesOnly } from './left-alone.ts'
import { reason } from './reasons.ts'
import { type Record, readRecord } from './record.ts'
import { readRoute } from './route.ts'
import { fits } from './size.ts'
import { chooseTeam, saysOpen } from './team.ts'
import type { Facts, GatewayKind, KubeObject, Plan, Reason, Route, Target } from './types.ts'

/** `namespace`: of the request, for objects that do not say it themselves. */
export function plan(document: KubeObject, facts: Facts, gateways: readonly GatewayKind[], namespace?: string): Plan {
  const route = readRoute(document, namespace)
  if (route === undefined) return { outcome: 'skip', reason: reason('not-a-route', { kind: document.kind }) }
  const record = readRecord(route.annotations[INJECTED])
  const label = labelOf(route, record, facts, gateways)
  if (saysOpen(label.value)) {
    if (route.annotations[INJECTED] !== undefined)
      return { outcome: 'release', patch: releasePatch(route, record, facts, gateways) }
    return {
      outcome: 'skip',
      reason: reason(label.value === undefined ? 'not-labelled' : 'opted-out', { label: PROTECT }),
    }
  }
  return protect(route, label, record, facts, gateways)
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
  if (isCompanion(route)) return reason('companion-labelled')
  if (isSolver(route)) return reason('solver-labelled')
  return undefined
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
