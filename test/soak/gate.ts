// Until when everybody goes on, and when they wait: while the API server is started anew on purpose nobody counts, neither
// what they send nor the time.
import { setTimeout as sleep } from 'node:timers/promises'

export type Gate = {
  isOver(): boolean
  isClosed(): boolean
  /** For how long it has been open until now. */
  openMs(): number
  /** Resolves when requests may be sent. */
  open(): Promise<void>
  /** Begins when requests may be sent; the gate does not close before it is done, however slow the machine is. */
  during<T>(work: () => Promise<T>): Promise<T>
  /** Nobody sends until `work` is done. */
  closedWhile(work: () => Promise<void>): Promise<void>
}

const LOOK_EVERY_MS = 50

export function gateUntil(end: number): Gate {
  const began = performance.now()
  const state = { isClosed: false, underWay: 0, closedMs: 0, closedAt: 0 }
  const open = async () => {
    while (state.isClosed) await sleep(LOOK_EVERY_MS)
  }
  return {
    isOver: () => performance.now() >= end,
    isClosed: () => state.isClosed,
    openMs: () => (state.isClosed ? state.closedAt : performance.now()) - began - state.closedMs,
    open,
    async during(work) {
      // No pause where it is open: it could be closed in between.
      while (state.isClosed) await open()
      state.underWay++
      try {
        return await work()
      } finally {
        state.underWay--
      }
    },
    async closedWhile(work) {
      state.closedAt = performance.now()
      state.isClosed = true
      while (state.underWay > 0) await sleep(LOOK_EVERY_MS)
      await work()
      state.closedMs += performance.now() - state.closedAt
      state.isClosed = false
    },
  }
}
