// What the webhook in a cluster lacks before it can answer: facts, a certificate, a listener that shows it.
import type { Source } from '../../certificates/source.ts'
import type { SelfDial } from '../../http/self-dial.ts'
import type { WatchedAll } from '../../kube/watch-all.ts'
import { missingFacts } from '../missing.ts'

export type Parts = {
  stopping: boolean
  readonly feed: () => Pick<WatchedAll, 'kinds' | 'ready'>
  certificate?: Pick<Source, 'problem'>
  dial?: Pick<SelfDial, 'problem'>
}

/** A line each. None of them depends on the API server once the facts have been there. */
export function missingOf({ stopping, feed, certificate, dial }: Parts): string[] {
  const lines = [...(stopping ? ['it is shutting down'] : []), ...missingFacts(feed())]
  const none = 'it has not been looked at yet'
  const wrong = { certificate: certificate ? certificate.problem() : none, listener: dial ? dial.problem() : none }
  for (const [what, problem] of Object.entries(wrong)) if (problem !== undefined) lines.push(`${what}: ${problem}`)
  return lines
}
