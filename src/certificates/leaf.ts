// The certificate that a server shows, signed by our authority.
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { generate } from 'selfsigned'
import { type Authority, pem } from './authority.ts'
import { days } from './validity.ts'

export type Leaf = { readonly cert: string; readonly key: string }

export const LEAF_MS = days(7)

/** DNS names and IP addresses. The common name is no name of the server: it may have 64 characters only, these 253. */
export async function issueLeaf(
  authority: Authority,
  names: readonly string[],
  now: Date,
  lifetimeMs = LEAF_MS,
): Promise<Leaf> {
  const { validFromDate, validToDate } = new X509Certificate(authority.cert)
  const made = await generate([{ name: 'commonName', value: 'portcullis' }], {
    // From when its authority is: else one that is made by a clock that is days ahead is accepted by nobody else.
    notBeforeDate: new Date(validFromDate.getTime()),
    // Nobody accepts it for longer than its authority.
    notAfterDate: new Date(Math.min(now.getTime() + lifetimeMs, validToDate.getTime())),
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    ca: authority,
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: names.map(altName) },
    ],
  })
  return { cert: pem(made.cert), key: pem(made.private) }
}

function altName(name: string): { type: 2; value: string } | { type: 7; ip: string } {
  return isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name }
}
