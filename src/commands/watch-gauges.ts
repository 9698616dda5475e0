// What is measured of the watches that fill a store, whoever reads it.
import prom, { type Registry } from 'prom-client'
import type { Clock } from '../kube/clock.ts'
import type { WatchedAll } from '../kube/watch-all.ts'
import type { Watched } from '../kube/watched.ts'

type Feed = () => Pick<WatchedAll, 'kinds'>

/** `clock`: the watches'. */
export function measureWatches(registry: Registry, feed: Feed, clock: Pick<Clock, 'now'>): void {
  const ofKinds = (name: string, help: string, read: (watched: Watched) => number) => {
    new prom.Gauge({
      name,
      help,
      labelNames: ['kind'],
      registers: [registry],
      collect() {
        for (const [kind, watched] of feed().kinds) this.set({ kind }, read(watched))
      },
    })
  }
  ofKinds('portcullis_facts', 'Objects that are known.', ({ size }) => size)
  ofKinds('portcullis_watch_synced', '1: there was a complete list.', ({ synced }) => Number(synced))
  ofKinds('portcullis_watch_absent', '1: the cluster does not have this kind.', ({ absent }) => Number(absent))
  const age = 'Since when the API server has said nothing of this kind.'
  ofKinds('portcullis_watch_age_seconds', age, ({ lastHeard }) => (clock.now() - lastHeard) / 1000)
  countWatches(registry, feed)
}

function countWatches(registry: Registry, feed: Feed): void {
  const count = (name: string, help: string, read: ({ counts }: Watched) => number) => {
    new prom.Counter({
      name,
      help,
      labelNames: ['kind'],
      registers: [registry],
      collect() {
        this.reset()
        for (const [kind, watched] of feed().kinds) this.inc({ kind }, read(watched))
      },
    })
  }
  count('portcullis_watch_lists_total', 'Lists that were asked for.', ({ counts }) => counts.lists)
  count('portcullis_watch_lists_complete_total', 'Lists whose end has come.', ({ counts }) => counts.complete)
  count('portcullis_watch_starts_total', 'Watches that were asked for.', ({ counts }) => counts.watches)
  count('portcullis_watch_events_total', 'Changes that were taken.', ({ counts }) => counts.events)
  count('portcullis_watch_faults_total', 'Objects that could not be taken.', ({ counts }) => counts.faults)
  new prom.Counter({
    name: 'portcullis_watch_setbacks_total',
    help: 'Lists and watches that did not go on, by cause.',
    labelNames: ['kind', 'cause'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [kind, { counts }] of feed().kinds) {
        for (const [cause, times] of Object.entries(counts.setbacks)) this.inc({ kind, cause }, times)
      }
    },
  })
}
