// Whom to answer, from a file that somebody else writes: the authority of client certificates. The last good one stays.
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'

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
    // Text that is no certificate would count as no authority, and lock the API server out.
    new X509Certificate(ca)
    return { ca }
  } catch (error) {
    const problem = `authority of clients, ${file}: ${(error as Error).message}`
    return last === undefined ? { problem } : { ca: last, problem }
  }
}

/** Until then there is no serving at all: a server would answer nobody, or everybody. */
export function areKnown({ ca, problem }: Clients): boolean {
  return ca !== undefined || problem === undefined
}
