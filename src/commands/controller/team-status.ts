// Writes the status of a team where it differs from what stands there.
import type { Outcome } from '../../controller/queue/queue.ts'
import { type Situation, statusPatch, teamStatus } from '../../controller/told/status.ts'
import { string } from '../../core/json.ts'
import type { FactStore } from '../../facts/store.ts'
import { refOf } from '../../kube/kinds.ts'
import type { Writer } from '../../kube/write.ts'
import type { Log } from '../../log.ts'
import type { Watching } from './watching.ts'

export type TeamStatusOptions = {
  readonly store: () => FactStore
  readonly watching: () => Watching
  readonly writer: Writer
  readonly refusals: (team: string) => Situation['refusals']
  readonly configurationProblems: () => readonly string[]
  readonly unjudged: () => string | undefined
  /** ms since the epoch. */
  readonly now: () => number
  readonly log: Log
}

const AGAIN_MS = 60_000

export async function settleTeamStatus(name: string, options: TeamStatusOptions): Promise<Outcome> {
  const { store, watching, writer, refusals, configurationProblems, unjudged, now, log } = options
  const stored = watching().teams.get(name)
  const team = store().team(name)
  // Gone, or never valid: there is nothing to say that admission has not said.
  if (stored === undefined || team === undefined) return { outcome: 'settled' }
  const { object, problems } = stored
  const status = teamStatus(team, store(), {
    stored: object,
    services: watching().services(),
    refusals: refusals(name),
    problems,
    configurationProblems: configurationProblems(),
    unjudged: unjudged(),
    now: now(),
  })
  const patch = statusPatch(object, status)
  if (patch.length === 0) return { outcome: 'settled' }
  const written = await writer.patch(refOf(object), string(object.metadata.resourceVersion) ?? '', patch, 'status')
  if (written.outcome === 'later' || written.outcome === 'conflict') return { outcome: 'failed' }
  if (written.outcome !== 'refused') return { outcome: 'settled' }
  log.warn({ team: name, message: written.message }, 'the status of a team could not be written')
  return { outcome: 'failed', afterMs: AGAIN_MS }
}
