// Every event of routes, policies and facts on a real API server, in order, while teams, namespaces and routes change
// faster than the controller follows: at each of them every labelled route has a guard of its own team, or the net.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { FACT_PATHS } from '../../src/kube/kinds.ts'
import { type Entry, judge } from '../controller/guard-history.ts'
import { describeWithParts } from '../parts/require.ts'
import { pathOf, type Reply, until } from './api.ts'
import { CONFIG, namespace } from './cluster-objects.ts'
import { type ControllerCluster, controllerParts, serve, startControllerCluster } from './controller-cluster.ts'
import { lookedAtEverything, untilAtRest } from './controller-pod.ts'
import { type Change, type Lane, type Move, moves, start } from './guard-changes.ts'
import { applied } from './objects.ts'
import type { Pod } from './pods.ts'
import { type Recorder, record } from './recorder.ts'

/** The same changes each time, so that a change of ours is what makes it fail; SEED=<number> for others. */
const SEED = Number(process.env.SEED ?? 1000)
const LANES = 6
const MOVES = 10
const TRIES = 4

const KINDS = ['HTTPRoute', 'SecurityPolicy', 'ClientTrafficPolicy', 'AuthTeam', 'Namespace'] as const

describeWithParts('guards while everything changes', controllerParts, () => {
  let cluster: ControllerCluster
  let controller: Pod
  let recorder: Recorder
  const rests: bigint[] = []
  const tried = { taken: 0, refused: 0 }
  const refusals = new Map<string, number>()

  const send = async (change: Change): Promise<Reply> => {
    const { api } = cluster
    if (change.what === 'remove') return api.remove(change.object)
    const changed = await api.patch(change.object, change.what === 'patch' ? change.to : { spec: change.object.spec })
    return change.what === 'put' && changed.status === 404 ? api.create(change.object) : changed
  }
  /** "Not yet" is said again, as by every client. */
  const make = async (change: Change): Promise<void> => {
    for (let tries = 1; ; tries++) {
      const { status, message } = await send(change)
      if (status === 429 && tries < TRIES) {
        await sleep(700)
        continue
      }
      if (status < 300) {
        tried.taken++
        return
      }
      tried.refused++
      const code = /\[([a-z-]+)\]/.exec(message)?.[1] ?? String(status)
      refusals.set(code, (refusals.get(code) ?? 0) + 1)
      return
    }
  }
  const rest = async () => {
    await untilAtRest(controller)
    rests.push((await recorder.upToNow()).at(-1)?.version ?? 0n)
  }
  const begin = async (lanes: readonly Lane[]) => {
    for (const { facts } of lanes.map(start)) for (const each of facts) await created(each)
    await untilAtRest(controller)
    const routes = lanes.flatMap(lane => start(lane).routes)
    await until('routes are admitted', async () => {
      for (const each of routes) await cluster.api.create(each)
      return (await Promise.all(routes.map(isThere))).every(Boolean)
    })
    await rest()
  }
  const created = async (each: KubeObject) => {
    const { status, message } = await cluster.api.create(each)
    if (status !== 201) throw new Error(`${pathOf(each)}: ${message}`)
  }
  const isThere = async (each: KubeObject) => (await cluster.api.send('GET', pathOf(each))).status === 200
  const run = async (list: readonly Move[]) => {
    for (const { change, waitsMs } of list) {
      await make(change)
      await sleep(waitsMs)
    }
  }
  /** All lanes at once, and a sweep amid them; then rest, a sweep, and back to where they began. */
  const drive = async (lanes: readonly Lane[], seed: number) => {
    const lists = lanes.map((lane, index) => fc.sample(moves(lane, MOVES), { seed: seed + index, numRuns: 1 })[0] ?? [])
    await Promise.all([...lists.map(run), lookedAtEverything(cluster, controller)])
    await rest()
    await lookedAtEverything(cluster, controller)
    await rest()
    await Promise.all(lanes.map(lane => back(lane)))
    await rest()
    return lists.map((list, index) => `${lanes[index]?.name}: ${list.map(({ change }) => change.says).join('; ')}`)
  }
  const back = async (lane: Lane) => {
    for (const each of start(lane).facts) {
      const { labels } = each.metadata
      await make(
        each.kind === 'Namespace'
          ? { what: 'patch', object: each, to: { metadata: { labels } }, says: '' }
          : { what: 'put', object: each, says: '' },
      )
    }
  }
  const history = async (): Promise<Entry[]> => {
    const ends = [...rests]
    const entries: Entry[] = []
    for (const { type, object: each, version } of await recorder.upToNow()) {
      for (; ends[0] !== undefined && ends[0] < version; ends.shift()) entries.push({ type: 'rest' })
      entries.push({ type, object: each })
    }
    return [...entries, { type: 'rest' }]
  }
  const judged = async (title: string, said: readonly string[]) => {
    const { violations, changes, looks, byNet } = judge(await history())
    const counts = `${changes} events, ${tried.taken} changes taken and ${tried.refused} refused, ${rests.length} rests`
    const codes = JSON.stringify(Object.fromEntries(refusals))
    const found = `${looks} looks at routes, ${byNet} closed by the net, ${violations.length} violations`
    process.stderr.write(`${title} (seed ${SEED}): ${counts}; ${found}; refused: ${codes}\n`)
    if (violations.length > 0) process.stderr.write(`${said.join('\n')}\n`)
    return violations
  }

  beforeAll(async () => {
    cluster = await startControllerCluster()
    controller = (await serve(cluster, { ...CONFIG, settleSeconds: 1 })).controller
    await applied(cluster.controlPlane, namespace('auth'), namespace('elsewhere'))
    recorder = await record(
      cluster.controlPlane,
      cluster.api,
      KINDS.map(kind => FACT_PATHS[kind] ?? ''),
    )
  }, 240_000)

  afterAll(async () => {
    recorder?.stop()
    await cluster?.stop()
  })

  test('none is missing and none is of another team, with the webhook there', async () => {
    const lanes = Array.from({ length: LANES }, (_, index) => ({ name: `lane${index}`, sharesHosts: false }))
    await begin(lanes)
    const said = await drive(lanes, SEED)
    expect(await judged('with the webhook', said)).toEqual([])
  }, 240_000)

  test('nor with nobody asked, where every change is taken and routes really go from team to team', async () => {
    await cluster.withoutAdmission()
    const lanes = Array.from({ length: LANES }, (_, index) => ({ name: `free${index}`, sharesHosts: true }))
    await begin(lanes)
    const said = await drive(lanes, SEED + 100)
    const violations = await judged('without admission', said)
    expect(violations).toEqual([])
    expect(await controller.metric('portcullis_resting_objects')).toBe(0)
    const kinds = (await history()).flatMap(each => ('object' in each ? [object(each.object).kind] : []))
    expect(new Set(kinds)).toEqual(new Set(KINDS))
  }, 240_000)
})
