// Time as an argument, so that tests can be hours ahead: a clock that never jumps, and timers on it.

export type Clock = {
  /** Milliseconds since some moment; never set back, other than the time of day. */
  now(): number
  /** Runs once, that much later; what comes back cancels it. */
  after(ms: number, run: () => void): () => void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

/** Ends early, and without a fault, when the signal says so. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) return resolve()
    const end = () => {
      cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const cancel = clock.after(ms, end)
    signal.addEventListener('abort', end, { once: true })
  })
}
