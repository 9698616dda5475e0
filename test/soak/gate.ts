// Until when everybody goes on, and when they wait: while the API server is started anew on purpose nobody counts.
import { setTimeout as sleep } from 'node:timers/promises'

export type Gate = {
  isOver(): boolean
  isClosed(): boolean
  /** Resolves when requests may be sent. */
  open(): Promise<void>
  /** Nobody sends until `work` is done; those that have begun get a moment to end. */
  closedWhile(work: () => Promise<void>): Promise<void>
}

const LOOK_EVERY_MS = 50
const MOMENT_MS = 3_000

export function gateUntil(end: number): Gate {
  const state = { isClosed: false }
  return {
    isOver: () => performance.now() >= end,
    isClosed: () => state.isClosed,
    async open() {
      while (state.isClosed) await sleep(LOOK_EVERY_MS)
    },
    async closedWhile(work) {
      state.isClosed = true
      await sleep(MOMENT_MS)
      await work()
      state.isClosed = false
    },
  }
}
