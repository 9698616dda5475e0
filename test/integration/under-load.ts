// A whole cluster while routes are created in it all the time, every second one labelled, and what has to be true of all of
// them afterwards.
import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals'
import { labelled, unlabelled } from './faults.ts'
import type { Start } from './installed.ts'
import { counted, followLiveness, type Liveness } from './liveness.ts'
import { failed, figures, type Load, type Sent, startLoad, texts, unprotected } from './load.ts'
import type { Pod } from './pods.ts'
import { startWhole, type WholeCluster } from './whole-cluster.ts'

/** PORTCULLIS_FAULT_RATE: another. */
export const PER_SECOND = Number(process.env.PORTCULLIS_FAULT_RATE) || 100

export type UnderLoad = {
  cluster(): WholeCluster
  /** By one that is ready before the first one ends. `leaving`: it is about to. */
  replaceController(start: Start, leaving?: (old: Pod) => Promise<void>): Promise<void>
  /** Ends the load: no request failed, nothing is open, nobody died, and never did two lead. What was sent. */
  isWhole(what: string): Promise<readonly Sent[]>
}

/** Within a `describe`: each test has a load of its own. */
export function underLoad(start: Start): UnderLoad {
  let cluster: WholeCluster
  let load: Load
  let liveness: Liveness

  beforeAll(async () => {
    cluster = await startWhole(2, start)
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

  return {
    cluster: () => cluster,
    async replaceController(next, leaving = async () => {}) {
      const [old] = cluster.controllers as [Pod, ...Pod[]]
      const started = await cluster.installed.startController(next)
      await started.ready()
      await leaving(old)
      await old.terminate()
      cluster.controllers.splice(0, 1)
      cluster.controllers.push(started)
    },
    async isWhole(what) {
      await liveness.stop()
      const sent = await load.stop()
      process.stdout.write(figures(what, sent))
      process.stdout.write(`${[...texts(sent), `/healthz of controllers ${counted(liveness.answers)}`].join('\n')}\n`)
      expect(failed(sent)).toEqual([])
      expect(unprotected(sent)).toEqual([])
      expect(await cluster.open()).toEqual([])
      expect(liveness.mostLeaders).toBeLessThanOrEqual(1)
      return sent
    },
  }
}
