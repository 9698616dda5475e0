// A whole cluster goes down, with nothing of ours left running and every entry that refuses in force, and comes up again in
// any order: nobody helps, and no route gets in without its login.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type JsonObject, object } from '../../src/core/json.ts'
import { PROTECT } from '../../src/core/keys.ts'
import { startControllerManager } from '../parts/controller-manager.ts'
import { describeWithParts } from '../parts/require.ts'
import { type Api, until } from './api.ts'
import { namespace } from './cluster-objects.ts'
import { labelled, unlabelled } from './faults.ts'
import { isProtected } from './load.ts'
import { succeeds } from './objects.ts'
import type { Pod } from './pods.ts'
import { startWhole, type WholeCluster, wholeParts } from './whole-cluster.ts'

const WITHIN_MS = 120_000
const ASK_EVERY_MS = 100
const PODS = 5

describeWithParts('a cluster that was down altogether', [...wholeParts, 'kube-controller-manager'], () => {
  let cluster: WholeCluster
  let pods: Pod[] = []

  const webhooks = async () => {
    const { installed } = cluster
    pods.push(...(await Promise.all([installed.start(), installed.start()])))
  }
  const controllers = async () => {
    const { installed } = cluster
    pods.push(...(await Promise.all([installed.startController(), installed.startController()])))
  }
  const killAll = async () => {
    await Promise.all(pods.map(each => each.kill()))
    pods = []
  }
  const isAdmitted = async (name: string) => (await cluster.api.create(labelled(name))).status === 201

  beforeAll(async () => {
    cluster = await startWhole()
    pods.push(...cluster.installed.replicas, ...cluster.controllers)
  }, 300_000)

  afterAll(() => cluster?.stop(), 60_000)

  const nothing = async () => {}
  const orders: { first: string; second: string; whileAway: () => Promise<void>; after: () => Promise<void> }[] = [
    {
      first: 'the API server',
      second: 'controllers and webhooks',
      whileAway: nothing,
      async after() {
        await controllers()
        await webhooks()
      },
    },
    {
      first: 'webhooks and controllers',
      second: 'the API server, when they have long been asking for it',
      async whileAway() {
        await Promise.all([webhooks(), controllers()])
        await sleep(5_000)
      },
      after: nothing,
    },
    {
      first: 'webhooks',
      second: 'the API server, and the controllers only when a route was admitted',
      whileAway: webhooks,
      async after() {
        await until('a route is admitted', () => isAdmitted(`early-${Date.now()}`), WITHIN_MS)
        await controllers()
      },
    },
  ]
  test.each(orders)('comes up when first come $first, and then $second', async ({ first, whileAway, after }) => {
    await killAll()
    await cluster.controlPlane.restart(whileAway)
    const asking = keepAsking(cluster.api)
    try {
      await after()
      await until('routes are admitted', () => asking.counts.admitted > 10, WITHIN_MS)
      // Whoever serves one request may not be whoever serves the next.
      await Promise.all(pods.map(each => each.ready(WITHIN_MS)))
    } finally {
      await asking.stop()
    }
    const { counts } = asking
    process.stdout.write(`cold start, first ${first}: ${JSON.stringify(counts)}\n`)
    expect(counts.others).toBe(counts.asked)
    expect(await cluster.open()).toEqual([])
    expect(pods.filter(({ part }) => part.hasEnded())).toEqual([])
  }, 300_000)

  test('makes its pods, and whatever they need, while nobody answers for a label', async () => {
    const { api, controlPlane } = cluster
    await killAll()
    await until('nobody answers', async () => (await api.create(labelled('refused'))).status === 500)
    const running = await startControllerManager(controlPlane, {
      controllers: ['deployment-controller', 'replicaset-controller'],
    })
    try {
      const names = ['get', 'pods', '-n', 'portcullis', '-o', 'name']
      const made = async () => (await succeeds(controlPlane, names)).split('\n').filter(Boolean).length
      await until('the pods of both Deployments', async () => (await made()) === PODS, WITHIN_MS)
      const document = (apiVersion: string, kind: string, more: object = {}) =>
        api.create({ apiVersion, kind, metadata: { namespace: 'portcullis', name: 'needed' }, ...more })
      for (const each of [
        document('v1', 'Secret'),
        document('v1', 'ConfigMap'),
        document('coordination.k8s.io/v1', 'Lease'),
        document('discovery.k8s.io/v1', 'EndpointSlice', { addressType: 'IPv4', endpoints: [], ports: [] }),
      ])
        expect(await each).toMatchObject({ status: 201 })
      expect(await api.create(namespace('made-meanwhile'))).toMatchObject({ status: 201 })
      const relabelled = { metadata: { labels: { [PROTECT]: 'team-a' } } }
      expect(await api.patch(namespace('made-meanwhile'), relabelled)).toMatchObject({ status: 200 })
    } finally {
      await running.stop('SIGKILL')
    }
  }, 200_000)
})

/** Makes routes, one with the label and one without, from the moment at which the API server is back. */
function keepAsking(api: Api) {
  const counts = { asked: 0, others: 0, admitted: 0, firstAdmittedMs: 0, allReadyMs: 0 }
  const began = performance.now()
  let stopped = false
  const ask = async () => {
    const name = `asked-${Date.now()}`
    const [own, other] = await Promise.all([
      api.create(labelled(name)),
      api.create(unlabelled(`${name}-open`), undefined, '?dryRun=All'),
    ])
    counts.asked++
    if (other.status === 201) counts.others++
    if (own.status !== 201) return
    counts.admitted++
    counts.firstAdmittedMs ||= Math.round(performance.now() - began)
    expect(isProtected(object((own.body as JsonObject).metadata))).toBe(true)
  }
  const run = async () => {
    while (!stopped) {
      await ask()
      await sleep(ASK_EVERY_MS)
    }
  }
  const running = run()
  // Told by whoever waits for its end.
  running.catch(() => {})
  return {
    counts,
    began,
    stop() {
      stopped = true
      return running
    },
  }
}
