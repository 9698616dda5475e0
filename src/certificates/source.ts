// The serving certificate from files that somebody else writes, such as a mounted Secret: the last good one stays in use.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inWords } from '../core/thrown.ts'
import type { Log } from '../log.ts'
import { areKnown, readClientCa } from './client-ca.ts'
import type { Pair } from './pem.ts'
import { keepLooking } from './poll.ts'
import { outsideOfItsTime } from './validity.ts'

export type Files = {
  /** Holds tls.crt and tls.key. */
  readonly dir: string
  /** File with the authority of client certificates. */
  readonly clientCa?: string | undefined
}

export type KeyPair = Pair & { readonly clientCa?: string }

export type SourceOptions = Files & {
  readonly everyMs: number
  /** Throws if it cannot use the new one; then the old one stays in use. */
  readonly use: (next: KeyPair) => void
  readonly log: Log
  /** ms since the epoch. */
  readonly now: () => number
}

export type Source = {
  /** In use. */
  current(): X509Certificate | undefined
  /** Why what is in use would be refused, or that there is nothing. */
  problem(): string | undefined
  stop(): void
}

type Used = Pair & { readonly leaf: X509Certificate; readonly clientCa?: string | undefined }

/** Looks by reading again and again: notifications get lost where a Secret is mounted. */
export async function followCertificate(options: SourceOptions): Promise<Source> {
  const { dir, everyMs, use, log, now } = options
  let used: Used | undefined
  let found: string | undefined
  const look = async () => {
    const problem = await change().catch(inWords)
    if (problem !== undefined && problem !== found) log.error({ dir, problem }, 'what the files hold is not used')
    found = problem
  }
  /** What is in the way, in words: of the pair and of its clients, neither of which holds up the other. */
  const change = async (): Promise<string | undefined> => {
    const clients = await readClientCa(options.clientCa, used?.clientCa)
    const next = await nextPair(options, used).catch(inWords)
    const pair = typeof next === 'string' ? used : next
    if (pair !== undefined && areKnown(clients) && !(pair === used && clients.ca === used.clientCa)) {
      const { cert, key, leaf } = pair
      use({ cert, key, ...(clients.ca === undefined ? {} : { clientCa: clients.ca }) })
      used = { cert, key, leaf, clientCa: clients.ca }
      log.info({ dir, serial: leaf.serialNumber, until: leaf.validToDate.toISOString() }, 'certificate in use')
    }
    return typeof next === 'string' ? next : clients.problem
  }
  await look()
  return {
    current: () => used?.leaf,
    problem: () => (used === undefined ? (found ?? 'there is none') : outside(used.leaf, now())),
    stop: keepLooking(everyMs, look),
  }
}

/** `used`, where nothing has changed; in words: why it is none to use. */
async function nextPair({ dir, now }: SourceOptions, used: Used | undefined): Promise<Used | string> {
  // One after the other: of two that are missing always the same is named, and said once.
  const cert = await readFile(join(dir, 'tls.crt'), 'utf8')
  const key = await readFile(join(dir, 'tls.key'), 'utf8')
  if (used !== undefined && cert === used.cert && key === used.key) return used
  const leaf = new X509Certificate(cert)
  if (!leaf.checkPrivateKey(createPrivateKey(key))) return 'tls.key is not the key of tls.crt'
  const wrong = outside(leaf, now())
  // One that nobody would accept is better than none, but not than one that is accepted.
  const isWorse = used !== undefined && wrong !== undefined && outside(used.leaf, now()) === undefined
  return isWorse ? wrong : { cert, key, leaf }
}

function outside(leaf: X509Certificate, now: number): string | undefined {
  const why = outsideOfItsTime(leaf, now)
  return why === undefined ? undefined : `tls.crt ${why}`
}
