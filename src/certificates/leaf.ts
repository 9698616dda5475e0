// The certificate that a server shows, signed by our authority.
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import {
  BasicConstraints,
  ExtendedKeyUsage,
  GeneralName,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_kp_serverAuth,
  KeyUsage,
  KeyUsageFlags,
  SubjectAlternativeName,
} from '@peculiar/asn1-x509'
import type { Authority } from './authority.ts'
import { extension, makeCertificate } from './certificate.ts'
import type { Pair } from './pem.ts'
import { LEAF_MS } from './validity.ts'

export type Leaf = Pair

/** DNS names and IP addresses. The common name is no name of the server: it may have 64 characters only, these 253. */
export async function issueLeaf(
  authority: Authority,
  names: readonly string[],
  now: Date,
  lifetimeMs = LEAF_MS,
): Promise<Leaf> {
  const { validFromDate, validToDate } = new X509Certificate(authority.cert)
  const contents = {
    commonName: 'portcullis',
    // From when its authority is: else one that is made by a clock that is days ahead is accepted by nobody else.
    notBefore: new Date(validFromDate.getTime()),
    // Nobody accepts it for longer than its authority.
    notAfter: new Date(Math.min(now.getTime() + lifetimeMs, validToDate.getTime())),
    extensions: [
      extension(id_ce_basicConstraints, new BasicConstraints({ cA: false }), true),
      extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.digitalSignature), true),
      extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth])),
      extension(id_ce_subjectAltName, new SubjectAlternativeName(names.map(nameOf))),
    ],
  }
  return makeCertificate(contents, authority)
}

function nameOf(name: string): GeneralName {
  return new GeneralName(isIP(name) === 0 ? { dNSName: name } : { iPAddress: name })
}
