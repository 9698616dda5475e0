// What the shared Secret holds: the authority that signs, the next one, and old ones that are only trusted. Read from
// whatever is there, since anybody may have damaged it, and written in one form.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { string, strings } from '../core/json.ts'
import type { Authority } from './authority.ts'
import { pem } from './pem.ts'
import { BACKDATED_MS, outsideOfItsTime } from './validity.ts'

export type Authorities = {
  readonly signing: Authority
  /** When it began to sign, in ms since the epoch. */
  readonly since: number
  /** Published, so that it is trusted by the time it signs. */
  readonly next?: Authority
  /** Certificates alone, the newest first. */
  readonly old: readonly string[]
}

export type Found = {
  /** Absent: nothing there can sign. */
  readonly authorities?: Authorities
  /** Whether it is there in the form in which it is written. */
  readonly isWhole: boolean
  /** The certificate of every authority in it, the newest first. */
  readonly readable: readonly string[]
}

/** Never more than these in a bundle, so that it does not grow with what goes wrong. */
export const MOST = 3

type Data = Readonly<Record<string, string>>

/** `data`: of the Secret, in base64. */
export function readAuthorities(data: unknown, now: number): Found {
  const texts = decoded(data)
  const readable = newest(Object.keys(texts).flatMap(key => authoritiesIn(texts[key] ?? '')))
  const [own, published] = [pairOf(texts, 'signing', now), pairOf(texts, 'next', now)]
  const [signing, second] = own === undefined ? [published] : [own, published]
  if (signing === undefined) return { isWhole: false, readable }
  // Two of one name in a bundle: OpenSSL would try one of them only.
  const next = second === undefined || subject(second.cert) === subject(signing.cert) ? undefined : second
  const since = own === undefined ? now : Date.parse(string(texts['signing.since']) ?? '')
  const left = MOST - (next === undefined ? 1 : 2)
  const authorities: Authorities = {
    signing,
    // Another leader's clock may be ahead of ours.
    since: since <= now + BACKDATED_MS ? since : now,
    ...(next === undefined ? {} : { next }),
    old: readable.filter(cert => cert !== signing.cert && cert !== next?.cert).slice(0, left),
  }
  return { authorities, isWhole: isSame(texts, dataOf(authorities)), readable }
}

/** In base64, for the Secret. */
export function writeAuthorities(authorities: Authorities): Data {
  const entries = Object.entries(dataOf(authorities))
  return Object.fromEntries(entries.map(([key, text]) => [key, Buffer.from(text).toString('base64')]))
}

/** All that are trusted, the newest first: it stays as it is when the next one begins to sign. */
export function bundleOf({ signing, next, old }: Authorities): string {
  return newest([signing.cert, ...(next === undefined ? [] : [next.cert]), ...old]).join('')
}

/** Every certificate of an authority in a text, in the form in which they are written. */
export function authoritiesIn(text: string): string[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return blocks.flatMap(block => (certificate(block)?.ca === true ? pem(block) : []))
}

/** Each once, of each subject the newest alone. */
export function newest(certs: readonly string[]): string[] {
  const from = (cert: string) => new X509Certificate(cert).validFromDate.getTime()
  const sorted = [...new Set(certs)].sort((a, b) => from(b) - from(a))
  return [...new Map(sorted.toReversed().map(cert => [subject(cert), cert])).values()].toReversed()
}

function dataOf({ signing, since, next, old }: Authorities): Data {
  return {
    'signing.crt': signing.cert,
    'signing.key': signing.key,
    'signing.since': new Date(since).toISOString(),
    ...(next === undefined ? {} : { 'next.crt': next.cert, 'next.key': next.key }),
    ...(old.length === 0 ? {} : { 'old.crt': old.join('') }),
  }
}

function decoded(data: unknown): Data {
  const read: Record<string, string> = Object.create(null)
  for (const [key, text] of Object.entries(strings(data))) read[key] = Buffer.from(text, 'base64').toString('utf8')
  return read
}

/** Undefined: it could sign nothing that anybody accepts now. */
function pairOf(texts: Data, name: string, now: number): Authority | undefined {
  const [cert, another] = authoritiesIn(texts[`${name}.crt`] ?? '')
  const key = texts[`${name}.key`]
  if (cert === undefined || another !== undefined || key === undefined) return undefined
  const authority = new X509Certificate(cert)
  const isRoot = authority.checkIssued(authority) && authority.verify(authority.publicKey)
  const isGood = isRoot && outsideOfItsTime(authority, now) === undefined && isKeyOf(authority, key)
  return isGood ? { cert, key: pem(key) } : undefined
}

function isKeyOf(authority: X509Certificate, text: string): boolean {
  try {
    const key = createPrivateKey(text)
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' && authority.checkPrivateKey(key)
  } catch {
    return false
  }
}

function certificate(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text)
  } catch {
    return undefined
  }
}

function subject(cert: string): string {
  return new X509Certificate(cert).subject
}

function isSame(a: Data, b: Data): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every(key => a[key] === b[key])
}
