// What a process holds, as Linux counts it: resident memory, descriptors, and of these the sockets.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export type Sample = {
  /** Hours since the first one. */
  readonly hours: number
  /** Resident. */
  readonly megabytes: number
  readonly descriptors: number
  readonly sockets: number
}

export type Held = 'megabytes' | 'descriptors' | 'sockets'

/** Undefined: it has ended. */
export function sample(pid: number, hours: number): Sample | undefined {
  try {
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    // It has ended, and nobody has asked how.
    if (resident === undefined) return undefined
    const links = readdirSync(`/proc/${pid}/fd`).map(each => target(`/proc/${pid}/fd/${each}`))
    return {
      hours,
      megabytes: Number(resident) / 1000,
      descriptors: links.length,
      sockets: links.filter(each => each.startsWith('socket:')).length,
    }
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(String((error as NodeJS.ErrnoException).code))) return undefined
    throw error
  }
}

/** Closed meanwhile: an empty one. */
function target(link: string): string {
  try {
    return readlinkSync(link)
  } catch {
    return ''
  }
}
