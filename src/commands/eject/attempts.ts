// Something that is tried again: for as long as it is only "not now", and not for ever.
import { setTimeout as sleep } from 'node:timers/promises'

/** Neither: it is done. */
export type Attempt = { readonly again?: string; readonly afterMs?: number | undefined; readonly problem?: string }

const MOST = 8
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5_000

/** Why it could not be done; undefined: it is. */
export async function until(attempt: () => Promise<Attempt>): Promise<string | undefined> {
  let pause = FIRST_PAUSE_MS
  for (let times = 1; ; times++) {
    const { again, afterMs, problem } = await attempt()
    if (problem !== undefined) return problem
    if (again === undefined || times >= MOST) return again
    await sleep(Math.min(Math.max(pause, afterMs ?? 0), LONGEST_PAUSE_MS))
    pause *= 2
  }
}
