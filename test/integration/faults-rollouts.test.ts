// Authorities that follow each other and replicas that are replaced, while routes are created a hundred times a second: none
// fails. PORTCULLIS_FAULT_MINUTES: so many authorities, one a minute, and twice as many rolling restarts; two of each
// otherwise. PORTCULLIS_FAULT_RATE: another rate.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import type { KubeObject } from '../../src/core/types.ts'
import { describeWithParts } from '../parts/require.ts'
import { until } from './api.ts'
import { labelled, unlabelled } from './faults.ts'
import type { Start } from './installed.ts'
import { counted, followLiveness, type Liveness } from './liveness.ts'
import { failed, figures, type Load, notYet, startLoad, texts, unprotected } from './load.ts'
import type { Pod } from './pods.ts'
import { minutes, startWhole, type WholeCluster, wholeParts } from './whole-cluster.ts'

const PER_SECOND = Number(process.env.PORTCULLIS_FAULT_RATE) || 100
const LONG = minutes(0)
const ROTATIONS = LONG || 2
const RESTARTS = LONG > 0 ? 2 * LONG : 2
/** The next one is published when two thirds of its time are over. */
const AUTHORITY_SECONDS = LONG > 0 ? 90 : 63
const FAST = {
  mode: 'self',
  authoritySeconds: AUTHORITY_SECONDS,
  leafSeconds: AUTHORITY_SECONDS / 3,
  overlapSeconds: 5,
}
const MINUTE_MS = 60_000
const WITHIN_MS = (ROTATIONS + RESTARTS) * MINUTE_MS + 2 * MINUTE_MS

const START: Start = { config: { certificates: FAST } as unknown as KubeObject }

describeWithParts(`under ${PER_SECOND} requests a second`, wholeParts, () => {
  let cluster: WholeCluster
  let load: Load
  let liveness: Liveness

  const promoted = async () => {
    const all = cluster.controllers.map(each => each.metric('portcullis_authority_changes_total{step="promote"}'))
    return (await Promise.all(all)).reduce((sum, each) => sum + (each || 0), 0)
  }
  /** Those that are replaced take their count with them. */
  const rotations = { before: 0 }
  const rotated = async () => rotations.before + (await promoted())
  const replaceController = async (start: Start) => {
    const [old] = cluster.controllers as [Pod, ...Pod[]]
    const next = await cluster.installed.startController(start)
    await next.ready()
    rotations.before += (await old.metric('portcullis_authority_changes_total{step="promote"}')) || 0
    await old.terminate()
    cluster.controllers.splice(0, 1)
    cluster.controllers.push(next)
  }

  beforeAll(async () => {
    cluster = await startWhole(2, START)
  }, 300_000)

  beforeEach(() => {
    liveness = followLiveness(() => cluster.controllers)
    const prefix = `load-${Date.now()}`
    load = startLoad(cluster.controlPlane, {
      perSecond: PER_SECOND,
      route: turn => (turn % 2 === 0 ? labelled : unlabelled)(`${prefix}-${turn}`),
      isDryRun: turn => turn % 20 > 1,
    })
  })

  afterEach(async () => {
    await liveness.stop()
    await load.stop()
  }, 120_000)

  afterAll(() => cluster?.stop(), 60_000)

  const isWhole = async (what: string) => {
    await liveness.stop()
    const sent = await load.stop()
    process.stdout.write(figures(what, sent))
    process.stdout.write(`${[...texts(sent), `/healthz of controllers ${counted(liveness.answers)}`].join('\n')}\n`)
    expect(failed(sent)).toEqual([])
    expect(unprotected(sent)).toEqual([])
    expect(await cluster.open()).toEqual([])
    expect(liveness.mostLeaders).toBeLessThanOrEqual(1)
    return sent
  }

  test(
    `${ROTATIONS} authorities follow each other and ${RESTARTS} rolling restarts are made, and no request fails`,
    async () => {
      const before = await rotated()
      let restarts = 0
      while (restarts < RESTARTS || (LONG > 0 && (await rotated()) - before < ROTATIONS)) {
        await cluster.installed.rollout(START)
        // Not where the next authority has to be there within seconds: a leader that is new waits anew.
        if (restarts++ % 2 === 0 && LONG > 0) await replaceController(START)
      }
      await until('authorities', async () => (await rotated()) - before >= ROTATIONS, WITHIN_MS)
      // Whatever the last one that signed before has signed is out of use by then.
      await sleep(3_000)
      const sent = await isWhole(`${(await rotated()) - before} authorities, ${restarts} rolling restarts`)
      expect(notYet(sent)).toEqual([])
    },
    2 * WITHIN_MS,
  )
})
