import { Agent } from 'node:https'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import {
  ExtendedKeyUsage,
  GeneralName,
  id_ce_extKeyUsage,
  id_ce_subjectAltName,
  id_kp_clientAuth,
  SubjectAlternativeName,
} from '@peculiar/asn1-x509'
import { type Authority, createAuthority } from '../../src/certificates/authority.ts'
import { extension, makeCertificate } from '../../src/certificates/certificate.ts'
import { keyPair, readToEnd, review, type Server, startServer } from './serving.ts'

const DAY = 24 * 60 * 60 * 1000
const NAME = 'kube-apiserver-webhook-client'

type Names = { readonly cn: string; readonly san?: readonly Partial<GeneralName>[] }
type Client = { readonly cert: string; readonly key: string }

let authority: Authority
let other: Authority
let server: Server
const agents: Agent[] = []

beforeAll(async () => {
  authority = await createAuthority(new Date())
  other = await createAuthority(new Date())
  server = await startServer({
    keyPair: { ...(await keyPair()), clientCa: authority.cert },
    clientNames: [NAME, 'spiffe://cluster/api', 'api.example.com'],
  })
})
afterEach(() => {
  for (const agent of agents.splice(0)) agent.destroy()
})
afterAll(() => server.drain({ delayMs: 0, graceMs: 0 }))

const nameOf = (san: Partial<GeneralName>) => new GeneralName(san)

async function issue(
  ca: Authority,
  { cn, san = [] }: Names,
  days: [from: number, to: number] = [-1, 1],
): Promise<Client> {
  const [from, to] = days.map(day => new Date(Date.now() + day * DAY)) as [Date, Date]
  const contents = {
    commonName: cn,
    notBefore: from,
    notAfter: to,
    extensions: [
      extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_clientAuth])),
      ...(san.length === 0 ? [] : [extension(id_ce_subjectAltName, new SubjectAlternativeName(san.map(nameOf)))]),
    ],
  }
  return makeCertificate(contents, ca)
}

async function statusFor(client: Client | undefined, path = '/mutate'): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ...client })
  agents.push(agent)
  const first = await server.call({ path, body: review('a'), agent })
  // What was said of a connection is said again, as long as it stays.
  const second = await server.call({ path, body: review('b'), agent })
  expect(second.status).toBe(first.status)
  return first.status
}

describe('a webhook that asks for client certificates', () => {
  test.each<[what: string, names: Names]>([
    ['by its common name', { cn: NAME }],
    [
      'by a DNS name',
      {
        cn: 'somebody',
        san: [{ dNSName: 'x.example.com' }, { dNSName: 'api.example.com' }],
      },
    ],
    ['by a URI', { cn: 'somebody', san: [{ uniformResourceIdentifier: 'spiffe://cluster/api' }] }],
  ])('answers a client that it knows %s', async (_, names) => {
    expect(await statusFor(await issue(authority, names))).toBe(200)
    expect(await statusFor(await issue(authority, names), '/validate?timeout=5s')).toBe(200)
  })

  test.each<[what: string, client: () => Promise<Client | undefined>]>([
    ['no certificate', async () => undefined],
    ['a name that is not allowed', () => issue(authority, { cn: 'somebody' })],
    ['a name that only ends like one', () => issue(authority, { cn: `x${NAME}` })],
    ['a name in another case', () => issue(authority, { cn: NAME.toUpperCase() })],
    [
      'a name inside of another',
      () => issue(authority, { cn: 'somebody', san: [{ uniformResourceIdentifier: 'urn:x, DNS:api.example.com' }] }),
    ],
    ['an allowed name from another authority', () => issue(other, { cn: NAME })],
    ['an allowed name that has expired', () => issue(authority, { cn: NAME }, [-2, -1])],
    ['an allowed name that is not valid yet', () => issue(authority, { cn: NAME }, [1, 2])],
  ])('answers 403 to a client with %s, on every admission path', async (_, client) => {
    for (const path of ['/mutate', '/validate']) expect(await statusFor(await client(), path)).toBe(403)
  })

  test('says what is missing', async () => {
    const { text } = await server.call({ path: '/mutate', body: review('a') })
    expect(JSON.parse(text).error).toMatch(/answers the API server only; connect with a client certificate/)
  })

  test('still tells everybody how it is', async () => {
    expect((await server.call({ path: '/healthz', method: 'GET' })).status).toBe(200)
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('lets nobody in by a session of before, with %s', async version => {
    const client = await issue(authority, { cn: NAME })
    const offer = {
      host: '127.0.0.1',
      port: server.port,
      ca: server.ca,
      minVersion: version,
      maxVersion: version,
      ...client,
    }
    const first = await open(offer)
    let session: Buffer | undefined
    first.on('session', given => {
      session = given
    })
    first.end('GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    await readToEnd(first)
    const second = await open({ ...offer, ...(session === undefined ? {} : { session }) })
    expect(second.isSessionReused()).toBe(false)
    second.destroy()
  })

  test('takes another authority with the next key pair, and keeps asking', async () => {
    const own = await startServer({ keyPair: { ...(await keyPair()), clientCa: authority.cert }, clientNames: [NAME] })
    const ask = async (client: Client) => {
      const agent = new Agent({ ...client })
      return (await own.call({ path: '/mutate', body: review('a'), agent })).status
    }
    const [ours, others] = [await issue(authority, { cn: NAME }), await issue(other, { cn: NAME })]
    expect([await ask(ours), await ask(others)]).toEqual([200, 403])
    own.useKeyPair({ ...(await keyPair()), clientCa: other.cert })
    expect([await ask(ours), await ask(others)]).toEqual([403, 200])
    own.useKeyPair(await keyPair())
    expect([await ask(ours), await ask(others)]).toEqual([403, 403])
    await own.drain({ delayMs: 0, graceMs: 0 })
  })
})

function open(options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect(options, () => resolve(socket))
    socket.on('error', reject)
  })
}
