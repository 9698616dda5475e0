// What is measured of watches, whatever they fill.
import type { Registry } from 'prom-client'
import { counter, gauge } from '../http/metrics.ts'
import type { Clock } from '../kube/clock.ts'
import type { Watched } from '../kube/watched.ts'

/** Those that run now. */
export type Kinds = () => Iterable<readonly [kind: string, watched: Watched]>

const KIND = ['kind'] as const

/** `clock`: the watches'. */
export function measureWatches(registry: Registry, kinds: Kinds, clock: Pick<Clock, 'now'>): void {
  const ofKinds = (name: string, help: string, read: (watched: Watched) => number) =>
    gauge(registry, name, help, () => byKind(kinds, read), KIND)
  ofKinds('portcullis_facts', 'Objects that are known.', ({ size }) => size)
  ofKinds('portcullis_watch_synced', '1: there was a complete list.', ({ synced }) => Number(synced))
  ofKinds('portcullis_watch_absent', '1: the cluster does not have this kind.', ({ absent }) => Number(absent))
  const age = 'Since when the API server has said nothing of this kind.'
  ofKinds('portcullis_watch_age_seconds', age, ({ lastHeard }) => (clock.now() - lastHeard) / 1000)
  countWatches(registry, kinds)
}

function countWatches(registry: Registry, kinds: Kinds): void {
  const count = (name: string, help: string, read: ({ counts }: Watched) => number) =>
    counter(registry, name, help, KIND, () => byKind(kinds, read))
  count('portcullis_watch_lists_total', 'Lists that were asked for.', ({ counts }) => counts.lists)
  count('portcullis_watch_lists_complete_total', 'Lists whose end has come.', ({ counts }) => counts.complete)
  count('portcullis_watch_starts_total', 'Watches that were asked for.', ({ counts }) => counts.watches)
  count('portcullis_watch_events_total', 'Changes that were taken.', ({ counts }) => counts.events)
  count('portcullis_watch_faults_total', 'Objects that could not be taken.', ({ counts }) => counts.faults)
  const help = 'Lists and watches that did not go on, by cause.'
  counter(registry, 'portcullis_watch_setbacks_total', help, ['kind', 'cause'], () =>
    [...kinds()].flatMap(([kind, { counts }]) =>
      Object.entries(counts.setbacks).map(([cause, times]) => [{ kind, cause }, times] as const),
    ),
  )
}

function byKind(kinds: Kinds, read: (watched: Watched) => number) {
  return [...kinds()].map(([kind, watched]) => [{ kind }, read(watched)] as const)
}
