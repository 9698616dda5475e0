// Requests a second of the real webhook process, its log on, against the bare server, in turns.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { ensureCertificates, LOCAL_NAMES } from '../../src/certificates/files.ts'
import { facts, ingress, review, teamName } from './inputs.ts'
import { load, type Result, type Target } from './load.ts'
import { canPin, pinSelf, type Running, start } from './process.ts'

const CONNECTIONS = 16
const ROUNDS = 10
const ROUND_MS = 1_200
// Until the compiler has nothing left to do.
const WARM_UP_MS = 5_000
const SERVER_CORE = 0
const CLIENT_CORE = 1

type Row = { 'requests/s': number; 'p50 ms': number; 'p99 ms': number; 'CPU µs each': number }
type Measured = Result & { readonly cpuMs: number }

export async function benchServed(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-bench-'))
  const running: Running[] = []
  try {
    const { ca } = await ensureCertificates(dir, LOCAL_NAMES, new Date())
    writeFileSync(
      join(dir, 'facts.yaml'),
      facts(10)
        .map(document => stringify(document))
        .join('---\n'),
    )
    const bare = [join(import.meta.dirname, 'bare.ts'), join(dir, 'tls.crt'), join(dir, 'tls.key')]
    const main = join(import.meta.dirname, '../../src/main.ts')
    const served = [main, 'webhook', '--standalone', dir, '--certs', dir, '--port', '0', '--health-port', '0']
    running.push(
      await start(bare, SERVER_CORE, join(dir, 'bare.log')),
      await start(served, SERVER_CORE, join(dir, 'served.log')),
    )
    pinSelf(CLIENT_CORE)
    const body = review(ingress('shop', teamName(0), `shop.${teamName(0)}.example.com`))
    const targets = running.map(({ port }): Target => ({ port, ca, path: '/mutate?timeout=10s', body }))
    await measure(targets, running)
    console.log(`log lines written meanwhile: ${readFileSync(join(dir, 'served.log'), 'utf8').split('\n').length - 3}`)
  } finally {
    await Promise.all(running.map(each => each.stop()))
    rmSync(dir, { recursive: true })
  }
}

async function measure(targets: readonly Target[], running: readonly Running[]): Promise<void> {
  const where = canPin ? `servers on core ${SERVER_CORE}, client on core ${CLIENT_CORE}` : 'not pinned to cores'
  const bytes = targets[0]!.body.length
  console.log(
    `served: ${CONNECTIONS} TLS keep-alive connections, ${bytes} byte review, ${ROUNDS} rounds in turns, ${where}`,
  )
  for (const target of targets) await load(target, CONNECTIONS, WARM_UP_MS)
  const results: Measured[][] = targets.map(() => [])
  const before = process.cpuUsage()
  const started = performance.now()
  for (let round = 0; round < ROUNDS; round++) {
    // The order turns too: what else the machine does must not always meet the same one.
    const order = round % 2 === 0 ? [0, 1] : [1, 0]
    for (const i of order) {
      const cpu = running[i]!.cpuMs()
      const result = await load(targets[i]!, CONNECTIONS, ROUND_MS)
      results[i]!.push({ ...result, cpuMs: running[i]!.cpuMs() - cpu })
    }
  }
  const { user, system } = process.cpuUsage(before)
  const [bare, served] = results as [Measured[], Measured[]]
  console.table({ 'bare node:https': row(total(bare)), 'portcullis webhook': row(total(served)) })
  const ratio = (of: (result: Measured) => number) => {
    const ratios = served.map((each, round) => of(each) / of(bare[round]!)).sort((a, b) => a - b)
    return `${Math.round(ratios[Math.floor(ratios.length / 2)]! * 100)} %`
  }
  console.log(
    `of bare, median of the rounds: ${ratio(rate)} in requests a second, ${ratio(perCpu)} in requests per CPU time`,
  )
  const busy = (user + system) / 1000 / (performance.now() - started)
  console.log(
    `the client's core was ${Math.round(busy * 100)} % busy${busy > 0.9 ? ': it may be what limits both' : ''}`,
  )
}

function total(results: readonly Measured[]): Measured {
  const sum = (of: (result: Measured) => number) => results.reduce((total, each) => total + of(each), 0)
  return {
    answers: sum(each => each.answers),
    seconds: sum(each => each.seconds),
    cpuMs: sum(each => each.cpuMs),
    latencies: results.flatMap(each => each.latencies).sort((a, b) => a - b),
  }
}

function rate({ answers, seconds }: Measured): number {
  return answers / seconds
}

function perCpu({ answers, cpuMs }: Measured): number {
  return answers / cpuMs
}

function row(of: Measured): Row {
  return {
    'requests/s': Math.round(rate(of)),
    'p50 ms': percentile(of, 0.5),
    'p99 ms': percentile(of, 0.99),
    'CPU µs each': Math.round(1000 / perCpu(of)),
  }
}

function percentile({ latencies }: Measured, share: number): number {
  return Math.round(latencies[Math.floor(latencies.length * share)]! * 100) / 100
}
