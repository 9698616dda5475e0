import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSecureContext } from 'node:tls'
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Ensured, ensureCertificates, LOCAL_NAMES } from '../../src/certificates/files.ts'
import { keepRenewed } from '../../src/certificates/renewal.ts'

const DAY = 24 * 60 * 60 * 1000
const now = new Date()
const root = mkdtempSync(join(tmpdir(), 'certificate-files-'))
afterAll(() => rmSync(root, { recursive: true }))

let dir: string
let first: Ensured
beforeEach(async () => {
  dir = join(mkdtempSync(join(root, 'case-')), 'certs')
  first = await ensureCertificates(dir, LOCAL_NAMES, now)
})

function file(name: string): string {
  return join(dir, name)
}

function daysFromNow(days: number): Date {
  return new Date(now.getTime() + days * DAY)
}

describe('a folder for certificates', () => {
  test('gets an authority, a leaf and its key, which nobody else can read', () => {
    expect(first.madeBecause).toBe('there were none')
    expect(readdirSync(dir).sort()).toEqual(['ca.crt', 'tls.crt', 'tls.key'])
    expect(statSync(file('tls.key')).mode & 0o777).toBe(0o600)
    expect(readFileSync(file('ca.crt'), 'utf8')).toBe(first.ca)
    expect(readFileSync(file('tls.crt'), 'utf8')).toBe(first.cert)
    expect(readFileSync(file('tls.key'), 'utf8')).toBe(first.key)
    expect(() => createSecureContext(first)).not.toThrow()
  })

  test('keeps good ones', async () => {
    const { madeBecause: _, ...certificates } = first
    expect(await ensureCertificates(dir, LOCAL_NAMES, daysFromNow(1))).toEqual(certificates)
  })

  const BROKEN: readonly [what: string, because: string, days: number, breakIt: () => Promise<void> | void][] = [
    ['that have expired', 'tls.crt had expired', 8, () => {}],
    ['that end soon', 'tls.crt was near its end', 5, () => {}],
    ['of the future', 'tls.crt was not valid yet', -1, () => {}],
    ['with a damaged leaf', 'tls.crt was damaged', 0, () => writeFileSync(file('tls.crt'), first.cert.slice(0, 200))],
    ['with an empty authority', 'ca.crt was damaged', 0, () => writeFileSync(file('ca.crt'), '')],
    [
      'with a damaged key',
      'tls.key was damaged or not the key of tls.crt',
      0,
      () => writeFileSync(file('tls.key'), 'key'),
    ],
    ['without a key', 'there were none', 0, () => rmSync(file('tls.key'))],
    ['of another authority', 'tls.crt was not issued by ca.crt', 0, () => fromElsewhere('ca.crt')],
    ['with the key of another', 'tls.key was damaged or not the key of tls.crt', 0, () => fromElsewhere('tls.key')],
    ['whose authority is none', 'tls.crt was not issued by ca.crt', 0, () => writeFileSync(file('ca.crt'), first.cert)],
  ]
  test.each(BROKEN)('makes new ones for ones %s, and says so', async (_, because, days, breakIt) => {
    await breakIt()
    const second = await ensureCertificates(dir, LOCAL_NAMES, daysFromNow(days))
    expect(second.madeBecause).toBe(because)
    expect(second.ca).not.toBe(first.ca)
    const third = await ensureCertificates(dir, LOCAL_NAMES, daysFromNow(days))
    expect(third.madeBecause).toBeUndefined()
    expect(third.cert).toBe(second.cert)
    expect(readdirSync(dir).sort()).toEqual(['ca.crt', 'tls.crt', 'tls.key'])
  })

  test('makes new ones for a further name, and keeps the names from then on', async () => {
    const service = 'portcullis.portcullis-system.svc'
    const second = await ensureCertificates(dir, [...LOCAL_NAMES, service], now)
    expect(second.madeBecause).toBe(`tls.crt was not for ${service}`)
    const third = await ensureCertificates(dir, LOCAL_NAMES, daysFromNow(8))
    expect(third.madeBecause).toBe('tls.crt had expired')
    const names = new X509Certificate(third.cert).subjectAltName
    expect(names).toBe(`DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:${service}`)
  })

  async function fromElsewhere(name: string): Promise<void> {
    const elsewhere = join(dir, '..', 'elsewhere')
    await ensureCertificates(elsewhere, LOCAL_NAMES, now)
    writeFileSync(file(name), readFileSync(join(elsewhere, name)))
  }
})

describe('while a server runs', () => {
  const logged: string[] = []
  const note = (_: object, message: string) => void logged.push(message)
  const log = { info: note, warn: note, error: note }

  test('certificates that turn bad are replaced, and those that cannot be used are not', async () => {
    const used: string[] = []
    let usable = false
    const use = ({ cert }: { cert: string }) => {
      if (!usable) throw new Error('cannot use it')
      used.push(cert)
    }
    const stop = keepRenewed({ dir, names: LOCAL_NAMES, everyMs: 10, current: first, use, log })
    try {
      rmSync(file('tls.crt'))
      await until(() => logged.length > 0)
      expect(logged[0]).toMatch(/could not be renewed/)
      expect(used).toEqual([])
      usable = true
      await until(() => used.length > 0)
      expect(used).toEqual([readFileSync(file('tls.crt'), 'utf8')])
    } finally {
      stop()
    }
  })

  async function until(holds: () => boolean): Promise<void> {
    for (let i = 0; i < 500 && !holds(); i++) await sleep(10)
  }
})
