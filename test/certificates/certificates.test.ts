import { createPublicKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:tls'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { type Authority, createAuthority } from '../../src/certificates/authority.ts'
import { issueLeaf, type Leaf } from '../../src/certificates/leaf.ts'
import { describeWithParts } from '../parts/require.ts'
import { opensslAccepts, printed } from './clients.ts'

const HOUR = 60 * 60 * 1000
const DAY = 24 * HOUR
const NAMES = ['portcullis.portcullis-system.svc', 'localhost', '127.0.0.1', '::1']
// Certificates know whole seconds.
const now = new Date('2026-03-01T12:00:00Z')

let authority: Authority
let leaf: Leaf
let ca: X509Certificate
let certificate: X509Certificate
beforeAll(async () => {
  authority = await createAuthority(now)
  leaf = await issueLeaf(authority, NAMES, now)
  ca = new X509Certificate(authority.cert)
  certificate = new X509Certificate(leaf.cert)
})

describe('the authority', () => {
  test('is one, for a year, from an hour ago on', () => {
    expect(ca.ca).toBe(true)
    expect(ca.checkIssued(ca)).toBe(true)
    expect(ca.validFromDate.getTime()).toBe(now.getTime() - HOUR)
    expect(ca.validToDate.getTime()).toBe(now.getTime() + 365 * DAY)
  })

  test('has a name of its own in each generation', async () => {
    expect(new X509Certificate((await createAuthority(now)).cert).subject).not.toBe(ca.subject)
  })
})

describe('the leaf', () => {
  test('is signed by the authority and by no other', async () => {
    expect(certificate.checkIssued(ca)).toBe(true)
    expect(certificate.verify(ca.publicKey)).toBe(true)
    const other = new X509Certificate((await createAuthority(now)).cert)
    expect(certificate.verify(other.publicKey)).toBe(false)
  })

  test('is no authority, and good for TLS servers alone', () => {
    expect(certificate.ca).toBe(false)
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
  })

  test('is for each of the names, and for no other', () => {
    expect(certificate.checkHost('portcullis.portcullis-system.svc')).toBeDefined()
    expect(certificate.checkHost('localhost')).toBeDefined()
    expect(certificate.checkIP('127.0.0.1')).toBeDefined()
    expect(certificate.checkIP('::1')).toBeDefined()
    expect(certificate.checkHost('portcullis')).toBeUndefined()
    expect(certificate.checkIP('127.0.0.2')).toBeUndefined()
  })

  test('may have a name longer than a common name may be', async () => {
    const long = `${'a'.repeat(63)}.${'b'.repeat(63)}.svc`
    const issued = new X509Certificate((await issueLeaf(authority, [long], now)).cert)
    expect(issued.checkHost(long)).toBeDefined()
    expect(issued.subject).toBe('CN=portcullis')
  })

  test('is valid for a week, from an hour ago on, for clocks that are behind', () => {
    expect(certificate.validFromDate.getTime()).toBe(now.getTime() - HOUR)
    expect(certificate.validToDate.getTime()).toBe(now.getTime() + 7 * DAY)
  })

  test('has an EC P-256 key', () => {
    expect(createPublicKey(leaf.key).asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' })
  })
})

describeWithParts('OpenSSL', ['openssl'], () => {
  test('reads of both: SHA-256, critical usages, and a chain that verifies', () => {
    for (const pem of [authority.cert, leaf.cert])
      expect(printed(pem)).toMatch(/Signature Algorithm: ecdsa-with-SHA256/)
    expect(printed(authority.cert)).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/)
    expect(printed(authority.cert)).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign/)
    expect(printed(leaf.cert)).toMatch(/Key Usage: critical\s+Digital Signature/)
    expect(opensslAccepts(authority.cert, leaf.cert, 'localhost', now.getTime())).toBe(true)
  })
})

test('a client that trusts a bundle of two authorities, in either order, connects to the leaf of each', async () => {
  const today = new Date()
  const authorities = [await createAuthority(today), await createAuthority(today)]
  for (const each of authorities) {
    const { cert, key } = await issueLeaf(each, ['localhost'], today)
    const server = createServer({ cert, key }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    for (const bundle of [authorities, authorities.toReversed()]) {
      const trusted = bundle.map(({ cert }) => cert).join('')
      const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: trusted })
      await once(socket, 'secureConnect')
      expect(socket.authorized).toBe(true)
      socket.destroy()
    }
    server.close()
  }
})
