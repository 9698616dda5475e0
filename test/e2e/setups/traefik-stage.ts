// What the setups behind Traefik have in common: one stage, and another team with an application of its own.
import type { Place, TeamOfPlace } from '../protected.ts'
import type { Stage } from '../stage/stage.ts'
import type { RunningSetup } from './running.ts'
import type { Setup } from './setup.ts'

export type OnStage = {
  readonly stage: () => Stage
  readonly running: (setup: Setup) => RunningSetup
  /** Of the other team. */
  readonly elsewhere: Place
  readonly otherTeam: () => TeamOfPlace
}
