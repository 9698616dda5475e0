// Authorities that follow each other and replicas that are replaced, while routes are created a hundred times a second: none
// fails. PORTCULLIS_FAULT_MINUTES: so many authorities, one a minute, and twice as many rolling restarts; two of each
// otherwise. PORTCULLIS_FAULT_RATE: another rate.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import type { KubeObject } from '../../src/core/types.ts'
import { describeWithParts } from '../parts/require.ts'
import { until } from './api.ts'
import type { Start } from './installed.ts'
import { notYet } from './load.ts'
import type { Pod } from './pods.ts'
import { PER_SECOND, underLoad } from './under-load.ts'
import { minutes, wholeParts } from './whole-cluster.ts'

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
  const { cluster, replaceController, isWhole } = underLoad(START)

  /** Those that are replaced take their count with them. */
  const rotations = { before: 0 }
  const rotated = async () => {
    const all = await Promise.all(cluster().controllers.map(promoted))
    return all.reduce((sum, each) => sum + each, rotations.before)
  }
  const keepCount = async (old: Pod) => {
    rotations.before += await promoted(old)
  }

  test(
    `${ROTATIONS} authorities follow each other and ${RESTARTS} rolling restarts are made, and no request fails`,
    async () => {
      const before = await rotated()
      let restarts = 0
      while (restarts < RESTARTS || (LONG > 0 && (await rotated()) - before < ROTATIONS)) {
        await cluster().installed.rollout(START)
        // Not where the next authority has to be there within seconds: a leader that is new waits anew.
        if (restarts++ % 2 === 0 && LONG > 0) await replaceController(START, keepCount)
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

async function promoted(controller: Pod): Promise<number> {
  return (await controller.metric('portcullis_authority_changes_total{step="promote"}')) || 0
}
