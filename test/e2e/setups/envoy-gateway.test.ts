// The reference setup behind Envoy Gateway: by hand, and by one label.
import { afterAll, beforeAll } from '@jest/globals'
import { describeWithParts } from '../../parts/require.ts'
import { progressOn } from '../stage/progress.ts'
import { type Stage, stageParts, startStage } from '../stage/stage.ts'
import { untilAdmitted } from './2-by-hand.ts'
import { describeTeams } from './2-envoy-gateway.ts'
import { groupsOf, loginRouteOf, teamA, teamB } from './2-objects.ts'
import { type RunningSetup, startSetup } from './running.ts'
import type { Setup } from './setup.ts'

describeWithParts('reference setup behind Envoy Gateway', [...stageParts['envoy-gateway'], 'chromium'], () => {
  const running = new Map<Setup, RunningSetup>()
  let stage: Stage

  beforeAll(async () => {
    const clients = [teamA.client, teamB.client]
    const progress = progressOn(process.stdout)
    stage = await startStage({ gateway: 'envoy-gateway', teams: [], clients, progress })
    for (const [setup, of] of [
      [teamA, 'team-a'],
      [teamB, 'team-b'],
    ] as const) {
      const start = () => startSetup(stage, setup, { allowedGroups: groupsOf(of), objects: [loginRouteOf(setup)] })
      running.set(setup, await progress.step(`reference setup of ${of}`, start))
    }
    await progress.step('labels are admitted', () => untilAdmitted(stage))
  }, 400_000)
  afterAll(async () => {
    for (const each of running.values()) await each.stop()
    await stage?.stop()
  }, 60_000)

  describeTeams({ stage: () => stage, running: setup => running.get(setup) as RunningSetup })
})
