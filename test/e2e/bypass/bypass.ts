// Every way around a login on one gateway, tried with Portcullis and again without, and what the table says of each.
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeWithParts } from '../../parts/require.ts'
import { leaveRow } from '../report/evidence.ts'
import { progressOn } from '../stage/progress.ts'
import { type Stage, type StageOptions, stageParts, startStage } from '../stage/stage.ts'
import { APPLICATION, admit, made, prepareNamespaces } from './ground.ts'
import { type Outcome, protect, type Tried, tryAlone, tryTogether } from './run.ts'
import { nameOf, sceneOf } from './scene.ts'
import { takeOut } from './taken-out.ts'
import type { Way } from './way.ts'

export type Bypass = StageOptions & {
  readonly domain: string
  readonly title: string
  readonly ways: readonly Way[]
  /** What rows need besides. */
  readonly prepare?: (stage: Stage) => Promise<() => unknown>
  /** Makes the gateway build its configuration anew. */
  readonly shake?: (stage: Stage, round: number) => Promise<void>
}

type Both = { with?: Outcome; without?: Outcome }

export function describeBypass({ title, ways, prepare, shake, ...options }: Bypass): void {
  describeWithParts(title, stageParts[options.gateway], () => {
    let stage: Stage
    let done: (() => unknown) | undefined
    const outcomes = new Map<Way, Both>(ways.map(way => [way, {}]))

    beforeAll(async () => {
      const progress = progressOn(process.stdout)
      stage = await startStage({ ...options, hosts: wildcards(ways, options.domain), progress })
      await progress.step('ways around: ground', () => ground(stage, ways))
      done = await prepare?.(stage)
      const tried = (portcullis: boolean) =>
        ways.map((way, index): Tried => ({ way, scene: sceneOf(way, index, stage, portcullis) }))
      const [on, off] = [tried(true), tried(false).filter(({ way }) => typeof way.without === 'string')]
      const faults = await progress.step('ways around: protected routes', () =>
        protect(stage.cluster.api, [...on, ...off]),
      )
      const renew = (round: number) => shake?.(stage, round) ?? Promise.resolve()
      await progress.step('ways around: with Portcullis', async () => {
        for (const [way, outcome] of await tryAll(stage, on, faults, renew)) at(way).with = outcome
      })
      await progress.step('Portcullis is taken out', () => takeOut(stage, (ways[0] as Way).kind))
      await progress.step('ways around: without Portcullis', async () => {
        for (const [way, outcome] of await tryAll(stage, off, faults, renew)) at(way).without = outcome
      })
    }, 600_000)

    afterAll(async () => {
      await done?.()
      await stage?.stop()
    }, 60_000)

    const at = (way: Way) => outcomes.get(way) as Both

    for (const way of ways) {
      test(`${way.kind.title}: ${way.name}`, () => {
        const { with: on, without: off } = at(way)
        tell(way, off, on)
        const { notShown } = typeof way.without === 'string' ? { notShown: undefined } : way.without
        const expected = { without: notShown ?? way.without, with: way.with, by: way.by }
        expect({ without: notShown ?? off?.state, with: on?.state, by: on?.by }).toEqual(expected)
      })
    }
  })
}

/** Of routes that are for every host below theirs. */
function wildcards(ways: readonly Way[], domain: string): string[] {
  return ways.flatMap((way, index) => {
    return way.of.includes('G5') ? [true, false].map(on => `*.${nameOf(index, on)}.team-a.${domain}`) : []
  })
}

export const TABLE = 'ways around'

/** A row of the report. */
function tell({ of, kind, name, without }: Way, off: Outcome | undefined, on: Outcome | undefined): void {
  const row = {
    gateway: kind.title,
    'way around': name,
    'without Portcullis':
      typeof without === 'string' ? (off?.state ?? '-') : `cannot be shown here: ${without.notShown}`,
    'with Portcullis': on?.state ?? '-',
    'what happened': `without: ${off?.happened ?? '-'}; with: ${on?.happened ?? '-'}`,
  }
  leaveRow(TABLE, row)
  const states = `${row['without Portcullis']} → ${row['with Portcullis']}`
  process.stdout.write(`  ${of.join(' ').padEnd(12)} ${states}: ${name} (${row['what happened']})\n`)
}

async function ground(stage: Stage, ways: readonly Way[]): Promise<void> {
  const { api } = stage.cluster
  const own = [...new Set(['monitoring', ...ways.map(way => way.namespace ?? 'monitoring')])]
  await prepareNamespaces(stage, own)
  for (const [index, way] of ways.entries()) {
    for (const portcullis of [true, false]) {
      for (const each of way.early?.(sceneOf(way, index, stage, portcullis)) ?? []) await made(api, each)
    }
  }
  await admit(stage, own)
  const [first] = ways
  if (first === undefined) return
  const host = `session.team-a.${stage.domain}`
  const plain = first.kind.route({ namespace: 'monitoring', name: 'session', host, service: APPLICATION, port: 80 })
  await made(api, { ...plain, metadata: { ...plain.metadata, labels: { 'auth.example/protect': 'true' } } })
}

async function tryAll(
  { cluster: { api } }: Stage,
  tried: readonly Tried[],
  faults: ReadonlyMap<Tried, Outcome>,
  shake: (round: number) => Promise<void>,
): Promise<Map<Way, Outcome>> {
  const sound = tried.filter(each => !faults.has(each))
  const together = sound.filter(({ way }) => way.alone !== true)
  const outcomes = await tryTogether(api, together, shake)
  // The webhook stays away once it is: those rows come last.
  const alone = sound.filter(({ way }) => way.alone === true)
  for (const each of [...alone.filter(({ way }) => !isLast(way)), ...alone.filter(({ way }) => isLast(way))]) {
    const outcome = await tryAlone(api, each, shake).catch(faultOf)
    outcomes.set(each.way, outcome)
  }
  for (const each of tried) {
    const fault = faults.get(each)
    if (fault !== undefined) outcomes.set(each.way, fault)
  }
  return outcomes
}

const isLast = (way: Way) => way.of.includes('G27')

const faultOf = (error: Error): Outcome => ({ state: 'fault', happened: error.message })
