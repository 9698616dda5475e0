// Every kind of certificate that we make, under every bundle that there may be: OpenSSL and Go say what Node says.
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from '@jest/globals'
import { type Authority, createAuthority } from '../../src/certificates/authority.ts'
import { issueLeaf } from '../../src/certificates/leaf.ts'
import { describeWithParts } from '../parts/require.ts'
import { accepts, goAccepts, opensslAccepts, printed } from './clients.ts'

const NAME = 'portcullis-webhook.portcullis.svc'
const MINUTE = 60_000
const HASH = /^([0-9A-F]{2}:){19}[0-9A-F]{2}$/

let authorities: readonly Authority[]
/** Of each authority: one as they are, one that is cut short by its authority's end. */
let leaves: readonly { readonly cert: string; readonly by: Authority }[]
beforeAll(async () => {
  const now = new Date()
  const lives = [undefined, 10 * MINUTE, undefined]
  authorities = await Promise.all(lives.map(life => createAuthority(now, life)))
  const made = authorities.map(async by => ({ ...(await issueLeaf(by, [NAME, `${NAME}.cluster.local`], now)), by }))
  leaves = await Promise.all(made)
})

/** Of one, two and three, in every order. */
function bundles(): readonly (readonly Authority[])[] {
  const orders = (rest: readonly Authority[]): (readonly Authority[])[] => [
    [],
    ...rest.flatMap(each => orders(rest.filter(other => other !== each)).map(others => [each, ...others])),
  ]
  return orders(authorities).filter(each => each.length > 0)
}

function agree(verify: (bundle: string, leaf: string) => boolean): void {
  const seen = { accepted: 0, rejected: 0 }
  for (const bundle of bundles()) {
    const text = bundle.map(({ cert }) => cert).join('')
    for (const { cert, by } of leaves) {
      const isTrusted = bundle.includes(by)
      expect(accepts(text, new X509Certificate(cert), Date.now())).toBe(isTrusted)
      expect(verify(text, cert)).toBe(isTrusted)
      seen[isTrusted ? 'accepted' : 'rejected']++
    }
  }
  expect(seen).toEqual({ accepted: 33, rejected: 12 })
}

/** As OpenSSL prints them. */
function identifiers(cert: string): { subject: string | undefined; authority: string | undefined } {
  const text = printed(cert)
  const [subject, authority] = ['Subject', 'Authority'].map(of => {
    return new RegExp(`X509v3 ${of} Key Identifier: *\\n *(?:keyid:)?([0-9A-F:]+)`).exec(text)?.[1]
  })
  return { subject, authority }
}

function authorityByOpenssl(identifier: string): Authority {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-foreign-'))
  const [keyFile, certFile, config] = [join(dir, 'ca.key'), join(dir, 'ca.crt'), join(dir, 'ca.conf')]
  writeFileSync(config, '[req]\ndistinguished_name=dn\n[dn]\n')
  const usage = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign']
  const extensions = [...usage, `subjectKeyIdentifier=${identifier}`, 'authorityKeyIdentifier=none']
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile]
  const args = ['-x509', '-config', config, '-subj', '/O=Somebody/CN=else', '-days', '30', '-out', certFile]
  execFileSync('openssl', ['req', ...args, ...key, ...extensions.flatMap(each => ['-addext', each])], { stdio: 'pipe' })
  return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') }
}

test('a leaf never outlives its authority', () => {
  const ends = (cert: string) => new X509Certificate(cert).validToDate.getTime()
  for (const { cert, by } of leaves) expect(ends(cert)).toBeLessThanOrEqual(ends(by.cert))
})

test('serial numbers are positive, have at most 20 bytes, and differ', () => {
  const all = [...authorities, ...leaves].map(({ cert }) => new X509Certificate(cert).serialNumber)
  expect(new Set(all).size).toBe(6)
  // As hexadecimal: a first digit from 8 on would be a negative number, or one that a zero precedes.
  for (const each of all) expect(each).toMatch(/^[1-7][0-9A-F]{31}$/)
})

// With x509_strict it wants what RFC 5280 does; so does Python from 3.13 on, unless it is told not to.
describeWithParts('OpenSSL', ['openssl'], () => {
  const isGood = (bundle: string, leaf: string, more: readonly string[]) =>
    opensslAccepts(bundle, leaf, NAME, Date.now(), more)

  test.each([[[]], [['-x509_strict']]])('agrees, told %j', more => {
    agree((bundle, leaf) => isGood(bundle, leaf, more))
  }, 60_000)

  test('reads in a leaf which key signed it: the one that its authority says is its own', () => {
    for (const { cert, by } of leaves) {
      const [own, authority] = [identifiers(cert), identifiers(by.cert)]
      expect(own).toEqual({ subject: expect.stringMatching(HASH), authority: authority.subject })
      expect(authority).toEqual({ subject: expect.stringMatching(HASH), authority: authority.subject })
      expect(own.subject).not.toBe(authority.subject)
    }
    expect(new Set([...authorities, ...leaves].map(({ cert }) => identifiers(cert).subject)).size).toBe(6)
  })

  test.each([
    ['that calculated it another way', 'hash', ['-x509_strict']],
    ['that has none, as ours once had not', 'none', []],
  ])('agrees on a leaf by an authority %s', async (_, identifier, more) => {
    const foreign = authorityByOpenssl(identifier)
    const { cert } = await issueLeaf(foreign, [NAME], new Date())
    expect(identifiers(foreign.cert).subject === undefined).toBe(identifier === 'none')
    if (identifier !== 'none') expect(identifiers(cert).authority).toBe(identifiers(foreign.cert).subject)
    expect(isGood(foreign.cert, cert, more)).toBe(true)
  })
})

describeWithParts('Go, which API servers are written in,', ['verify'], () => {
  const verify = (bundle: string, leaf: string, name = NAME) => goAccepts(bundle, leaf, name)

  test('agrees', () => agree(verify), 60_000)

  test('takes a leaf for its names alone', () => {
    const [authority, leaf] = [authorities[0]?.cert as string, leaves[0]?.cert as string]
    expect(verify(authority, leaf)).toBe(true)
    expect(verify(authority, leaf, `${NAME}.cluster.local`)).toBe(true)
    expect(verify(authority, leaf, 'portcullis.portcullis.svc')).toBe(false)
  })
})
