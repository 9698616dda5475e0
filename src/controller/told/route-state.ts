// How a route stands: protected by whom, or what it waits for, or why not.
import { INJECTED, PROTECT } from '../../core/keys.ts'
import { plan } from '../../core/planner.ts'
import { notReady } from '../../core/readiness.ts'
import { reason } from '../../core/reasons.ts'
import { readRecord } from '../../core/record.ts'
import { demandOf, missingProtection } from '../../core/require.ts'
import { readRoute } from '../../core/route.ts'
import { altered } from '../../core/standing.ts'
import type { Facts, GatewayKind, KubeObject, Plan, Reason, Route, RouteRef } from '../../core/types.ts'

/**
 * `protected`: nothing is left to do and its guards are in force. `waits`: what is left to do is Portcullis'. `open`: no
 * label, or one that says so. `refused`: the label is there, and cannot take effect. `frozen`: it was protected, could not
 * be now, and stays as it is.
 */
export type State = 'protected' | 'waits' | 'open' | 'refused' | 'frozen'

export type RouteState = {
  readonly ref: RouteRef
  readonly hosts: readonly string[]
  readonly state: State
  /** Whether nobody has to do anything about it. */
  readonly ok: boolean
  readonly team?: string
  readonly access?: string
  /** The gateway that asks for the login. */
  readonly gateway?: string
  readonly reasons: readonly Reason[]
}

type Found = Pick<RouteState, 'state' | 'ok' | 'team' | 'access' | 'gateway' | 'reasons'>

/** undefined: there is nothing to say of it. `now` in ms since the epoch. */
export function routeState(
  document: KubeObject,
  facts: Facts,
  gateways: readonly GatewayKind[],
  now: number,
): RouteState | undefined {
  const route = readRoute(document)
  if (route === undefined || document.metadata.deletionTimestamp !== undefined) return undefined
  const planned = plan(document, facts, gateways)
  const found =
    planned.outcome === 'skip' ? open(route, planned.reason, facts, gateways) : judge(planned, route, facts, now)
  return found === undefined ? undefined : { ref: route.ref, hosts: route.hosts, ...found }
}

/** A route without protection, where its namespace asks for one, or where it says itself that it has none. */
function open(route: Route, because: Reason, facts: Facts, gateways: readonly GatewayKind[]): Found | undefined {
  const demand = demandOf(facts.namespace(route.ref.namespace))
  const missing = demand === undefined ? undefined : missingProtection(route, demand, undefined, facts, gateways)
  if (missing !== undefined) return { state: 'open', ok: demand !== 'enforce', reasons: [missing] }
  return route.labels[PROTECT] === undefined ? undefined : { state: 'open', ok: true, reasons: [because] }
}

function judge(planned: Exclude<Plan, { outcome: 'skip' }>, route: Route, facts: Facts, now: number): Found {
  const record = readRecord(route.annotations[INJECTED])
  const what = record === undefined ? undefined : altered(route, record)
  switch (planned.outcome) {
    case 'release':
      return { state: 'waits', ok: false, reasons: [reason('release-missing')] }
    case 'deny': {
      const stands = record !== undefined && what === undefined
      const broken = what === undefined ? [] : [reason('injection-altered', { what })]
      return { state: stands ? 'frozen' : 'refused', ok: false, reasons: [...broken, ...planned.reasons] }
    }
    case 'protect': {
      const { team, access, controller } = planned.target
      const by = {
        team: team.name,
        ...(access === undefined ? {} : { access: access.name }),
        gateway: controller.gateway,
      }
      const waits =
        planned.patch.length > 0
          ? unfinished(record !== undefined, what)
          : notReady(planned.scopes, controller.gateway, facts, now)?.reason
      if (waits !== undefined) return { ...by, state: 'waits', ok: false, reasons: [waits] }
      return { ...by, state: 'protected', ok: true, reasons: planned.warnings }
    }
  }
}

function unfinished(hasRecord: boolean, what: string | undefined): Reason {
  if (!hasRecord) return reason('injection-missing')
  return what === undefined ? reason('injection-other') : reason('injection-altered', { what })
}
