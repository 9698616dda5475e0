// From when to when certificates are valid, and when it is time for the next.
import type { X509Certificate } from 'node:crypto'

const HOUR = 60 * 60 * 1000
const DAY = 24 * HOUR
export const AUTHORITY_MS = 365 * DAY
export const LEAF_MS = 7 * DAY
/** Clocks of other machines may be behind ours. */
export const BACKDATED_MS = HOUR

export function validity(now: Date, lifetime: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(now.getTime() - BACKDATED_MS), notAfter: new Date(now.getTime() + lifetime) }
}

/** After two thirds of its life, which began when it was made. */
export function isDue(certificate: X509Certificate, now: Date): boolean {
  const from = certificate.validFromDate.getTime() + BACKDATED_MS
  const to = certificate.validToDate.getTime()
  return now.getTime() >= from + ((to - from) * 2) / 3
}

/** Why it is not valid now; undefined: it is. */
export function outsideOfItsTime({ validFromDate, validToDate }: X509Certificate, now: number): string | undefined {
  if (now < validFromDate.getTime()) return `is not valid before ${validFromDate.toISOString()}`
  return now < validToDate.getTime() ? undefined : `has expired, ${validToDate.toISOString()}`
}
