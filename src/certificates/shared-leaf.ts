// Why a replica needs another leaf, judged by what the shared Secret holds at that moment.
import { X509Certificate } from 'node:crypto'
import { type Authorities, authoritiesIn, bundleOf } from './authorities.ts'
import type { RotationTimes } from './rotation.ts'
import { outsideOfItsTime } from './validity.ts'

/** Undefined: the one that is in use is good. */
export function whyAnother(
  leaf: X509Certificate | undefined,
  authorities: Authorities,
  now: number,
  { leafMs, overlapMs }: RotationTimes,
): string | undefined {
  if (leaf === undefined) return 'there was none'
  const outside = outsideOfItsTime(leaf, now)
  if (outside !== undefined) return outside
  if (!isTrusted(leaf, authorities)) return 'its authority is not in the shared Secret'
  const end = leaf.validToDate.getTime()
  // Of one that ends with its authority there is none that lasts longer.
  const isLast = isIssuedBy(leaf, authorities.signing.cert) && end >= endOf(authorities.signing.cert)
  if (end - now <= leafMs / 3 && !isLast) return 'two thirds of its time are over'
  // Where an authority was made anew because the Secret was lost, API servers hear of it a moment later.
  const isHeard = now >= authorities.since + overlapMs / 12
  const isOfOld = isHeard && !isIssuedBy(leaf, authorities.signing.cert)
  return isOfOld ? 'another authority signs' : undefined
}

export function isTrusted(leaf: X509Certificate, authorities: Authorities): boolean {
  return authoritiesIn(bundleOf(authorities)).some(cert => isIssuedBy(leaf, cert))
}

function endOf(cert: string): number {
  return new X509Certificate(cert).validToDate.getTime()
}

function isIssuedBy(leaf: X509Certificate, cert: string): boolean {
  const authority = new X509Certificate(cert)
  return leaf.checkIssued(authority) && leaf.verify(authority.publicKey)
}
