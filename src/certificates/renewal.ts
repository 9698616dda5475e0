// Keeps the certificates of a folder good while a server runs.
import type { Log } from '../log.ts'
import { type Certificates, ensureCertificates } from './files.ts'
import { keepLooking } from './poll.ts'

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

/** Returns its end. */
export function keepRenewed({ dir, names, everyMs, current, use, log }: RenewalOptions): () => void {
  let used = current
  const look = async () => {
    try {
      const next = await ensureCertificates(dir, names, new Date())
      if (next.cert === used.cert) return
      use(next)
      used = next
      log.info({ because: next.madeBecause }, 'certificates renewed')
    } catch (error) {
      log.error({ err: error }, 'certificates could not be renewed, the old ones stay in use')
    }
  }
  return keepLooking(everyMs, look)
}
