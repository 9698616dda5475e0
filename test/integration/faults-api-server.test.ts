// The API server killed and started again ten times under the webhook, each time right after facts have changed.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { FACT_PATHS } from '../../src/kube/kinds.ts'
import { describeWithParts } from '../parts/require.ts'
import { until } from './api.ts'
import { ingress, namespace, team } from './cluster-objects.ts'
import { type Cluster, labelled, startCluster } from './faults.ts'
import type { Replica } from './installed.ts'
import { installedParts } from './installed-cluster.ts'

const RESTARTS = 10
const MINUTE = 60_000
/** A re-list comes a minute after the one before it and a fifth more, at most, and is then tried until it succeeds. */
const LEARNED_WITHIN_MS = 2 * MINUTE

describeWithParts('the webhook, while the API server is killed and started again', installedParts, () => {
  let cluster: Cluster
  let webhook: Replica
  let alive: ReturnType<typeof followLiveness>

  /** Past the API server: whether it would protect this route. */
  const protects = async (route: KubeObject): Promise<boolean> => {
    const { status, text } = await webhook.review('mutate', route)
    const response = object(JSON.parse(text).response)
    expect({ status, allowed: response.allowed }).toEqual({ status: 200, allowed: true })
    return response.patchType === 'JSONPatch'
  }
  const teamOf = (turn: number) => team(`team-${turn}`, `shops-${turn}`, `team-${turn}.example.com`)
  const routeOf = (turn: number): KubeObject => {
    const { metadata, ...rest } = ingress('shop', `shop.team-${turn}.example.com`)
    return { ...rest, metadata: { ...metadata, namespace: `shops-${turn}` } }
  }
  /** One team comes, with its namespace, and the one before it goes. */
  const change = async (turn: number) => {
    await until('a team can be made', async () => [201, 409].includes((await cluster.api.create(teamOf(turn))).status))
    expect(await cluster.api.create(namespace(`shops-${turn}`))).toMatchObject({ status: 201 })
    if (turn > 1) expect(await cluster.api.remove(teamOf(turn - 1))).toMatchObject({ status: 200 })
  }
  /** None has gone unheard since the API server was away, and none is taken for gone. */
  const isHeardOf = async (since: number): Promise<boolean> => {
    for (const kind of Object.keys(FACT_PATHS)) {
      const age = await webhook.metric(`portcullis_watch_age_seconds{kind="${kind}"}`)
      const isAbsent = await webhook.metric(`portcullis_watch_absent{kind="${kind}"}`)
      if (!(age * 1000 <= performance.now() - since) || isAbsent !== 0) return false
    }
    return true
  }
  /** Lists that came to their end, of each kind. */
  const lists = async (): Promise<ReadonlyMap<string, number>> => {
    const counts = new Map<string, number>()
    for (const kind of Object.keys(FACT_PATHS))
      counts.set(kind, await webhook.metric(`portcullis_watch_lists_complete_total{kind="${kind}"}`))
    return counts
  }

  beforeAll(async () => {
    cluster = await startCluster(1)
    webhook = cluster.installed.replicas[0] as Replica
    alive = followLiveness(webhook)
  }, 180_000)

  afterAll(async () => {
    await alive?.stop()
    await cluster?.stop()
  }, 30_000)

  test('lives, answers from what it knows, and in the end knows all that has changed', async () => {
    const began = performance.now()
    const before = await lists()
    let away = began
    for (let turn = 1; turn <= RESTARTS; turn++) {
      await change(turn)
      await cluster.controlPlane.restartApiServer(async () => {
        expect(await protects(labelled('away'))).toBe(true)
        expect(await webhook.health('/readyz')).toMatchObject({ status: 200, text: 'ready\n' })
        away = performance.now()
      })
      await until('it is asked', async () => (await cluster.tried(labelled('back'))).status === 201)
      if (turn % 3 === 0) process.stdout.write(`restart ${turn}: knew it at once: ${await protects(routeOf(turn))}\n`)
    }
    const back = performance.now()
    await until('the last change is known', () => protects(routeOf(RESTARTS)), LEARNED_WITHIN_MS)
    process.stdout.write(
      `the last change was known ${Math.round(performance.now() - back)} ms after the last restart\n`,
    )
    // What went while nobody could hear of it is missing in the next list, which may be a minute away.
    await until(
      'no more teams are known than there are',
      async () => (await webhook.metric('portcullis_facts{kind="AuthTeam"}')) === 2,
      LEARNED_WITHIN_MS,
    )
    for (let turn = 1; turn <= RESTARTS; turn++)
      expect({ turn, is: await protects(routeOf(turn)) }).toEqual({ turn, is: turn === RESTARTS })
    await until('every kind is heard of again', () => isHeardOf(away), LEARNED_WITHIN_MS)
    const minutes = (performance.now() - began) / MINUTE
    const relists = [...(await lists())].map(([kind, count]) => [kind, count - (before.get(kind) ?? 0)] as const)
    process.stdout.write(`re-lists in ${minutes.toFixed(1)} minutes: ${JSON.stringify(relists)}\n`)
    // The first is never put off.
    for (const [kind, count] of relists)
      expect({ kind, isSeldom: count <= Math.floor(minutes) + 1, count }).toMatchObject({ kind, isSeldom: true })
  }, 400_000)

  test('never was unwell, and was never started anew', async () => {
    await alive.stop()
    expect([...alive.answers.keys()]).toEqual([200])
    expect(webhook.part.hasEnded()).toBe(false)
    expect(await webhook.metric('portcullis_ready')).toBe(1)
    expect(linesOf(webhook).filter(each => each.includes('"level":"error"'))).toEqual([])
  })
})

function linesOf(replica: Replica): string[] {
  return replica
    .log()
    .split('\n')
    .filter(line => line.startsWith('{'))
}

/** Asks as a kubelet would, only more often; 0: no answer. */
function followLiveness(replica: Replica) {
  const answers = new Map<number, number>()
  let stopped = false
  const run = async () => {
    while (!stopped) {
      const { status } = await replica.health('/healthz').catch(() => ({ status: 0 }))
      answers.set(status, (answers.get(status) ?? 0) + 1)
      await sleep(100)
    }
  }
  const running = run()
  return {
    answers,
    stop: () => {
      stopped = true
      return running
    },
  }
}
