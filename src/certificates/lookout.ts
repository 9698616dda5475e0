// Looks when there is a reason to: something was said to have changed, something is due, the last look met trouble, or it
// is long ago. One look at a time, and no two within a turn, so that whoever changes things in a loop is not answered in one.
import type { Clock } from '../kube/clock.ts'

export type LookoutOptions = {
  /** Whether nothing is in the way. Never rejects, no more than `isDue`. */
  readonly look: () => Promise<boolean>
  /** Whether another look is worthwhile though nobody said that anything changed; it asks nobody in the cluster. */
  readonly isDue: () => boolean | Promise<boolean>
  readonly clock: Clock
  /** At least 0, less than 1. */
  readonly random: () => number
}

export type Lookout = {
  /** The first look is over. */
  readonly first: Promise<void>
  /** Something has changed. */
  nudge(): void
  /** Resolves when nothing is under way. */
  stop(): Promise<void>
}

/** Also how often it is asked what is due, by the time of day: one long timer would oversleep, and know no leap of a clock. */
export const TURN_MS = 2_000
const LONGEST_RETRY_MS = 4 * TURN_MS
/** For what nobody said, with jitter: all replicas begin together. */
export const BACKSTOP_MS = 60_000

export function keepLookout({ look, isDue, clock, random }: LookoutOptions): Lookout {
  const stopping = new AbortController()
  let isNudged = true
  let isTurning = false
  let lastAt = clock.now()
  let nextAt = lastAt
  let troubles = 0
  let cancel = () => {}
  const lookOnce = async () => {
    isNudged = false
    lastAt = clock.now()
    troubles = (await look()) ? 0 : troubles + 1
    const retryMs = Math.min(TURN_MS * 2 ** (troubles - 1), LONGEST_RETRY_MS)
    nextAt = lastAt + (troubles === 0 ? BACKSTOP_MS * (0.75 + 0.5 * random()) : retryMs)
  }
  const turn = async () => {
    isTurning = true
    const isTime = isNudged || clock.now() >= nextAt
    // What is due stays so while nothing can be done about it.
    if (isTime || (troubles === 0 && (await isDue()))) await lookOnce()
    isTurning = false
    arm()
  }
  const arm = () => {
    cancel()
    if (stopping.signal.aborted) return
    const afterMs = isNudged ? Math.max(0, lastAt + TURN_MS - clock.now()) : TURN_MS
    cancel = clock.after(afterMs, () => {
      turning = turn()
    })
  }
  const first = turn()
  let turning = first
  return {
    first,
    nudge() {
      isNudged = true
      if (!isTurning) arm()
    },
    stop() {
      stopping.abort()
      cancel()
      return turning
    },
  }
}
