// One term of leadership: whatever else happens, it ends by the clock, before anybody else's can begin.
import type { Clock } from './clock.ts'

export type Term = {
  /** Given when the term is over. */
  readonly signal: AbortSignal
  /**
   * To be asked before every write. It looks at the clock each time: a process that was paused for longer than its term
   * goes on in the middle of whatever it did, and its timers run only later.
   */
  holds(): boolean
}

export type OpenTerm = Term & {
  readonly endsAt: number
  /** Of no use to a term that is over. */
  extend(endsAt: number): void
  end(why: string): void
}

export function openTerm(clock: Clock, endsAt: number, onEnd: (why: string) => void): OpenTerm {
  const controller = new AbortController()
  const { signal } = controller
  let last = endsAt
  let cancel = () => {}
  const end = (why: string) => {
    if (signal.aborted) return
    cancel()
    controller.abort()
    onEnd(why)
  }
  const holds = () => {
    if (!signal.aborted && clock.now() >= last) end('not renewed in time')
    return !signal.aborted
  }
  // One timer that looks again, rather than one for every renewal.
  const look = () => {
    if (holds()) cancel = clock.after(last - clock.now(), look)
  }
  look()
  return {
    signal,
    get endsAt() {
      return last
    },
    holds,
    extend(until) {
      if (holds()) last = Math.max(last, until)
    },
    end,
  }
}
