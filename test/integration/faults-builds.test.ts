// A build that is exchanged for another and back, while routes are created a hundred times a second: none fails.
// PORTCULLIS_OTHER_COMMIT: the build of that commit is the other one, otherwise that of these sources with another form of
// what is injected. PORTCULLIS_FAULT_RATE: another rate.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import type { KubeObject } from '../../src/core/types.ts'
import { describeWithParts } from '../parts/require.ts'
import { build } from './builds.ts'
import { labelled, unlabelled } from './faults.ts'
import type { Start } from './installed.ts'
import { counted, followLiveness, type Liveness } from './liveness.ts'
import { failed, figures, type Load, notYet, startLoad, texts, unprotected } from './load.ts'
import type { Pod } from './pods.ts'
import { startWhole, type WholeCluster, wholeParts } from './whole-cluster.ts'

const PER_SECOND = Number(process.env.PORTCULLIS_FAULT_RATE) || 100
const started = (more: object): Start => ({ config: more as unknown as KubeObject })
const OLDER = started({ injectionFormat: 1 })
const NEWER = started({ injectionFormat: 2 })

describeWithParts(`under ${PER_SECOND} requests a second`, wholeParts, () => {
  let cluster: WholeCluster
  let load: Load
  let liveness: Liveness

  const replaceController = async (start: Start) => {
    const [old] = cluster.controllers as [Pod, ...Pod[]]
    const next = await cluster.installed.startController(start)
    await next.ready()
    await old.terminate()
    cluster.controllers.splice(0, 1)
    cluster.controllers.push(next)
  }

  beforeAll(async () => {
    cluster = await startWhole(2, OLDER)
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

  test('a build is exchanged for another and back, and whoever is asked to try again succeeds', async () => {
    const bundle = await build(cluster.controlPlane.dir, process.env.PORTCULLIS_OTHER_COMMIT || undefined)
    const other = { ...NEWER, bundle }
    await replaceController(other)
    await cluster.installed.rollout(other)
    await replaceController(OLDER)
    await cluster.installed.rollout(OLDER)
    const sent = await isWhole('another build and back')
    for (const { name, isDryRun } of notYet(sent)) {
      const again = await cluster.api.create(labelled(name), undefined, isDryRun ? '?dryRun=All' : '')
      expect(again).toMatchObject({ status: 201 })
    }
  }, 300_000)
})
