import { once } from 'node:events'
import { Agent } from 'node:https'
import { connect as connectPlain } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'node:tls'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { Admit } from '../../src/http/admission.ts'
import { keyPair, readToEnd, review, type Server, startServer } from './serving.ts'

const HEAD = 'POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'

let server: Server
afterEach(() => server.drain({ delayMs: 0, graceMs: 0 }))

async function isUp(): Promise<boolean> {
  return (await server.call({ path: '/healthz', method: 'GET' })).status === 200
}

describe('connections', () => {
  test('are kept for longer than the 90 s after which the API server drops them', async () => {
    server = await startServer()
    const agent = new Agent({ keepAlive: true })
    const answer = await server.call({ path: '/mutate', body: review('a'), agent })
    agent.destroy()
    expect(answer.headers['keep-alive']).toBe('timeout=120')
    expect(answer.headers.connection).toBe('keep-alive')
  })

  test('are used again, after an answer as after a refusal', async () => {
    server = await startServer()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const statuses: number[] = []
    const reused: boolean[] = []
    const calls = [
      { path: '/mutate', body: review('a') },
      { path: '/mutate?timeout=10s', body: review('b') },
      { path: '/mutate', body: 'no JSON' },
      { path: '/mutate', method: 'GET' },
      { path: '/readyz', method: 'GET' },
      { path: '/validate', body: review('c'), headers: { 'Content-Type': 'Application/JSON; charset=utf-8' } },
    ]
    for (const call of calls) {
      const answer = await server.call({ ...call, agent })
      statuses.push(answer.status)
      reused.push(answer.reused)
    }
    agent.destroy()
    expect(statuses).toEqual([200, 200, 400, 405, 200, 200])
    expect(reused).toEqual([false, true, true, true, true, true])
  })

  test('are given up with an answer that says so', async () => {
    const admit: Admit = entry => ({ status: 200, body: '{}', last: entry === 'validate' })
    server = await startServer({ admit })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const [kept, last, next] = [
      await server.call({ path: '/mutate', body: review('a'), agent }),
      await server.call({ path: '/validate', body: review('b'), agent }),
      await server.call({ path: '/mutate', body: review('c'), agent }),
    ]
    agent.destroy()
    expect([kept, last].map(({ headers }) => headers.connection)).toEqual(['keep-alive', 'close'])
    expect([last, next].map(({ reused }) => reused)).toEqual([true, false])
  })

  test('answer each request its own review, however many come at once', async () => {
    server = await startServer()
    const agent = new Agent({ keepAlive: true, maxSockets: 16 })
    const uids = Array.from({ length: 300 }, (_, i) => `uid-${i}`)
    const calls = uids.map((uid, i) => ({ path: i % 2 === 0 ? '/mutate' : '/validate', body: review(uid), agent }))
    const answers = await Promise.all(calls.map(server.call))
    agent.destroy()
    expect(answers.map(answer => JSON.parse(answer.text).response.uid)).toEqual(uids)
  })

  test('speak HTTP/1.1 over TLS 1.2 or newer, and nothing else', async () => {
    server = await startServer()
    const { port, ca } = server
    const offer = { host: '127.0.0.1', port, ca }
    const modern = connect({ ...offer, ALPNProtocols: ['h2', 'http/1.1'] })
    await once(modern, 'secureConnect')
    expect(modern.alpnProtocol).toBe('http/1.1')
    modern.destroy()
    const old = connect({ ...offer, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })
    await expect(once(old, 'secureConnect')).rejects.toThrow(/protocol version/i)
    const plain = connectPlain(port, '127.0.0.1')
    plain.write('GET /healthz HTTP/1.1\r\n\r\n')
    await once(plain.resume(), 'close')
    expect(await isUp()).toBe(true)
  })

  test('that send half a request are told so and closed', async () => {
    server = await startServer({ limits: { requestTimeoutMs: 200, headersTimeoutMs: 100, checkEveryMs: 20 } })
    const halfHead = await server.open()
    halfHead.write('POST /mutate HTTP/1.1\r\nHost: loc')
    expect(await readToEnd(halfHead)).toMatch(/^HTTP\/1.1 408 [\s\S]*"error":"the request did not arrive in time/)
    const halfBody = await server.open()
    halfBody.write(`${HEAD}Content-Length: 100\r\n\r\n{"kind":`)
    expect(await readToEnd(halfBody)).toMatch(/^HTTP\/1.1 408 /)
    expect(await isUp()).toBe(true)
  })

  test('take a new certificate while they stay open, and keep the old one when the new one is broken', async () => {
    server = await startServer()
    const before = (await server.open()).getPeerCertificate().serialNumber
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    await server.call({ path: '/mutate', body: review('a'), agent })
    server.useKeyPair(await keyPair())
    const after = (await server.open()).getPeerCertificate().serialNumber
    expect(after).not.toBe(before)
    expect((await server.call({ path: '/mutate', body: review('b'), agent })).reused).toBe(true)
    agent.destroy()
    expect(() => server.useKeyPair({ cert: 'broken', key: 'broken' })).toThrow()
    expect((await server.open()).getPeerCertificate().serialNumber).toBe(after)
  })
})

describe('bodies that are being read', () => {
  test('may have so many bytes together: more are asked to come again, until there is room', async () => {
    server = await startServer({ limits: { inFlightBytes: 4_000 } })
    const half = await server.open()
    half.write(`${HEAD}Content-Length: 5000\r\n\r\n${' '.repeat(3_000)}`)
    await untilHeld()
    const refused = await server.call({ path: '/mutate', body: review('a') })
    expect(refused.status).toBe(503)
    expect(refused.headers['retry-after']).toBe('1')
    expect(JSON.parse(refused.text).error).toMatch(/try again in a second/)
    half.destroy()
    await once(half, 'close')
    // The server hears of it a little later.
    let status = 503
    for (let i = 0; i < 100 && status === 503; i++) {
      await sleep(10)
      status = (await server.call({ path: '/mutate', body: review('a') })).status
    }
    expect(status).toBe(200)
  })

  test('count what a chunk costs, so that bodies sent byte by byte do not take a hundred times the limit', async () => {
    server = await startServer({ limits: { inFlightBytes: 50_000 } })
    const dribble = await server.open()
    dribble.setNoDelay(true)
    const answer = readToEnd(dribble)
    dribble.write(`${HEAD}Content-Length: 5000\r\n\r\n`)
    for (let i = 0; i < 200 && dribble.writable; i++) {
      dribble.write(' ')
      await new Promise(setImmediate)
    }
    dribble.end()
    expect(await answer).toMatch(/^HTTP\/1.1 503 /)
  })

  /** Until the bytes of the half body have arrived. */
  async function untilHeld(): Promise<void> {
    for (let i = 0; i < 100; i++) {
      if ((await server.call({ path: '/mutate', body: review('a') })).status === 503) return
      await sleep(10)
    }
  }
})

describe('a fault of ours', () => {
  test('is status 500, says nothing of itself, is logged, and ends neither connection nor process', async () => {
    const admit: Admit = () => {
      throw new Error('secret detail')
    }
    server = await startServer({ admit })
    for (const path of ['/mutate', '/validate']) {
      const answer = await server.call({ path, body: review('a') })
      expect(answer.status).toBe(500)
      expect(answer.text).not.toMatch(/secret/)
      expect(JSON.parse(answer.text).error).toMatch(/its log has the details/)
    }
    expect(server.logged.map(({ message }) => message)).toEqual(['admission failed', 'admission failed'])
    expect(await isUp()).toBe(true)
  })
})
