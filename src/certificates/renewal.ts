// Keeps the certificates of a folder good while a server runs.
import type { Log } from '../log.ts'
import { type Certificates, ensureCertificates } from './files.ts'

export type RenewalOptions = {
  readonly dir: string
  readonly names: readonly string[]
  readonly everyMs: number
  /** Those that are in use now. */
  readonly current: Certificates
  /** Throws if it cannot use the new ones; then the old ones stay in use. */
  readonly use: (next: Certificates) => void
  readonly log: Log
}

/** Looks by the wall clock again and again: one long timer would oversleep on a machine that sleeps. Returns its end. */
export function keepRenewed({ dir, names, everyMs, current, use, log }: RenewalOptions): () => void {
  let used = current
  let isLooking = false
  const look = async () => {
    // Two at once would make two pairs, of which one would be written and the other used.
    if (isLooking) return
    isLooking = true
    try {
      const next = await ensureCertificates(dir, names, new Date())
      if (next.cert === used.cert) return
      use(next)
      used = next
      log.info({ because: next.madeBecause }, 'certificates renewed')
    } catch (error) {
      log.error({ err: error }, 'certificates could not be renewed, the old ones stay in use')
    } finally {
      isLooking = false
    }
  }
  const timer = setInterval(() => void look(), everyMs)
  return () => clearInterval(timer)
}
