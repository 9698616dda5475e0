// The certificate that a server shows, signed by our authority.
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { generate } from 'selfsigned'
import { type Authority, pem } from './authority.ts'
import { days, validity } from './validity.ts'

export type Leaf = { readonly cert: string; readonly key: string }

export const LEAF_MS = days(7)

/** DNS names and IP addresses. The common name is no name of the server: it may have 64 characters only, these 253. */
export async function issueLeaf(
  authority: Authority,
  names: readonly string[],
  now: Date,
  lifetimeMs = LEAF_MS,
): Promise<Leaf> {
  // Nobody accepts it for longer than its authority.
  const most = new X509Certificate(authority.cert).validToDate.getTime() - now.getTime()
  const made = await generate([{ name: 'commonName', value: 'portcullis' }], {
    ...validity(now, Math.min(lifetimeMs, most)),
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
