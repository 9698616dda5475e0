// Who checks certificates: as an API server does, by Node's reading of them, OpenSSL's and Go's.
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { authoritiesIn } from '../../src/certificates/authorities.ts'

/** Whether a client that trusts the bundle accepts the leaf at that moment. */
export function accepts(bundle: string, leaf: X509Certificate, now: number): boolean {
  const isInTime = (each: X509Certificate) => each.validFromDate.getTime() <= now && now < each.validToDate.getTime()
  const isIssuer = (each: X509Certificate) => leaf.checkIssued(each) && leaf.verify(each.publicKey)
  const trusted = authoritiesIn(bundle).map(cert => new X509Certificate(cert))
  return isInTime(leaf) && trusted.some(each => isInTime(each) && isIssuer(each))
}

/** What OpenSSL says of it; throws if it does not accept it. */
export function openssl(
  bundle: string,
  leaf: string,
  name: string,
  now: number,
  more: readonly string[] = ['-x509_strict'],
): string {
  const { bundleFile, leafFile } = files(bundle, leaf)
  const at = ['-attime', String(Math.floor(now / 1000))]
  const how = ['-purpose', 'sslserver', '-verify_hostname', name, '-CAfile', bundleFile]
  return execFileSync('openssl', ['verify', ...more, ...how, ...at, leafFile], { encoding: 'utf8', stdio: 'pipe' })
}

export function files(bundle: string, leaf: string): { bundleFile: string; leafFile: string } {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-verify-'))
  const [bundleFile, leafFile] = [join(dir, 'bundle.pem'), join(dir, 'leaf.pem')]
  writeFileSync(bundleFile, bundle)
  writeFileSync(leafFile, leaf)
  return { bundleFile, leafFile }
}
