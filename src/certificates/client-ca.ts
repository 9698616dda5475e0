// Whom to answer, from a file that somebody else writes: the authority of client certificates. The last good one stays.
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { inWords } from '../core/thrown.ts'

export type Clients = {
  /** Absent: everybody is answered; with a problem: nobody can say who. */
  readonly ca?: string
  readonly problem?: string
}

/** `last`: the one that is in use. */
export async function readClientCa(file: string | undefined, last: string | undefined): Promise<Clients> {
  if (file === undefined) return {}
  try {
    const ca = await readFile(file, 'utf8')
    return isCertificate(ca) ? { ca } : without(`${file} holds no certificate`, last)
  } catch (error) {
    return without(inWords(error), last)
  }
}

/** Until then there is no serving at all: a server would answer nobody, or everybody. */
export function areKnown({ ca, problem }: Clients): boolean {
  return ca !== undefined || problem === undefined
}

function without(why: string, last: string | undefined): Clients {
  const problem = `authority of clients: ${why}`
  return last === undefined ? { problem } : { ca: last, problem }
}

/** Text that is none would count as no authority, and lock the API server out. */
function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text) !== undefined
  } catch {
    return false
  }
}
