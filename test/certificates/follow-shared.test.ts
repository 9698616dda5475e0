// A replica's own leaf: whatever happens to the shared Secret, the last good one stays in use.
import type { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from '@jest/globals'
import { writeAuthorities } from '../../src/certificates/authorities.ts'
import { type Authority, createAuthority } from '../../src/certificates/authority.ts'
import { sharedLeaf } from '../../src/certificates/follow-shared.ts'
import { ROTATION_TIMES } from '../../src/certificates/rotation.ts'
import type { KeyPair } from '../../src/certificates/source.ts'
import { accepts } from './clients.ts'
import { type MemoryCluster, memoryCluster, NAMESPACE, secret } from './cluster.ts'

const DAY = 24 * 3600 * 1000
const NAME = 'portcullis-webhook.portcullis.svc'

let cluster: MemoryCluster
let now: number
let used: KeyPair[]
let refuse: boolean
let logged: string[]
let first: Authority
beforeEach(async () => {
  cluster = memoryCluster()
  now = Date.now()
  used = []
  refuse = false
  logged = []
  first = await createAuthority(new Date(now))
})

function replica(clientCa?: string) {
  const say = (fields: object) => void logged.push(JSON.stringify(fields))
  return sharedLeaf({
    writer: cluster.writer,
    ...{ namespace: NAMESPACE, names: [NAME], clientCa, times: () => ROTATION_TIMES, now: () => now },
    use(next) {
      if (refuse) throw new Error('the server does not take it')
      used.push(next)
    },
    log: { info: say, warn: say, error: say },
  })
}

const clientCaFile = () => join(mkdtempSync(join(tmpdir(), 'portcullis-client-ca-')), 'ca.crt')

const store = (signing: Authority, old: readonly string[] = [], since = now) =>
  cluster.put(secret(writeAuthorities({ signing, since, old })))

test('there is none before there is an authority, and why is said', async () => {
  const own = replica()
  await own.look()
  expect(own.problem()).toBe('Secret portcullis/portcullis-ca is not there: the controller makes it')
  store(first)
  await own.look()
  expect(own.problem()).toBeUndefined()
  expect(own.current()?.checkHost(NAME)).toBe(NAME)
})

test.each<[string, () => void]>([
  ['the API server is away', () => Object.assign(cluster, { isAway: true })],
  ['the Secret is gone', () => cluster.remove('Secret')],
  ['the Secret is full of rubbish', () => cluster.put(secret({ 'signing.crt': 'x', 'signing.key': 'eA==' }))],
  ['the Secret has no data', () => cluster.put({ ...secret({}), data: null })],
])('it stays, and the replica ready, while %s', async (_, harm) => {
  store(first)
  const own = replica()
  await own.look()
  harm()
  now += 6.9 * DAY
  await own.look()
  await own.look()
  expect(own.problem()).toBeUndefined()
  expect(used).toHaveLength(1)
  now += 0.2 * DAY
  expect(own.problem()).toMatch(/^has expired, 20/)
})

test('it is renewed when two thirds of a week are over', async () => {
  store(first)
  const own = replica()
  await own.look()
  now += 4.6 * DAY
  await own.look()
  expect(used).toHaveLength(1)
  now += 0.1 * DAY
  await own.look()
  expect(used).toHaveLength(2)
})

test.each([30, 6, -6, -30])('whose clock is %i days wrong shows one that whoever is right accepts', async days => {
  const right = Date.now()
  // Two months old, since nobody knows of an authority before it was made.
  first = await createAuthority(new Date(right - 60 * DAY))
  store(first, [], right - 60 * DAY)
  const [before, fresh] = [replica(), replica()]
  await before.look()
  now = right + days * DAY
  await before.look()
  await fresh.look()
  for (const each of [before, fresh]) {
    expect(each.problem()).toBeUndefined()
    expect(accepts(first.cert, each.current() as X509Certificate, right)).toBe(days > -7 || each === before)
  }
  now = right
  await fresh.look()
  expect(accepts(first.cert, fresh.current() as X509Certificate, right)).toBe(true)
})

test('one that ends with its authority is not made anew at every look', async () => {
  first = await createAuthority(new Date(now), DAY)
  store(first)
  const own = replica()
  await own.look()
  now += 0.9 * DAY
  await own.look()
  expect(used).toHaveLength(1)
})

test('one that the server does not take leaves the one before in use, and the replica is ready as long as clients trust that', async () => {
  store(first)
  const own = replica()
  await own.look()
  const before = own.current()
  const second = await createAuthority(new Date(now))
  refuse = true
  store(second, [first.cert], now - DAY)
  await own.look()
  expect(own.current()).toBe(before)
  expect(own.problem()).toBeUndefined()
  store(second)
  await own.look()
  expect(own.problem()).toBe('its authority is not in the shared Secret')
  refuse = false
  await own.look()
  expect(own.problem()).toBeUndefined()
})

test('keys are nowhere in the log', async () => {
  store(first)
  await replica().look()
  expect(logged.join()).toContain('there was none')
  expect(logged.join()).not.toMatch(/PRIVATE KEY|BEGIN/)
})

test('another look is due when its time has come or whom to answer has changed, and not otherwise', async () => {
  const file = clientCaFile()
  writeFileSync(file, first.cert)
  store(first)
  const own = replica(file)
  expect(await own.look()).toBe(true)
  expect(await own.isDue()).toBe(false)
  now += 4.8 * DAY
  expect(await own.isDue()).toBe(true)
  await own.look()
  expect(await own.isDue()).toBe(false)
  for (const text of ['rubbish', (await createAuthority(new Date(now))).cert]) {
    writeFileSync(file, text)
    expect(await own.isDue()).toBe(true)
  }
  await own.look()
  expect(await own.isDue()).toBe(false)
  cluster.isAway = true
  expect(await own.look()).toBe(false)
})

test('whom to answer is read again as it changes, and rubbish there locks nobody out', async () => {
  const file = clientCaFile()
  writeFileSync(file, first.cert)
  store(first)
  const own = replica(file)
  await own.look()
  writeFileSync(file, 'rubbish')
  await own.look()
  expect(used.map(each => each.clientCa)).toEqual([first.cert])
  const other = await createAuthority(new Date(now))
  writeFileSync(file, other.cert)
  await own.look()
  expect(used.map(each => each.clientCa)).toEqual([first.cert, other.cert])
  expect(used[1]?.cert).toBe(used[0]?.cert)
})

const harms: [string, (file: string) => void][] = [
  ['broken', file => writeFileSync(file, 'rubbish')],
  ['missing', file => rmSync(file)],
]

test.each(
  harms,
)('while the authority of clients is %s, it is renewed all the same and answers whom it did', async (_, harm) => {
  const file = clientCaFile()
  writeFileSync(file, first.cert)
  store(first)
  const own = replica(file)
  await own.look()
  harm(file)
  for (let turn = 0; turn < 3; turn++) {
    now += 5 * DAY
    expect(await own.look()).toBe(false)
    expect(own.problem()).toBeUndefined()
  }
  expect(new Set(used.map(({ cert }) => cert)).size).toBe(4)
  expect(used.map(({ clientCa }) => clientCa)).toEqual(Array(4).fill(first.cert))
  expect(logged.filter(each => each.includes(`authority of clients: ${file}`))).toHaveLength(1)
  const other = await createAuthority(new Date(now))
  writeFileSync(file, other.cert)
  expect(await own.look()).toBe(true)
  expect(used.at(-1)).toMatchObject({ cert: used.at(-2)?.cert, clientCa: other.cert })
})

test.each(harms)('nobody is served before it is known whom to answer: its authority is %s', async (_, harm) => {
  const file = clientCaFile()
  writeFileSync(file, first.cert)
  harm(file)
  store(first)
  const own = replica(file)
  expect(await own.look()).toBe(false)
  expect(used).toEqual([])
  expect(own.problem()).toContain(`authority of clients: ${file}`)
  writeFileSync(file, first.cert)
  expect(await own.look()).toBe(true)
  expect(used).toMatchObject([{ clientCa: first.cert }])
  expect(own.problem()).toBeUndefined()
})

test('another authority of clients is taken while the Secret is gone', async () => {
  const file = clientCaFile()
  writeFileSync(file, first.cert)
  store(first)
  const own = replica(file)
  await own.look()
  cluster.remove('Secret')
  const other = await createAuthority(new Date(now))
  writeFileSync(file, other.cert)
  expect(await own.look()).toBe(false)
  expect(used).toMatchObject([{ clientCa: first.cert }, { clientCa: other.cert, cert: used[0]?.cert }])
})
