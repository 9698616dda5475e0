// When an authority follows another: published first, signing once everybody trusts it, forgotten when nothing that the
// old one signed is valid any more.
import { X509Certificate } from 'node:crypto'
import { type Authorities, type Found, MOST, newest } from './authorities.ts'
import type { Authority } from './authority.ts'
import { AUTHORITY_MS, isDue, LEAF_MS } from './validity.ts'

export type RotationTimes = {
  readonly authorityMs: number
  readonly leafMs: number
  /** So long a published authority waits, after it was seen in every configuration, for API servers that hear late. */
  readonly overlapMs: number
}

export const ROTATION_TIMES: RotationTimes = { authorityMs: AUTHORITY_MS, leafMs: LEAF_MS, overlapMs: 60_000 }

/**
 * create: nothing can sign, so one is made that signs at once. rewrite: what can be kept is written in its form again.
 * publish: a next one is made. promote: it signs. prune: old ones are forgotten.
 */
export type Step = 'create' | 'rewrite' | 'publish' | 'promote' | 'prune'

/** `confirmedMs`: so long every configuration has been seen with all that are in the Secret; undefined: it was not. */
export function nextStep(
  { authorities, isWhole }: Found,
  now: number,
  confirmedMs: number | undefined,
  times: RotationTimes,
): Step | undefined {
  if (authorities === undefined) return 'create'
  if (!isWhole) return 'rewrite'
  const { signing, since, next, old } = authorities
  if (old.length > 0 && now >= since + times.leafMs + marginMs(times)) return 'prune'
  if (next !== undefined) {
    const isOverlap = confirmedMs !== undefined && confirmedMs >= (endsSoon(signing, now, times) ? 0 : times.overlapMs)
    return isOverlap ? 'promote' : undefined
  }
  const isFull = 1 + old.length >= MOST
  return !isFull && isDue(new X509Certificate(signing.cert), new Date(now)) ? 'publish' : undefined
}

/**
 * What API servers trust may be overwritten again and again, so that the next one is never seen there for long enough. It
 * signs all the same once there is little time left: else all leaves of the old one end together with it.
 */
function endsSoon({ cert }: Authority, now: number, { leafMs }: RotationTimes): boolean {
  return new X509Certificate(cert).validToDate.getTime() - now <= leafMs / 3
}

/** Whether a step needs an authority that is new. */
export function makesOne(step: Step): boolean {
  return step === 'create' || step === 'publish'
}

/**
 * What is to be stored. `made`: the new authority. `trusted`: what clients trust at present: where nothing is left that can
 * sign, servers still show what those signed.
 */
export function afterStep(
  step: Step,
  { authorities, readable }: Found,
  now: number,
  made: Authority | undefined,
  trusted: readonly string[] = [],
): Authorities {
  if (step === 'create') {
    if (made === undefined) throw new Error('create without a new authority')
    // It is trusted already where it was published before, and could not be stored.
    const others = newest([...readable, ...trusted]).filter(cert => cert !== made.cert)
    return { signing: made, since: now, old: others.slice(0, MOST - 1) }
  }
  if (authorities === undefined) throw new Error(`${step} where nothing can sign`)
  const { signing, since, next, old } = authorities
  switch (step) {
    case 'rewrite':
      return authorities
    case 'publish':
      return made === undefined ? authorities : { ...authorities, next: made }
    case 'promote':
      return next === undefined ? authorities : { signing: next, since: now, old: [signing.cert, ...old] }
    case 'prune':
      return { signing, since, ...(next === undefined ? {} : { next }), old: [] }
  }
}

/** For clocks that differ, and for a replica that reads the Secret as it changes and signs a moment later. */
function marginMs({ leafMs }: RotationTimes): number {
  return leafMs / 7
}
