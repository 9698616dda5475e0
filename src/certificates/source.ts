// The serving certificate from files that somebody else writes, such as a mounted Secret: the last good one stays in use.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../log.ts'
import { keepLooking } from './poll.ts'
import { outsideOfItsTime } from './validity.ts'

export type Files = {
  /** Holds tls.crt and tls.key. */
  readonly dir: string
  /** File with the authority of client certificates. */
  readonly clientCa?: string | undefined
}

export type KeyPair = { readonly cert: string; readonly key: string; readonly clientCa?: string }

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

/** Looks by reading again and again: notifications get lost where a Secret is mounted. */
export async function followCertificate(options: SourceOptions): Promise<Source> {
  const { dir, everyMs, use, log, now } = options
  let used: { readonly pair: KeyPair; readonly leaf: X509Certificate } | undefined
  let found: string | undefined
  const look = async () => {
    const problem = await change().catch(said)
    if (problem !== undefined && problem !== found) log.error({ dir, problem }, 'the certificate is not used')
    found = problem
  }
  const change = async (): Promise<string | undefined> => {
    const pair = await readPair(options)
    if (used !== undefined && same(pair, used.pair)) return undefined
    const leaf = new X509Certificate(pair.cert)
    if (!leaf.checkPrivateKey(createPrivateKey(pair.key))) return 'tls.key is not the key of tls.crt'
    const wrong = outside(leaf, now())
    // One that nobody would accept is better than none, but not than one that is accepted.
    if (used !== undefined && wrong !== undefined && outside(used.leaf, now()) === undefined) return wrong
    use(pair)
    used = { pair, leaf }
    log.info({ dir, serial: leaf.serialNumber, until: leaf.validToDate.toISOString() }, 'certificate in use')
    return undefined
  }
  await look()
  return {
    current: () => used?.leaf,
    problem: () => (used === undefined ? (found ?? 'there is none') : outside(used.leaf, now())),
    stop: keepLooking(everyMs, look),
  }
}

async function readPair({ dir, clientCa }: Files): Promise<KeyPair> {
  // One after the other: of several that are missing always the same is named, and said once.
  const cert = await readFile(join(dir, 'tls.crt'), 'utf8')
  const key = await readFile(join(dir, 'tls.key'), 'utf8')
  if (clientCa === undefined) return { cert, key }
  const ca = await readFile(clientCa, 'utf8')
  // Text that is no certificate would count as no authority, and lock the API server out.
  new X509Certificate(ca)
  return { cert, key, clientCa: ca }
}

function outside(leaf: X509Certificate, now: number): string | undefined {
  const why = outsideOfItsTime(leaf, now)
  return why === undefined ? undefined : `tls.crt ${why}`
}

function same(a: KeyPair, b: KeyPair): boolean {
  return a.cert === b.cert && a.key === b.key && a.clientCa === b.clientCa
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
