// Certificates in a folder: ca.crt, tls.crt and tls.key, as a Secret of type kubernetes.io/tls has them.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { isDue } from './validity.ts'

export type Certificates = { readonly ca: string; readonly cert: string; readonly key: string }
/** `madeBecause`: they are new, because the old ones were so; absent: they were there, and good. */
export type Ensured = Certificates & { readonly madeBecause?: string }

/** Every development certificate has these. */
export const LOCAL_NAMES: readonly string[] = ['localhost', '127.0.0.1', '::1']

const CA = 'ca.crt'
const CERT = 'tls.crt'
const KEY = 'tls.key'

export async function ensureCertificates(dir: string, names: readonly string[], now: Date): Promise<Ensured> {
  const old = await readCertificates(dir)
  const wrong = old === undefined ? 'there were none' : whatIsWrong(old, names, now)
  if (old !== undefined && wrong === undefined) return old
  const made = await makeCertificates([...new Set([...names, ...namesOf(old?.cert)])], now)
  await mkdir(dir, { recursive: true })
  await replaceFile(join(dir, KEY), made.key, 0o600)
  await replaceFile(join(dir, CERT), made.cert, 0o644)
  await replaceFile(join(dir, CA), made.ca, 0o644)
  return { ...made, madeBecause: wrong ?? '' }
}

async function readCertificates(dir: string): Promise<Certificates | undefined> {
  try {
    const [ca, cert, key] = await Promise.all([CA, CERT, KEY].map(name => readFile(join(dir, name), 'utf8')))
    return { ca: ca!, cert: cert!, key: key! }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function whatIsWrong(old: Certificates, names: readonly string[], now: Date): string | undefined {
  const ca = certificate(old.ca)
  const leaf = certificate(old.cert)
  if (ca === undefined) return `${CA} was damaged`
  if (leaf === undefined) return `${CERT} was damaged`
  if (!ca.ca || !leaf.checkIssued(ca) || !leaf.verify(ca.publicKey)) return `${CERT} was not issued by ${CA}`
  if (!isKeyOf(leaf, old.key)) return `${KEY} was damaged or not the key of ${CERT}`
  for (const [name, each] of [
    [CERT, leaf],
    [CA, ca],
  ] as const) {
    if (each.validToDate <= now) return `${name} had expired`
    if (each.validFromDate > now) return `${name} was not valid yet`
    if (isDue(each, now)) return `${name} was near its end`
  }
  const missing = names.find(name => (isIP(name) === 0 ? leaf.checkHost(name) : leaf.checkIP(name)) === undefined)
  return missing === undefined ? undefined : `${CERT} was not for ${missing}`
}

function certificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}

function isKeyOf(leaf: X509Certificate, pem: string): boolean {
  try {
    return leaf.checkPrivateKey(createPrivateKey(pem))
  } catch {
    return false
  }
}

/** Names that somebody once asked for are kept when a certificate is made anew. */
function namesOf(pem = ''): string[] {
  const names = certificate(pem)?.subjectAltName ?? ''
  return [...names.matchAll(/(?:^|, )(?:DNS|IP Address):([^,"]+)/g)].map(([, name]) => canonical(name!))
}

/** IPv6 addresses come back spelled out. */
function canonical(name: string): string {
  return isIP(name) === 6 ? new URL(`http://[${name}]`).hostname.slice(1, -1) : name
}

async function makeCertificates(names: readonly string[], now: Date): Promise<Certificates> {
  // Loaded when needed: these bring an ASN.1 library, which a start with good certificates need not wait for.
  const [{ createAuthority }, { issueLeaf }] = await Promise.all([import('./authority.ts'), import('./leaf.ts')])
  const authority = await createAuthority(now)
  const leaf = await issueLeaf(authority, names, now)
  return { ca: authority.cert, cert: leaf.cert, key: leaf.key }
}

/** Whoever reads meanwhile reads the old file or the new one, never half of it. */
async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const next = `${path}.${process.pid}.new`
  await writeFile(next, text, { mode })
  await rename(next, path)
}
