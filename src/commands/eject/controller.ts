// The controller, stopped: none of its pods runs, or none of them may write any more.
import { setTimeout as sleep } from 'node:timers/promises'
import { number, object, string } from '../../core/json.ts'
import type { KubeObject } from '../../core/types.ts'
import type { ObjectRef, Writer, Written } from '../../kube/write.ts'
import { until } from './attempts.ts'

const NAME = { namespace: 'portcullis', name: 'portcullis-controller' }
const DEPLOYMENT: ObjectRef = { apiVersion: 'apps/v1', kind: 'Deployment', ...NAME }
const LEASE: ObjectRef = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', ...NAME }
const LOOK_EVERY_MS = 500
/** It gives its lease back when it ends, for which its pods have 30 s. */
const FREE_WITHIN_MS = 90_000

/** Whether one may write; or why that can't be known. */
export async function controllerRuns(writer: Writer): Promise<boolean | { problem: string }> {
  const deployment = await writer.get(DEPLOYMENT)
  const lease = await writer.get(LEASE)
  const problem = unreadable(DEPLOYMENT, deployment) ?? unreadable(LEASE, lease)
  if (problem !== undefined) return { problem }
  if (deployment.outcome === 'done' && object(deployment.object.spec).replicas !== 0) return true
  return lease.outcome === 'done' && holderOf(lease.object) !== undefined && !hasRunOut(lease.object)
}

function unreadable({ kind, namespace, name }: ObjectRef, read: Written): string | undefined {
  const isRead = read.outcome !== 'refused' && read.outcome !== 'later'
  return isRead ? undefined : `cannot read ${kind} ${namespace}/${name}: ${read.message}`
}

/** Why one may still write; undefined: none does. */
export async function stopController(writer: Writer): Promise<string | undefined> {
  const problem = await until(async () => {
    const found = await writer.get(DEPLOYMENT)
    if (found.outcome === 'refused') return { problem: found.message }
    if (found.outcome === 'later') return { again: found.message, afterMs: found.afterMs }
    if (found.outcome !== 'done' || object(found.object.spec).replicas === 0) return {}
    const version = string(found.object.metadata.resourceVersion) ?? ''
    const scaled = await writer.patch(DEPLOYMENT, version, [{ op: 'add', path: '/spec/replicas', value: 0 }])
    if (scaled.outcome === 'refused') return { problem: scaled.message }
    return scaled.outcome === 'done' || scaled.outcome === 'gone' ? {} : { again: 'somebody else changes it' }
  })
  if (problem !== undefined) return `cannot stop Deployment ${NAME.namespace}/${NAME.name}: ${problem}`
  return untilLeaseIsFree(writer)
}

type Seen = { readonly renewed: string; readonly at: number }

async function untilLeaseIsFree(writer: Writer): Promise<string | undefined> {
  const began = performance.now()
  let seen: Seen | undefined
  for (;;) {
    const lease = await writer.get(LEASE)
    if (lease.outcome === 'refused') return unreadable(LEASE, lease)
    if (lease.outcome !== 'done' && lease.outcome !== 'later') return undefined
    const now = performance.now()
    if (lease.outcome === 'done') {
      seen = look(lease.object, seen, now)
      if (isFree(lease.object, seen, now)) return undefined
    }
    if (now - began > FREE_WITHIN_MS)
      return `Lease ${NAME.namespace}/${NAME.name} is still held; end the process that does, and run this again`
    await sleep(LOOK_EVERY_MS)
  }
}

function look({ spec }: KubeObject, before: Seen | undefined, at: number): Seen {
  const renewed = JSON.stringify(object(spec).renewTime ?? null)
  return before?.renewed === renewed ? before : { renewed, at }
}

/** Given back, or not renewed for as long as it lasts, by our own clock: nobody else's has to be right. */
function isFree(lease: KubeObject, { at }: Seen, now: number): boolean {
  return holderOf(lease) === undefined || now - at > (durationOf(lease) + 1) * 1000
}

function holderOf({ spec }: KubeObject): string | undefined {
  return string(object(spec).holderIdentity) || undefined
}

function durationOf({ spec }: KubeObject): number {
  return number(object(spec).leaseDurationSeconds) ?? 15
}

/** Long ago, so that clocks which differ by a little say the same. */
function hasRunOut(lease: KubeObject): boolean {
  const renewed = Date.parse(string(object(lease.spec).renewTime) ?? '')
  return Number.isNaN(renewed) || Date.now() - renewed > (durationOf(lease) + 60) * 1000
}
