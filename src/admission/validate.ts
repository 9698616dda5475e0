// The validating answer: nothing is left to do and the guards are there; or not yet; or no, and why.
import { object } from '../core/json.ts'
import { INJECTED, PROTECT } from '../core/keys.ts'
import { plan } from '../core/planner.ts'
import { notReady } from '../core/readiness.ts'
import { reason, severity } from '../core/reasons.ts'
import { readRecord } from '../core/record.ts'
import { demandOf, missingProtection } from '../core/require.ts'
import { readRoute, routeKind } from '../core/route.ts'
import { altered } from '../core/standing.ts'
import { saysOpen } from '../core/team.ts'
import type { Facts, GatewayKind, KubeObject, Plan, Reason } from '../core/types.ts'
import { judgeClusterObject } from './cluster-objects.ts'
import type { Request } from './review.ts'
import { touched } from './touched.ts'

const CLUSTER_KINDS: ReadonlySet<string> = new Set(['AuthTeam', 'AuthExemption', 'Namespace'])

export type Verdict = {
  readonly outcome: 'skip' | 'protect' | 'release' | 'deny' | 'later'
  readonly reasons: readonly Reason[]
  readonly team?: string
  /** With `later`: when to ask again. */
  readonly seconds?: number
}

export function validate(request: Request, facts: Facts, gateways: readonly GatewayKind[], now: number): Verdict {
  const { object: after, oldObject: before, operation, kind } = request
  if (CLUSTER_KINDS.has(kind)) return of(judgeClusterObject(operation, before, after, facts, gateways))
  if (after === undefined || (operation !== 'CREATE' && operation !== 'UPDATE'))
    return skip('not-a-route', request.kind)
  if (operation === 'UPDATE' && before !== undefined && !touched(before, after, facts, gateways))
    return skip('untouched')
  if (request.subResource !== '') return deny([reason('status-changes', {}, 'metadata')])
  if (routeKind(after) === undefined) return otherKind(after)
  const planned = plan(after, facts, gateways, request.namespace)
  // What is being deleted is not mutated, so what protects it is never taken out: to wait for that would be for ever.
  const isTerminating = before?.metadata.deletionTimestamp !== undefined
  if (planned.outcome === 'release' && isTerminating) return skip('terminating')
  if (planned.outcome === 'protect' && planned.patch.length > 0 && isTerminating)
    return deny([reason('terminating-labelled')])
  return planned.outcome === 'skip'
    ? required(planned.reason, after, request, facts, gateways)
    : judge(planned, after, facts, now)
}

/** A route without protection, in a namespace that may require one. */
function required(
  because: Reason,
  after: KubeObject,
  { namespace, user }: Request,
  facts: Facts,
  gateways: readonly GatewayKind[],
): Verdict {
  const route = readRoute(after, namespace)
  const demand = demandOf(facts.namespace(namespace))
  const missing =
    route === undefined || demand === undefined ? undefined : missingProtection(route, demand, user, facts, gateways)
  return missing === undefined ? { outcome: 'skip', reasons: [because] } : of([missing])
}

function of(reasons: readonly Reason[]): Verdict {
  return reasons.some(each => severity(each) === 'refused') ? deny(reasons) : { outcome: 'skip', reasons }
}

function judge(planned: Exclude<Plan, { outcome: 'skip' }>, after: KubeObject, facts: Facts, now: number): Verdict {
  switch (planned.outcome) {
    case 'deny':
      return planned.reasons.some(each => each.code === 'injection-other')
        ? later(planned.reasons[0])
        : deny(planned.reasons)
    case 'release':
      return planned.patch.length === 0 ? { outcome: 'release', reasons: [] } : later(reason('release-missing'))
    case 'protect': {
      const team = planned.target.team.name
      if (planned.patch.length > 0) return { ...unfinished(after), team }
      const missing = notReady(planned.scopes, planned.target.controller.gateway, facts, now)
      if (missing === undefined) return { outcome: 'protect', reasons: planned.warnings, team }
      return {
        ...(missing.reason.code === 'gateway-preparing'
          ? deny([missing.reason])
          : later(missing.reason, missing.seconds)),
        team,
      }
    }
  }
}

/**
 * Why something is left to do. No record: the mutating call was skipped. A record that stands: another replica or version
 * wrote it. A record that does not: somebody behind us changed what we had written, and would do so again.
 */
function unfinished(after: KubeObject): Verdict {
  const route = readRoute(after)
  const record = readRecord(route?.annotations[INJECTED])
  if (route === undefined || record === undefined) return later(reason('injection-missing'))
  const what = altered(route, record)
  return what === undefined ? later(reason('injection-other')) : deny([reason('injection-altered', { what })])
}

/** A label on another kind of route does nothing: the application would stay open while its label says otherwise. */
function otherKind(after: KubeObject): Verdict {
  const value = object(after.metadata.labels)[PROTECT]
  if (saysOpen(typeof value === 'string' ? value : undefined)) return skip('not-a-route', after.kind)
  return deny([reason('route-kind', { kind: after.kind }, `metadata.labels[${PROTECT}]`)])
}

function skip(code: 'not-a-route' | 'terminating' | 'untouched', kind = ''): Verdict {
  return { outcome: 'skip', reasons: [reason(code, { kind })] }
}

function deny(reasons: readonly Reason[]): Verdict {
  return { outcome: 'deny', reasons }
}

function later(of: Reason, seconds = 1): Verdict {
  return { outcome: 'later', reasons: [of], seconds }
}
