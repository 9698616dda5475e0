// What stands in a Lease, and how long somebody who reads it has to wait before it may be taken.
import { type JsonObject, number, object, string } from '../core/json.ts'
import type { KubeObject } from '../core/types.ts'
import type { Clock } from './clock.ts'

export type LeaseTimes = {
  /** Who has not been seen to renew for so long leads no more. */
  readonly durationMs: number
  /** Who could not renew for so long stops by itself; what is left until the duration is for what is under way. */
  readonly deadlineMs: number
  readonly retryMs: number
  /** For one answer of the API server: several attempts have to fit into the deadline. */
  readonly answerMs: number
}

export const LEASE_TIMES: LeaseTimes = { durationMs: 15_000, deadlineMs: 10_000, retryMs: 2000, answerMs: 3000 }

/**
 * When others last gave a sign of life, by our own clock: the times in a Lease are of another machine's, which may be
 * minutes away. Any change of the record counts as one.
 */
export class Sighting {
  readonly #clock: Clock
  readonly #times: LeaseTimes
  #record: string | undefined
  #at: number | undefined
  #wasHeld = false

  constructor(clock: Clock, times: LeaseTimes) {
    this.#clock = clock
    this.#times = times
  }

  /** Undefined: there is no Lease. */
  see(lease: KubeObject | undefined): void {
    const record = lease === undefined ? undefined : JSON.stringify(lease.spec ?? null)
    if (this.#at !== undefined && record === this.#record) return
    this.#record = record
    this.#at = this.#clock.now()
    this.#wasHeld ||= holderOf(lease) !== ''
  }

  /** How long until a Lease that is not ours may be taken; 0: now. */
  waitMs(lease: KubeObject | undefined): number {
    if (isReleased(lease)) return 0
    const { durationMs, retryMs } = this.#times
    // A leader whose Lease was deleted makes it again at its next renewal, and whoever never saw one leaves it that time.
    const needed = lease === undefined && !this.#wasHeld ? 2 * retryMs : durationMs
    return Math.max(0, (this.#at ?? this.#clock.now()) + needed - this.#clock.now())
  }
}

export function holderOf(lease: KubeObject | undefined): string {
  return string(object(lease?.spec).holderIdentity) ?? ''
}

/** By its holder. One who takes the holder out by hand leaves the duration, and the holder may be at work still. */
export function isReleased(lease: KubeObject | undefined): boolean {
  const spec = object(lease?.spec)
  return lease !== undefined && holderOf(lease) === '' && spec.leaseDurationSeconds === 1
}

/** The record once we hold it; what others put there besides stays. */
export function heldBy(self: string, lease: KubeObject | undefined, now: Date, { durationMs }: LeaseTimes): JsonObject {
  const before = object(lease?.spec)
  const isNew = holderOf(lease) !== self
  const changes = number(before.leaseTransitions) ?? 0
  return {
    ...before,
    holderIdentity: self,
    leaseDurationSeconds: Math.ceil(durationMs / 1000),
    acquireTime: isNew ? microTime(now) : (before.acquireTime ?? microTime(now)),
    renewTime: microTime(now),
    leaseTransitions: isNew && lease !== undefined ? changes + 1 : changes,
  }
}

/** Anybody may take it at once. */
export function released(lease: KubeObject, now: Date): JsonObject {
  return { ...object(lease.spec), holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(now) }
}

function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z')
}
