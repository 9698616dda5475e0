// Ends a watch that says nothing for too long, or that has to make way for a list.
import type { Clock } from './clock.ts'

export type Watchdog = {
  readonly signal: AbortSignal
  /** Why the signal was given. */
  readonly verdict: 'stalled' | 'due' | 'stopped' | undefined
  end(): void
}

type WatchdogOptions = {
  readonly clock: Clock
  readonly quietMs: number
  readonly lastHeard: () => number
  /** When the watch has to make way. */
  readonly dueAt: number
  readonly stop: AbortSignal
}

/** One timer that looks again, rather than one for every byte. */
export function startWatchdog({ clock, quietMs, lastHeard, dueAt, stop }: WatchdogOptions): Watchdog {
  const controller = new AbortController()
  const started = clock.now()
  let verdict: Watchdog['verdict']
  let cancel = () => {}
  const give = (because: Watchdog['verdict']) => {
    verdict = because
    controller.abort()
  }
  const look = () => {
    const now = clock.now()
    const quietAt = Math.max(started, lastHeard()) + quietMs
    if (now >= dueAt) give('due')
    else if (now >= quietAt) give('stalled')
    else cancel = clock.after(Math.min(quietAt, dueAt) - now, look)
  }
  const stopped = () => give('stopped')
  stop.addEventListener('abort', stopped, { once: true })
  look()
  return {
    signal: controller.signal,
    get verdict() {
      return verdict
    },
    end() {
      cancel()
      stop.removeEventListener('abort', stopped)
    },
  }
}
