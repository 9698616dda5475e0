import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Authority, createAuthority } from '../../src/certificates/authority.ts'
import { issueLeaf, type Leaf } from '../../src/certificates/leaf.ts'
import { followCertificate, type KeyPair, type Source } from '../../src/certificates/source.ts'

const DAY = 24 * 60 * 60 * 1000

let authority: Authority
let dir: string
let used: KeyPair[]
let logged: { level: string; fields: object }[]
let source: Source
let clock: number

beforeAll(async () => {
  authority = await createAuthority(new Date())
})
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'portcullis-source-'))
  used = []
  logged = []
  clock = Date.now()
})
afterEach(() => source.stop())

const leaf = (at = clock): Promise<Leaf> => issueLeaf(authority, ['localhost'], new Date(at))
const ofTheFuture = async (at = new Date(clock + 30 * DAY)) => issueLeaf(await createAuthority(at), ['localhost'], at)

function write(pair: Partial<Leaf>): void {
  if (pair.cert !== undefined) writeFileSync(join(dir, 'tls.crt'), pair.cert)
  if (pair.key !== undefined) writeFileSync(join(dir, 'tls.key'), pair.key)
}

async function follow(more: { clientCa?: string; use?: (next: KeyPair) => void } = {}): Promise<void> {
  const log = (level: string) => (fields: object) => void logged.push({ level, fields })
  source = await followCertificate({
    dir,
    everyMs: 10,
    use: next => void used.push(next),
    log: { info: log('info'), warn: log('warn'), error: log('error') },
    now: () => clock,
    ...more,
  })
}

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !holds(); i++) await sleep(10)
  expect(holds()).toBe(true)
}

const errors = () => logged.filter(({ level }) => level === 'error')
const said = () => JSON.stringify(logged)

describe('the certificate of a mounted Secret', () => {
  test('is used at once, and is good for as long as it lasts', async () => {
    const pair = await leaf()
    write(pair)
    await follow()
    expect(used).toEqual([pair])
    expect(source.problem()).toBeUndefined()
    expect(source.current()?.subjectAltName).toBe('DNS:localhost')
    clock += 8 * DAY
    expect(source.problem()).toMatch(/^tls.crt has expired, 20/)
    clock -= 16 * DAY
    expect(source.problem()).toMatch(/^tls.crt is not valid before 20/)
  })

  test('may come later: until then there is none, which is said once', async () => {
    await follow()
    expect(source.problem()).toMatch(/tls\.crt: there is no such file or folder$/)
    await sleep(50)
    expect(errors()).toHaveLength(1)
    write(await leaf())
    await until(() => source.problem() === undefined)
    expect(used).toHaveLength(1)
  })

  test('is swapped when another comes, and not again while it stays', async () => {
    const [first, second] = [await leaf(), await leaf()]
    write(first)
    await follow()
    write(second)
    await until(() => used.length === 2)
    await sleep(50)
    expect(used).toEqual([first, second])
  })

  test.each<[what: string, broken: () => Promise<Partial<Leaf>>, says: RegExp]>([
    ['is no certificate', async () => ({ cert: 'rubbish' }), /PEM|certificate|asn1/i],
    ['has another key', async () => ({ key: (await leaf()).key }), /tls.key is not the key of tls.crt/],
    ['has no key', async () => ({ key: '' }), /./],
    ['has expired', () => leaf(clock - 30 * DAY), /tls.crt has expired/],
    ['is not valid yet', () => ofTheFuture(), /tls.crt is not valid before/],
  ])('does not give way to one that %s; the good one after it is taken', async (_, broken, says) => {
    const [first, last] = [await leaf(), await leaf()]
    write(first)
    await follow()
    write(await broken())
    await until(() => says.test(JSON.stringify(errors())))
    expect(said()).not.toMatch(/PRIVATE KEY/)
    expect(used).toEqual([first])
    expect(source.problem()).toBeUndefined()
    write(last)
    await until(() => used.length === 2)
    expect(used[1]).toEqual(last)
  })

  test('does not go when its files do', async () => {
    write(await leaf())
    await follow()
    rmSync(dir, { recursive: true })
    await until(() => errors().length > 0)
    expect(source.problem()).toBeUndefined()
  })

  test('is better than none after its time, and is followed by any other', async () => {
    const old = await leaf(clock - 30 * DAY)
    write(old)
    await follow()
    expect(used).toEqual([old])
    expect(source.problem()).toMatch(/has expired/)
    const next = await leaf()
    write(next)
    await until(() => source.problem() === undefined)
    expect(used).toEqual([old, next])
  })

  test('that the server refuses to use is not counted as used, and is tried again', async () => {
    const [first, second] = [await leaf(), await leaf()]
    let refusals = 0
    write(first)
    await follow({
      use: next => {
        if (next.cert === second.cert && refusals++ < 3) throw new Error('no such cipher')
        used.push(next)
      },
    })
    write(second)
    await until(() => used.length === 2)
    expect(refusals).toBe(4)
    expect(errors().filter(({ fields }) => JSON.stringify(fields).includes('no such cipher'))).toHaveLength(1)
  })

  test('comes with the authority of clients, which is swapped as well and never for rubbish', async () => {
    const clientCa = join(dir, 'clients.crt')
    const pair = await leaf()
    write(pair)
    writeFileSync(clientCa, authority.cert)
    await follow({ clientCa })
    expect(used).toEqual([{ ...pair, clientCa: authority.cert }])
    writeFileSync(clientCa, 'rubbish')
    await until(() => errors().length === 1)
    const other = await createAuthority(new Date())
    writeFileSync(clientCa, other.cert)
    await until(() => used.length === 2)
    expect(used[1]).toEqual({ ...pair, clientCa: other.cert })
  })

  const harms: [string, (file: string) => void][] = [
    ['broken', file => writeFileSync(file, 'rubbish')],
    ['missing', file => rmSync(file)],
  ]

  test.each(harms)('is swapped while the authority of clients is %s, which stays what it was', async (_, harm) => {
    const clientCa = join(dir, 'clients.crt')
    const [first, second, third] = [await leaf(), await leaf(), await leaf()]
    write(first)
    writeFileSync(clientCa, authority.cert)
    await follow({ clientCa })
    harm(clientCa)
    for (const next of [second, third]) {
      write(next)
      await until(() => used.at(-1)?.cert === next.cert)
      expect(source.problem()).toBeUndefined()
    }
    expect(used).toEqual([first, second, third].map(each => ({ ...each, clientCa: authority.cert })))
    await until(() => said().includes(`authority of clients: ${clientCa}`))
  })

  test.each(harms)('is not used before it is known whom to answer: the authority of clients is %s', async (_, harm) => {
    const clientCa = join(dir, 'clients.crt')
    const pair = await leaf()
    write(pair)
    writeFileSync(clientCa, authority.cert)
    harm(clientCa)
    await follow({ clientCa })
    await sleep(50)
    expect(used).toEqual([])
    expect(source.problem()).toContain(`authority of clients: ${clientCa}`)
    writeFileSync(clientCa, authority.cert)
    await until(() => source.problem() === undefined)
    expect(used).toEqual([{ ...pair, clientCa: authority.cert }])
  })

  test('does not keep another authority of clients from being used where it is broken itself', async () => {
    const clientCa = join(dir, 'clients.crt')
    const pair = await leaf()
    write(pair)
    writeFileSync(clientCa, authority.cert)
    await follow({ clientCa })
    write({ cert: 'rubbish' })
    await until(() => errors().length > 0)
    const other = await createAuthority(new Date())
    writeFileSync(clientCa, other.cert)
    await until(() => used.length === 2)
    expect(used[1]).toEqual({ ...pair, clientCa: other.cert })
  })
})
