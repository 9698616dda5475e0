// Brings one route in line: what admission would have made of it, had it been asked, and its companions.
import { object, string } from '../core/json.ts'
import { INJECTED } from '../core/keys.ts'
import { plan } from '../core/planner.ts'
import { notReady } from '../core/readiness.ts'
import type { KubeObject, Plan, Reason, RouteRef } from '../core/types.ts'
import type { ObjectRef, Written } from '../kube/write.ts'
import { settleCompanions } from './companions.ts'
import { type About, type Context, known, type Said } from './context.ts'
import type { Outcome } from './queue/queue.ts'
import { SETTLED } from './queue/queue.ts'
import { nextSteps } from './steps/steps.ts'

const REFUSED_AGAIN_MS = 60_000

const API_VERSIONS: Readonly<Record<RouteRef['kind'], string>> = {
  Ingress: 'networking.k8s.io/v1',
  HTTPRoute: 'gateway.networking.k8s.io/v1',
}

/** `frozen`: why it stays as it is, although it is labelled. */
export type Look = { readonly hasWork: boolean; readonly frozen?: readonly Reason[] }

/** Reasons that only an administrator of the Gateway can take away. */
const OF_GATEWAY: ReadonlySet<string> = new Set(['gateway-open', 'gateway-foreign-policy', 'anchor-nowhere'])

const NOTHING: Look = { hasWork: false }
const WORK: Look = { hasWork: true }

/** What there is to do about a route as it is now. Pure and quick: asked of every route that changes. */
export function lookAt(route: KubeObject, ref: RouteRef, context: Context): Look {
  const { facts, gateways } = context
  if (route.metadata.deletionTimestamp !== undefined) return NOTHING
  const planned = plan(route, facts(), gateways)
  if (planned.outcome === 'deny') return { hasWork: false, frozen: planned.reasons }
  if ('patch' in planned && planned.patch.length > 0) return WORK
  const steps = nextSteps({ of: 'route', route: ref }, known(context), undefined, { route })
  return steps.length > 0 ? WORK : NOTHING
}

/** What somebody has to know of a route that stays as it is, and of the Gateway that is the reason for it. */
export function sayFrozen(route: KubeObject, ref: RouteRef, reasons: readonly Reason[], context: Context): void {
  context.say({ said: 'Frozen', about: aboutRoute(route, ref), reasons })
  for (const each of reasons) {
    const [namespace, name] = (OF_GATEWAY.has(each.code) ? (each.params.gateway ?? '') : '').split('/')
    if (namespace === undefined || name === undefined) continue
    const about: About = { apiVersion: API_VERSIONS.HTTPRoute, kind: 'Gateway', namespace, name }
    context.say({ said: 'GatewayNotPrepared', about, reasons: [each] })
  }
}

function aboutRoute(route: KubeObject, { kind, namespace, name }: RouteRef): About {
  const uid = string(route.metadata.uid)
  return { apiVersion: API_VERSIONS[kind], kind, namespace, name, ...(uid === undefined ? {} : { uid }) }
}

export async function settleRoute(ref: RouteRef, context: Context): Promise<Outcome> {
  const { facts, gateways, writer } = context
  const { kind, namespace, name } = ref
  const at: ObjectRef = { apiVersion: API_VERSIONS[kind], kind, namespace, name }
  const read = await writer.get(at)
  if (read.outcome === 'gone') {
    return settleCompanions({ of: 'route', route: ref }, context, {})
  }
  if (read.outcome === 'absent') return SETTLED
  if (read.outcome === 'refused') {
    context.say({ said: 'Refused', about: at, message: read.message })
    return { outcome: 'failed', afterMs: REFUSED_AGAIN_MS }
  }
  if (read.outcome !== 'done') return { outcome: 'failed', ...later(read) }
  if (read.object.metadata.deletionTimestamp !== undefined) return SETTLED
  const planned = plan(read.object, facts(), gateways)
  // Facts that are missing are no reason to write: route and companions stay as they are.
  if (planned.outcome === 'deny') {
    sayFrozen(read.object, ref, planned.reasons, context)
    return SETTLED
  }
  const written = await writeRoute(at, read.object, planned, context)
  if (written.outcome !== 'settled') return written
  return settleCompanions({ of: 'route', route: ref }, context, { route: read.object })
}

async function writeRoute(
  at: ObjectRef,
  route: KubeObject,
  planned: Exclude<Plan, { outcome: 'deny' }>,
  context: Context,
): Promise<Outcome> {
  if (planned.outcome === 'skip' || planned.patch.length === 0) return SETTLED
  const about: About = { ...at, uid: string(route.metadata.uid) ?? '' }
  const { facts, now, loops, say, writer, wrote } = context
  if (planned.outcome === 'protect') {
    const waits = notReady(planned.scopes, planned.target.controller.gateway, facts(), now())
    if (waits !== undefined) {
      say({ said: 'WaitsForGuards', about, reasons: [waits.reason] })
      // Guards that are missing come with a change that is told of. Until then less and less often.
      return { outcome: waits.areThere ? 'later' : 'failed', afterMs: waits.seconds * 1000 }
    }
  }
  const id = `${at.kind}/${at.namespace}/${at.name}`
  if (!loops.mayWrite(id)) return { outcome: 'later', afterMs: loops.restsFor(id) }
  const version = string(route.metadata.resourceVersion) ?? ''
  const written = await writer.patch(at, version, planned.patch)
  wrote('patch', route, written)
  switch (written.outcome) {
    case 'done':
      say(done(planned, route, about))
      if (loops.wrote(id, planned.patch)) say({ said: 'LoopGuard', about })
      return SETTLED
    case 'refused':
      say({ said: 'Refused', about, message: written.message })
      return { outcome: 'failed', afterMs: REFUSED_AGAIN_MS }
    case 'later':
      return { outcome: 'failed', ...later(written) }
    default:
      return { outcome: 'failed' }
  }
}

function done(planned: Exclude<Plan, { outcome: 'deny' | 'skip' }>, route: KubeObject, about: Said['about']): Said {
  if (planned.outcome === 'release') return { said: 'Released', about }
  const before = object(route.metadata.annotations)[INJECTED] !== undefined
  return { said: before ? 'Repaired' : 'Protected', about, team: planned.target.team.name }
}

function later(written: Written): { afterMs?: number } {
  return written.outcome === 'later' && written.afterMs !== undefined ? { afterMs: written.afterMs } : {}
}
