// What the webhook in a cluster lacks before it can answer: facts, a certificate, a listener that shows it.
import type { Source } from '../../certificates/source.ts'
import type { SelfDial } from '../../http/self-dial.ts'
import type { WatchedAll } from '../../kube/watch-all.ts'
import type { Log } from '../../log.ts'

/** Kinds of others may not be installed; without ours the installation is not complete, and "no team" would be a lie. */
export const OURS: readonly string[] = ['AuthTeam', 'AuthExemption']

export type Parts = {
  stopping: boolean
  readonly feed: () => Pick<WatchedAll, 'kinds' | 'ready'>
  certificate?: Pick<Source, 'problem'>
  dial?: Pick<SelfDial, 'problem'>
}

/** A line each. None of them depends on the API server once the facts have been there. */
export function missingOf({ stopping, feed, certificate, dial }: Parts): string[] {
  const lines = stopping ? ['it is shutting down'] : []
  const { kinds, ready } = feed()
  if (!ready()) {
    for (const [kind, { synced, absent }] of kinds) {
      if (absent && OURS.includes(kind))
        lines.push(`facts: ${kind} is not installed; apply the CustomResourceDefinitions`)
      else if (!synced && !absent) lines.push(`facts: no list of ${kind} yet`)
    }
  }
  const none = 'it has not been looked at yet'
  const wrong = { certificate: certificate ? certificate.problem() : none, listener: dial ? dial.problem() : none }
  for (const [what, problem] of Object.entries(wrong)) if (problem !== undefined) lines.push(`${what}: ${problem}`)
  return lines
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
