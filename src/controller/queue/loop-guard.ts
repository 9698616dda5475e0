// Against fights: an object into which the same is written again and again, because somebody undoes it each time, is left
// alone for a while. Different writes, as when an administrator changes a team several times, are none.
import { digest } from '../../core/names.ts'
import type { Clock } from '../../kube/clock.ts'

export type LoopGuard = {
  /** Whether this object may be written now. */
  mayWrite(object: string): boolean
  /** It was, and `what`. True: that was the last time for a while; `restMs`: unless for another. */
  wrote(object: string, what: unknown, restMs?: number): boolean
  /** Until when (ms) it rests; 0: it does not. */
  restsFor(object: string): number
  /** How many objects rest. */
  readonly resting: number
}

const MOST_WRITES = 5
const WITHIN_MS = 60_000
const REST_MS = 5 * 60_000

export function loopGuard(clock: Pick<Clock, 'now'>): LoopGuard {
  const writes = new Map<string, number[]>()
  const rests = new Map<string, number>()
  const restsFor = (object: string) => {
    const left = (rests.get(object) ?? 0) - clock.now()
    if (left > 0) return left
    rests.delete(object)
    return 0
  }
  return {
    restsFor,
    mayWrite: object => restsFor(object) === 0,
    wrote(object, what, restMs = REST_MS) {
      const since = clock.now() - WITHIN_MS
      const write = digest(object, JSON.stringify(what))
      const recent = [...(writes.get(write) ?? []).filter(at => at > since), clock.now()]
      writes.delete(write)
      if (recent.length <= MOST_WRITES) {
        // The latest at the end, so that the oldest are found without looking at all.
        writes.set(write, recent)
        forget(writes, since)
        return false
      }
      rests.set(object, clock.now() + restMs)
      return true
    },
    get resting() {
      for (const object of rests.keys()) restsFor(object)
      return rests.size
    },
  }
}

function forget(writes: Map<string, number[]>, since: number): void {
  for (const [write, times] of writes) {
    if ((times.at(-1) ?? 0) > since) return
    writes.delete(write)
  }
}
