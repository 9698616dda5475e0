// What a labelled create costs more through a real API server, with each way to admit it, in turns.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { controlPlaneParts } from '../parts/control-plane.ts'
import { locate } from '../parts/locate.ts'
import { type Cluster, startCluster } from './cluster.ts'
import { load, type Result } from './load.ts'
import { median, round, sum } from './statistics.ts'
import { BOTH, EMPTY, MUTATING, NOTHING, VARIANTS, type Variant } from './variants.ts'

const ROUNDS = 8
const BLOCK_MS = 1_000
// Until the compilers have nothing left to do. Servers are asked directly too: the API server asks them too rarely.
const WARM_UP_MS = 4_000
const IDLE_MS = 5_000
const CONCURRENCIES = [1, 16]

/** At most, in ms. */
const ADDED_AT_1: readonly [Variant, number][] = [
  [MUTATING, 1.1],
  [BOTH, 2.0],
]
const CPU_AT: Readonly<Record<number, number>> = { 1: 0.3, 16: 0.2 }
/**
 * What the empty webhook took where these were set. A machine that is slower, or has other work, stretches all of it
 * alike: there the multiples of the empty webhook are what says something.
 */
const EMPTY_ADDED_AT_1 = 0.89
const EMPTY_CPU_AT: Readonly<Record<number, number>> = { 1: 0.27, 16: 0.19 }

type Block = Result & { readonly cpuMs: number }
type Blocks = ReadonlyMap<Variant, readonly Block[]>

export async function benchEndToEnd(): Promise<void> {
  const missing = controlPlaneParts.filter(each => locate(each) === undefined)
  if (missing.length > 0) {
    console.log(
      `end to end: left out, ${missing.join(', ')} not on this machine; "npm run parts" builds what is missing`,
    )
    return
  }
  const cluster = await startCluster(mkdtempSync(join(tmpdir(), 'portcullis-bench-')))
  try {
    const { address } = cluster
    const note = address === '127.0.0.1' ? ' (no other address: HTTP/2, which no webhook in a cluster gets)' : ''
    console.log(`end to end: dry-run creates, webhooks on ${address}${note}, ${ROUNDS} rounds in turns, nothing pinned`)
    for (const target of [...cluster.direct, ...VARIANTS.map(cluster.targetOf)]) await load(target, 16, WARM_UP_MS)
    const before = cluster.cpuMs('webhook')
    await sleep(IDLE_MS)
    console.log(
      `CPU of the webhook while nobody asks: ${round((cluster.cpuMs('webhook') - before) / (IDLE_MS / 1000))} ms/s`,
    )
    for (const concurrency of CONCURRENCIES) report(concurrency, await measure(cluster, concurrency))
  } finally {
    await cluster.stop()
  }
}

async function measure(cluster: Cluster, concurrency: number): Promise<Blocks> {
  const blocks = new Map<Variant, Block[]>(VARIANTS.map(each => [each, []]))
  for (let turn = 0; turn < ROUNDS; turn++) {
    // There and back: none always comes behind the same neighbour.
    for (const variant of turn % 2 === 0 ? VARIANTS : VARIANTS.toReversed()) {
      const cpu = () => (variant.asks === undefined ? 0 : cluster.cpuMs(variant.asks.process))
      const before = cpu()
      const result = await load(cluster.targetOf(variant), concurrency, BLOCK_MS)
      blocks.get(variant)!.push({ ...result, cpuMs: cpu() - before })
    }
  }
  return blocks
}

function report(concurrency: number, blocks: Blocks): void {
  const rows = VARIANTS.map(variant => [variant.name, row(variant, blocks)])
  console.log(`concurrency ${concurrency}`)
  console.table(Object.fromEntries(rows))
  if (concurrency === 1) {
    for (const [variant, most] of ADDED_AT_1) {
      judge(`${variant.name}: added p50`, added(variant, blocks), most, added(EMPTY, blocks), EMPTY_ADDED_AT_1)
    }
  }
  const [most, emptyThen] = [CPU_AT[concurrency]!, EMPTY_CPU_AT[concurrency]!]
  for (const variant of [MUTATING, BOTH]) {
    judge(`${variant.name}: CPU a call`, cpu(variant, blocks), most, cpu(EMPTY, blocks), emptyThen)
  }
}

function judge(what: string, ms: number, most: number, empty: number, emptyThen: number): void {
  const met = (is: number, of: number) => (is <= of ? 'met' : 'NOT met')
  const [is, of] = [ms / empty, most / emptyThen]
  console.log(
    `${what} ${ms.toFixed(2)} ms, target ${most.toFixed(2)}: ${met(ms, most)};`,
    `${is.toFixed(2)} x the empty webhook, target ${of.toFixed(2)} x: ${met(is, of)}`,
  )
}

function row(variant: Variant, blocks: Blocks) {
  const mine = blocks.get(variant)!
  const isAdded = variant !== NOTHING
  return {
    creates: sum(mine, each => each.answers),
    'p50 ms': round(median(mine.map(p50))),
    'added p50 ms': isAdded ? round(added(variant, blocks)) : '',
    'added, of empty': isAdded ? times(added(variant, blocks), added(EMPTY, blocks)) : '',
    'CPU ms a call': variant.asks ? round(cpu(variant, blocks)) : '',
    'CPU, of empty': variant.asks ? times(cpu(variant, blocks), cpu(EMPTY, blocks)) : '',
  }
}

/** Of each round, against the nothing of the same round: what else the machine did then met both. */
function added(variant: Variant, blocks: Blocks): number {
  const nothing = blocks.get(NOTHING)!
  return median(blocks.get(variant)!.map((each, turn) => p50(each) - p50(nothing[turn]!)))
}

function cpu(variant: Variant, blocks: Blocks): number {
  const mine = blocks.get(variant)!
  return sum(mine, each => each.cpuMs) / sum(mine, each => each.answers) / (variant.asks?.times ?? Number.NaN)
}

function p50({ latencies }: Result): number {
  return median(latencies)
}

function times(value: number, of: number): string {
  return `${(value / of).toFixed(2)} x`
}
