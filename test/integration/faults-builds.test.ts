// A build that is exchanged for another and back, while routes are created a hundred times a second: none fails.
// PORTCULLIS_OTHER_COMMIT: the build of that commit is the other one, otherwise that of these sources with another form of
// what is injected. PORTCULLIS_FAULT_RATE: another rate.
import { expect, test } from '@jest/globals'
import type { KubeObject } from '../../src/core/types.ts'
import { describeWithParts } from '../parts/require.ts'
import { build } from './builds.ts'
import { labelled } from './faults.ts'
import type { Start } from './installed.ts'
import { notYet } from './load.ts'
import { PER_SECOND, underLoad } from './under-load.ts'
import { wholeParts } from './whole-cluster.ts'

const started = (more: object): Start => ({ config: more as unknown as KubeObject })
const OLDER = started({ injectionFormat: 1 })
const NEWER = started({ injectionFormat: 2 })

describeWithParts(`under ${PER_SECOND} requests a second`, wholeParts, () => {
  const { cluster, replaceController, isWhole } = underLoad(OLDER)

  test('a build is exchanged for another and back, and whoever is asked to try again succeeds', async () => {
    const { controlPlane, installed, api } = cluster()
    const bundle = await build(controlPlane.dir, process.env.PORTCULLIS_OTHER_COMMIT || undefined)
    const other = { ...NEWER, bundle }
    await replaceController(other)
    await installed.rollout(other)
    await replaceController(OLDER)
    await installed.rollout(OLDER)
    const sent = await isWhole('another build and back')
    for (const { name, isDryRun } of notYet(sent)) {
      const again = await api.create(labelled(name), undefined, isDryRun ? '?dryRun=All' : '')
      expect(again).toMatchObject({ status: 201 })
    }
  }, 300_000)
})
