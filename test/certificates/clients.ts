// Who checks certificates: as an API server does, by Node's reading of them, OpenSSL's and Go's.
import { execFileSync, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { authoritiesIn } from '../../src/certificates/authorities.ts'
import { programAt } from '../parts/locate.ts'

/** Whether a client that trusts the bundle accepts the leaf at that moment. */
export function accepts(bundle: string, leaf: X509Certificate, now: number): boolean {
  const isInTime = (each: X509Certificate) => each.validFromDate.getTime() <= now && now < each.validToDate.getTime()
  const isIssuer = (each: X509Certificate) => leaf.checkIssued(each) && leaf.verify(each.publicKey)
  const trusted = authoritiesIn(bundle).map(cert => new X509Certificate(cert))
  return isInTime(leaf) && trusted.some(each => isInTime(each) && isIssuer(each))
}

/** Part `openssl`. */
export function opensslAccepts(
  bundle: string,
  leaf: string,
  name: string,
  now: number,
  more: readonly string[] = ['-x509_strict'],
): boolean {
  const { bundleFile, leafFile } = files(bundle, leaf)
  const at = ['-attime', String(Math.floor(now / 1000))]
  const how = ['-purpose', 'sslserver', '-verify_hostname', name, '-CAfile', bundleFile]
  return spawnSync(programAt('openssl'), ['verify', ...more, ...how, ...at, leafFile]).status === 0
}

/** Part `verify`. */
export function goAccepts(bundle: string, leaf: string, name: string): boolean {
  const { bundleFile, leafFile } = files(bundle, leaf)
  return spawnSync(programAt('verify'), [bundleFile, name, leafFile]).status === 0
}

/** As OpenSSL prints it. */
export function printed(cert: string): string {
  return execFileSync(programAt('openssl'), ['x509', '-noout', '-text'], { input: cert, encoding: 'utf8' })
}

function files(bundle: string, leaf: string): { bundleFile: string; leafFile: string } {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-verify-'))
  const [bundleFile, leafFile] = [join(dir, 'bundle.pem'), join(dir, 'leaf.pem')]
  writeFileSync(bundleFile, bundle)
  writeFileSync(leafFile, leaf)
  return { bundleFile, leafFile }
}
