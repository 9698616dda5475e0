// The webhook with no cluster: facts from documents in a folder, certificates made where there are none.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { admit } from '../../admission/admit.ts'
import { areKnown, readClientCa } from '../../certificates/client-ca.ts'
import { ensureCertificates, LOCAL_NAMES } from '../../certificates/files.ts'
import { keepRenewed } from '../../certificates/renewal.ts'
import { loadFacts } from '../../facts/documents.ts'
import { gateways } from '../../gateways/index.ts'
import type { Admit } from '../../http/admission.ts'
import type { KeyPair } from '../../http/server.ts'
import { createLog } from '../../log.ts'
import { type Io, OK, USAGE } from '../io.ts'
import type { WebhookOptions } from '../webhook.ts'
import { isWildcard, listen } from './listen.ts'

type Options = WebhookOptions & { readonly standalone: string }

const PORT = 8443
const CERTS = 'certs'
const RENEWAL_EVERY_MS = 60_000
// Nobody routes traffic to a process that runs from files, so nobody has to hear first that it goes.
const DRAIN_DELAY_S = 0

export async function standaloneWebhook(options: Options, io: Io): Promise<number> {
  const facts = await loadFacts(options.standalone)
  if (facts.problems.length > 0) {
    for (const problem of facts.problems) io.err(`${problem}\n`)
    return USAGE
  }
  const { host, certs: dir = CERTS, clientCa, healthPort: port } = options
  const asked = await readClientCa(clientCa, undefined)
  if (!areKnown(asked)) {
    io.err(`${asked.problem}; correct --client-ca\n`)
    return USAGE
  }
  const clients = asked.ca === undefined ? {} : { clientCa: asked.ca }
  const names = host === undefined || isWildcard(host) ? LOCAL_NAMES : [...LOCAL_NAMES, host]
  const current = await ensureCertificates(dir, names, new Date())
  if (current.madeBecause !== undefined) io.out(`made certificates in ${dir}, because ${current.madeBecause}\n`)
  const log = createLog({ level: options.logLevel })
  const health = port === undefined ? undefined : await healthAt(port)
  const context = { facts: facts.store, gateways, log, now: Date.now, decided: health?.metrics.decided }
  const decide: Admit = (entry, body) => admit(entry, body, context)
  const own = { defaultPort: PORT, keyPair: { ...current, ...clients }, admit: decide, log }
  const listening = await listen(options, health === undefined ? own : { ...own, health }, io)
  if (listening === undefined) return USAGE
  const use = (next: KeyPair) => listening.serving.useKeyPair({ ...next, ...clients })
  const stopRenewal = keepRenewed({ dir, names, everyMs: RENEWAL_EVERY_MS, current, use, log })
  io.out(readyLines(options, listening.serving.port, facts.counts))
  await io.stopped()
  stopRenewal()
  await listening.close((options.drainDelay ?? DRAIN_DELAY_S) * 1000)
  return OK
}

/** Loaded when asked for: metrics take as long to load as all the rest. */
async function healthAt(port: number) {
  const { createMetrics } = await import('../../http/metrics.ts')
  return { port, missing: () => [], metrics: createMetrics() }
}

type Counts = Readonly<Record<string, number>>

function readyLines({ standalone, host, certs = CERTS }: Options, port: number, counts: Counts): string {
  const name = host === undefined || isWildcard(host) ? 'localhost' : host
  const url = `https://${name.includes(':') ? `[${name}]` : name}:${port}`
  const found = Object.entries(counts).map(([what, count]) => `${count} ${what}`)
  const example = existsSync(join(standalone, 'ingress.yaml')) ? join(standalone, 'ingress.yaml') : 'FILE'
  const server = url === 'https://localhost:8443' ? '' : ` --server ${url}`
  const ca = certs === CERTS ? '' : ` --ca ${join(certs, 'ca.crt')}`
  return [
    `ready: ${url} answers /mutate and /validate from ${standalone} (${found.join(', ') || 'which has no facts'}); `,
    'nobody makes companions here, so guards count as ready\n',
    `try: npm run -s portcullis -- review -f ${example}${server}${ca}\n`,
  ].join('')
}
