// The reference setups behind Traefik, those of ingress-nginx among them: by hand, and by one label.
import { afterAll, beforeAll } from '@jest/globals'
import type { KubeObject } from '../../../src/core/types.ts'
import { describeWithParts } from '../../parts/require.ts'
import { ingress } from '../stage/objects.ts'
import { progressOn } from '../stage/progress.ts'
import { type Stage, stageParts, startStage } from '../stage/stage.ts'
import { exampleTeams } from '../stage/team.ts'
import { describeEverybody, everybody, wantedByEverybody } from './1-traefik.ts'
import { central, describeCentral } from './3-prometheus.ts'
import { colors, describeColors, wantedByColors } from './4-colors.ts'
import { describeReports, reports, wantedByReports } from './5-reports.ts'
import { type RunningSetup, startSetup, type Wanted } from './running.ts'
import { placeOf, type Setup } from './setup.ts'
import type { OnStage } from './traefik-stage.ts'

const [, otherTeam] = exampleTeams('corp.test')
const SETUPS: readonly (readonly [Setup, Wanted])[] = [
  [everybody, wantedByEverybody],
  [central, {}],
  [colors, wantedByColors],
  [reports, wantedByReports],
]

describeWithParts('reference setups behind Traefik', [...stageParts.traefik, 'chromium'], () => {
  const running = new Map<Setup, RunningSetup>()
  let stage: Stage

  beforeAll(async () => {
    const clients = SETUPS.map(([{ client }]) => client)
    const hosts = SETUPS.flatMap(([{ team }]) => team.proxy.cookieDomains).flatMap(each => [each, `*.${each}`])
    const progress = progressOn(process.stdout)
    stage = await startStage({ gateway: 'traefik', teams: [otherTeam], clients, hosts, progress })
    await stage.startApplication(otherTeam.namespace, 'cart')
    for (const [setup, wanted] of SETUPS) {
      const start = () => startSetup(stage, setup, wanted)
      running.set(setup, await progress.step(`reference setup of ${setup.team.name}`, start))
    }
  }, 400_000)
  afterAll(async () => {
    for (const each of running.values()) await each.stop()
    await stage?.stop()
  }, 60_000)

  const on: OnStage = {
    stage: () => stage,
    running: setup => running.get(setup) as RunningSetup,
    elsewhere: placeOf(cart()),
    otherTeam: () => {
      const [team] = stage.teams as [Stage['teams'][number]]
      return { ...team, name: team.options.name, loginHost: undefined }
    },
  }
  describeEverybody(on)
  describeCentral(on)
  describeColors(on)
  describeReports(on)
})

function cart(): KubeObject {
  const host = `cart.${otherTeam.domain}`
  return ingress('traefik', { namespace: otherTeam.namespace, name: 'cart', host, service: 'cart', port: 80 })
}
