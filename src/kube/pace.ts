// When a watch may try again and when it may list again, so that a sick API server is not asked to death.
import type { Clock } from './clock.ts'
import type { Cause } from './setback.ts'

export type Limits = {
  /** The first pause after a setback; it doubles with each of the same cause, with jitter, up to the longest. */
  readonly retryMs: number
  readonly longestRetryMs: number
  /** A watch that lived this long was well: the next pause is the first again. */
  readonly steadyMs: number
  /**
   * A re-list comes this much after the one before it, at least. What was missed, removals too, is missed until then;
   * what happens in the meantime is not, as a watch runs from the version that the server is at.
   */
  readonly relistEveryMs: number
  /** And is put off by up to this much: all replicas want it in the same moment. */
  readonly relistJitterMs: number
  /** The longest pause before a kind that is not installed is looked for again. */
  readonly absentMs: number
  /** Listed again this often without a cause; undefined: never. */
  readonly backstopMs?: number
  /**
   * No byte for this long: the connection may be dead, and another is opened. The API server sends a bookmark about
   * every minute, but promises none (1.36.3 was seen to let more than 90 s pass on a quiet kind).
   */
  readonly quietMs: number
  /** Within this time an answer begins; that of a list is there. */
  readonly answerMs: number
  /** The API server ends a watch after this time, and up to a quarter more. */
  readonly watchMs: number
  /** Reading a page leaves garbage several times its size, so that small pages keep the heap small. */
  readonly pageSize: number
}

export const LIMITS: Limits = {
  retryMs: 500,
  longestRetryMs: 15_000,
  steadyMs: 10_000,
  relistEveryMs: 60_000,
  relistJitterMs: 10_000,
  absentMs: 30_000,
  quietMs: 90_000,
  answerMs: 30_000,
  watchMs: 240_000,
  pageSize: 200,
}

// A server that asks for more is asked again all the same: what we know grows old.
const LONGEST_WISH_MS = 60_000

export class Pace {
  readonly #limits: Limits
  readonly #clock: Clock
  readonly #random: () => number
  // Each cause has its own: after an hour without an API server, the few times that one says "not yet" while it starts
  // are not worth the longest pause each. And causes that take turns are all paused for longer and longer.
  readonly #setbacks = new Map<Cause, number>()
  #lastRelist = Number.NEGATIVE_INFINITY
  #relistAt = Number.POSITIVE_INFINITY
  #isWanted = false

  constructor(limits: Limits, clock: Clock, random: () => number) {
    this.#limits = limits
    this.#clock = clock
    this.#random = random
  }

  /** When a re-list is due; infinity: never. */
  get relistAt(): number {
    return this.#relistAt
  }

  well(): void {
    this.#setbacks.clear()
  }

  /** How long to wait after a setback; `wishMs`: as long as the server asks. */
  retryAfter(cause: Cause, wishMs = 0): number {
    const { retryMs, longestRetryMs, absentMs } = this.#limits
    // A kind that is not installed is only looked for.
    if (cause === 'absent') return this.#pause(cause, absentMs / 8, absentMs)
    return Math.max(this.#pause(cause, retryMs, longestRetryMs), Math.min(wishMs, LONGEST_WISH_MS))
  }

  wantRelist(): void {
    if (this.#isWanted) return
    this.#isWanted = true
    const { relistEveryMs, relistJitterMs } = this.#limits
    const soon = this.#clock.now() + relistJitterMs * this.#random()
    const allowed = this.#lastRelist + relistEveryMs * (1 + 0.2 * this.#random())
    this.#relistAt = Math.min(this.#relistAt, Math.max(soon, allowed))
  }

  relistBegins(): void {
    this.#lastRelist = this.#clock.now()
    this.listed()
  }

  /** Whatever a re-list was wanted for is in this list. */
  listed(): void {
    const { backstopMs = Number.POSITIVE_INFINITY } = this.#limits
    this.#isWanted = false
    this.#relistAt = this.#clock.now() + backstopMs * (0.9 + 0.2 * this.#random())
  }

  #pause(cause: Cause, first: number, longest: number): number {
    const before = this.#setbacks.get(cause) ?? 0
    const pause = Math.min(longest, first * 2 ** Math.min(before, 20))
    this.#setbacks.set(cause, before + 1)
    return pause * (0.5 + 0.5 * this.#random())
  }
}
