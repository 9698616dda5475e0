// `portcullis webhook`: serves admission, here from documents in a folder, with no cluster.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type AdmissionContext, admit } from '../admission/admit.ts'
import { type Certificates, ensureCertificates, LOCAL_NAMES } from '../certificates/files.ts'
import { keepRenewed } from '../certificates/renewal.ts'
import { loadFacts } from '../facts/documents.ts'
import { gateways } from '../gateways/index.ts'
import { type Serving, serve } from '../http/server.ts'
import { createLog, type LogLevel } from '../log.ts'
import { failure, type Io, OK, USAGE } from './io.ts'

export type WebhookOptions = {
  readonly standalone: string
  readonly port: number
  readonly host?: string
  readonly certs: string
  readonly logLevel: LogLevel
}

const RENEWAL_EVERY_MS = 60_000
// Nobody routes traffic to a process that runs from files, so nobody has to hear first that it goes.
const DRAIN = { delayMs: 0, graceMs: 10_000 }

export async function webhook(options: WebhookOptions, io: Io): Promise<number> {
  const facts = await loadFacts(options.standalone)
  if (facts.problems.length > 0) {
    for (const problem of facts.problems) io.err(`${problem}\n`)
    return USAGE
  }
  const names = options.host === undefined || isWildcard(options.host) ? LOCAL_NAMES : [...LOCAL_NAMES, options.host]
  const current = await ensureCertificates(options.certs, names, new Date())
  if (current.madeBecause !== undefined) {
    io.out(`made certificates in ${options.certs}, because ${current.madeBecause}\n`)
  }
  const log = createLog({ level: options.logLevel })
  const serving = await listen(options, { facts: facts.store, gateways, log, now: Date.now }, current, io)
  if (serving === undefined) return USAGE
  const use = (next: Certificates) => serving.useKeyPair(next)
  const stopRenewal = keepRenewed({ dir: options.certs, names, everyMs: RENEWAL_EVERY_MS, current, use, log })
  io.out(readyLines(options, serving.port, facts.counts))
  await io.stopped()
  stopRenewal()
  await serving.drain(DRAIN)
  return OK
}

async function listen(
  { port, host }: WebhookOptions,
  context: AdmissionContext & { log: ReturnType<typeof createLog> },
  keyPair: Certificates,
  io: Io,
): Promise<Serving | undefined> {
  const address = host === undefined ? { port } : { port, host }
  const { log } = context
  try {
    return await serve({ ...address, keyPair, log, admit: (entry, body) => admit(entry, body, context) })
  } catch (error) {
    const problem = cannotListen(failure(error).code, port, host)
    if (problem === undefined) throw error
    io.err(`${problem}\n`)
    return undefined
  }
}

function cannotListen(code: string | undefined, port: number, host: string | undefined): string | undefined {
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} is in use; end what listens there, or choose another with --port`
    case 'EACCES':
      return `port ${port} is not allowed for this user; choose one above 1023 with --port`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is no address of this machine; choose another with --host`
    default:
      return undefined
  }
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

type Counts = Readonly<Record<string, number>>

function readyLines({ standalone, host, certs }: WebhookOptions, port: number, counts: Counts): string {
  const name = host === undefined || isWildcard(host) ? 'localhost' : host
  const url = `https://${name.includes(':') ? `[${name}]` : name}:${port}`
  const found = Object.entries(counts).map(([what, count]) => `${count} ${what}`)
  const example = existsSync(join(standalone, 'ingress.yaml')) ? join(standalone, 'ingress.yaml') : 'FILE'
  const server = url === 'https://localhost:8443' ? '' : ` --server ${url}`
  const ca = certs === 'certs' ? '' : ` --ca ${join(certs, 'ca.crt')}`
  return [
    `ready: ${url} answers /mutate and /validate from ${standalone} (${found.join(', ') || 'which has no facts'}); `,
    'nobody makes companions here, so guards count as ready\n',
    `try: npm run -s portcullis -- review -f ${example}${server}${ca}\n`,
  ].join('')
}
