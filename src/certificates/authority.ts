// A certificate authority of our own: one key pair that signs leaves and nothing else.
import { randomBytes } from 'node:crypto'
import { generate } from 'selfsigned'
import { days, validity } from './validity.ts'

export type Authority = { readonly cert: string; readonly key: string }

export const AUTHORITY_MS = days(365)

export async function createAuthority(now: Date, lifetimeMs = AUTHORITY_MS): Promise<Authority> {
  // A name for each generation: in a bundle of two authorities with one name, OpenSSL tries one of them only.
  const name = `portcullis-ca-${randomBytes(4).toString('hex')}`
  const made = await generate([{ name: 'commonName', value: name }], {
    ...validity(now, lifetimeMs),
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  })
  return { cert: pem(made.cert), key: pem(made.private) }
}

/** Ends with a line break, so that bundles are made by joining. */
export function pem(text: string): string {
  return `${text.trimEnd()}\n`
}
