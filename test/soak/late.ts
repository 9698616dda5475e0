// Whose fault it is that no answer came in time. Half of all routes are asked about without the label: nobody of ours has a
// part in those, so that by them it is seen when the API server itself is slow, on a machine that others use too.
import type { Sent } from '../integration/load.ts'

/** What was sent when, and what came of it. */
export type Answered = Pick<Sent, 'name' | 'status' | 'message' | 'began' | 'milliseconds'>

/** Hundreds of times what it takes. */
const SLOW_MS = 1_000

/** Out of time, wherever: the API server's own, or that of a webhook which it asked. */
export function isLate({ status, message }: Pick<Sent, 'status' | 'message'>): boolean {
  return status === 0 || status === 504 || /deadline exceeded|did not complete within/.test(message)
}

/** Which of these were late while something without the label was slow too. */
export function lateByOthers<A extends Answered>(all: readonly A[], sent: readonly Sent[]): readonly A[] {
  const slow = sent.filter(each => !each.isLabelled && (isLate(each) || each.milliseconds >= SLOW_MS))
  return all.filter(each => isLate(each) && slow.some(other => isMeanwhile(each, other)))
}

function isMeanwhile(a: Answered, b: Answered): boolean {
  return a.began <= b.began + b.milliseconds && b.began <= a.began + a.milliseconds
}
