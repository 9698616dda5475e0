// Facts that are still missing, in words, and a log that says when readiness changes.
import type { WatchedAll } from '../kube/watch-all.ts'
import type { Log } from '../log.ts'

/** Kinds of others may not be installed; without ours the installation is not complete, and "no team" would be a lie. */
const OURS: readonly string[] = ['AuthTeam', 'AuthExemption']

/** A line each; none once the facts have been there. */
export function missingFacts({ kinds, ready }: Pick<WatchedAll, 'kinds' | 'ready'>): string[] {
  if (ready()) return []
  return [...kinds].flatMap(([kind, { synced, absent, trouble }]) => {
    if (absent && OURS.includes(kind)) return [`facts: ${kind} is not installed; apply the CustomResourceDefinitions`]
    if (synced || absent) return []
    return [`facts: no list of ${kind} yet${trouble === undefined ? '' : `: ${trouble.detail}`}`]
  })
}

/** What is ready only with our own kinds. */
export function withOurs<W extends WatchedAll>(watched: W): W {
  const own = OURS.map(kind => watched.kinds.get(kind))
  return { ...watched, ready: () => own.every(each => each?.synced) && watched.ready() }
}

/** To be called again and again: says in the log when readiness changes. */
export function readinessLog(missing: () => readonly string[], log: Log): () => void {
  let before: string | undefined
  return () => {
    const lines = missing()
    const now = lines.length === 0 ? 'ready' : 'not ready'
    if (now === before) return
    before = now
    if (lines.length === 0) log.info({}, now)
    else log.warn({ missing: lines }, now)
  }
}
