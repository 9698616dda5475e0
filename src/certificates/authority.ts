// A certificate authority of our own: one key pair that signs leaves and nothing else.
import { randomBytes } from 'node:crypto'
import { BasicConstraints, id_ce_basicConstraints, id_ce_keyUsage, KeyUsage, KeyUsageFlags } from '@peculiar/asn1-x509'
import { extension, makeCertificate } from './certificate.ts'
import type { Pair } from './pem.ts'
import { AUTHORITY_MS, validity } from './validity.ts'

export type Authority = Pair

export async function createAuthority(now: Date, lifetimeMs = AUTHORITY_MS): Promise<Authority> {
  return makeCertificate({
    // A name for each generation: in a bundle of two authorities with one name, OpenSSL tries one of them only.
    commonName: `portcullis-ca-${randomBytes(4).toString('hex')}`,
    ...validity(now, lifetimeMs),
    extensions: [
      extension(id_ce_basicConstraints, new BasicConstraints({ cA: true, pathLenConstraint: 0 }), true),
      extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign), true),
    ],
  })
}
