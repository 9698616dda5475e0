// Replicas that end, in good order and not, while routes are created a hundred times a second.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { array, object } from '../../src/core/json.ts'
import { PROTECT } from '../../src/core/keys.ts'
import { describeWithParts } from '../parts/require.ts'
import { until } from './api.ts'
import { type Cluster, labelled, startCluster, unlabelled } from './faults.ts'
import type { Replica } from './installed.ts'
import { installedParts } from './installed-cluster.ts'
import { failed, figures, isProtected, type Load, notYet, startLoad, texts, unprotected } from './load.ts'

const PER_SECOND = 100
const ROUTES = '/apis/networking.k8s.io/v1/namespaces/shops/ingresses'
const KILLS = 3

describeWithParts('replicas of the webhook under load', installedParts, () => {
  let cluster: Cluster
  const loads: Load[] = []

  /** Every other one with the label; of both, most are stored. */
  const load = (name: string): Load => {
    const started = startLoad(cluster.controlPlane, {
      perSecond: PER_SECOND,
      route: turn => (turn % 2 === 0 ? labelled : unlabelled)(`${name}-${turn}`),
      isDryRun: turn => turn % 5 === 0,
    })
    loads.push(started)
    return started
  }
  const stored = async () =>
    array((await cluster.api.send('GET', ROUTES)).body.items).map(item => object(object(item).metadata))
  /** By what is there, not by what was said. */
  const storedUnprotected = async () =>
    (await stored()).filter(metadata => object(metadata.labels)[PROTECT] !== undefined && !isProtected(metadata))
  /** Dies with what it was asked and has not answered. */
  const killWhileHolding = async (replica: Replica) => {
    process.kill(replica.part.pid, 'SIGSTOP')
    await sleep(500)
    await replica.kill()
  }

  beforeAll(async () => {
    cluster = await startCluster(3)
  }, 120_000)

  afterAll(async () => {
    for (const each of loads) await each.stop()
    await cluster?.stop()
  }, 60_000)

  test('are all replaced, and no route fails, and every one with the label is protected', async () => {
    const running = load('rolled')
    await sleep(2_000)
    await cluster.installed.rollout()
    await sleep(1_000)
    const sent = await running.stop()
    process.stdout.write(figures('rolling restart of three replicas', sent))
    expect(texts(sent)).toEqual([])
    expect(unprotected(sent)).toEqual([])
    expect(await storedUnprotected()).toEqual([])
    expect((await stored()).length).toBe(sent.filter(({ isDryRun }) => !isDryRun).length)
    expect(cluster.installed.replicas).toHaveLength(3)
  }, 300_000)

  test('are killed with requests in hand, one after the other, and only routes with the label are refused', async () => {
    const running = load('killed')
    for (let kills = 0; kills < KILLS; kills++) {
      await sleep(1_000)
      await killWhileHolding(cluster.installed.replicas[0] as Replica)
      await sleep(2_500)
      await (await cluster.installed.start()).ready()
    }
    const sent = await running.stop()
    process.stdout.write(figures(`one of three killed, ${KILLS} times`, sent))
    process.stdout.write(`${texts(sent).join('\n')}\n`)
    expect(sent.filter(({ isLabelled, status }) => !isLabelled && status !== 201)).toEqual([])
    expect(unprotected(sent)).toEqual([])
    expect(await storedUnprotected()).toEqual([])
    for (const { status, message } of failed(sent))
      expect({ status, message }).toEqual({
        status: 500,
        message: expect.stringContaining('failed calling webhook "validate.auth.example"'),
      })
    for (const { message } of notYet(sent)) expect(message).toMatch(/auth\.example/)
    for (const { name } of [...failed(sent), ...notYet(sent)])
      expect(await cluster.api.create(labelled(name))).toMatchObject({ status: 201 })
    expect(await storedUnprotected()).toEqual([])
  }, 300_000)

  test('are killed when only one is left, and the next try works as soon as one is ready again', async () => {
    const [last, ...others] = cluster.installed.replicas as [Replica, ...Replica[]]
    await Promise.all(others.map(each => each.terminate()))
    const running = load('only')
    await sleep(1_000)
    await killWhileHolding(last)
    await sleep(2_500)
    const next = await cluster.installed.start()
    await next.ready()
    await until('it serves', async () => (await cluster.tried(labelled('again'))).status === 201)
    const soFar = running.answered.length
    await sleep(1_000)
    const sent = await running.stop()
    process.stdout.write(figures('the only one killed', sent))
    process.stdout.write(`${texts(sent).join('\n')}\n`)
    expect(failed(sent).length).toBeGreaterThan(0)
    expect(sent.filter(({ isLabelled, status }) => !isLabelled && status !== 201)).toEqual([])
    expect(unprotected(sent)).toEqual([])
    expect(await storedUnprotected()).toEqual([])
    expect(soFar).toBeLessThan(sent.length)
    for (const { name } of [...failed(sent), ...notYet(sent)])
      expect(await cluster.api.create(labelled(name))).toMatchObject({ status: 201 })
  }, 300_000)
})
