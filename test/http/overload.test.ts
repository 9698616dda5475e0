import { once } from 'node:events'
import { Agent } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { Admit } from '../../src/http/admission.ts'
import { timeoutOf } from '../../src/http/deadline.ts'
import { realAdmit, review, type Server, startServer } from './serving.ts'

let server: Server
afterEach(() => server?.drain({ delayMs: 0, graceMs: 0 }))

function headOf(path: string, length: number): string {
  return `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`
}

describe('requests whose bodies are being read', () => {
  test('may be so many: another is asked to come again, and is served as soon as one has ended', async () => {
    const refused: string[] = []
    const served = { answered() {}, refused: (_: string, why: string) => void refused.push(why) }
    server = await startServer({ limits: { inFlightRequests: 2 }, served })
    const halves = [await server.open(), await server.open()]
    for (const half of halves) half.write(`${headOf('/mutate', 100)}{`)
    await until(() => server.inFlight.requests === 2)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const busy = await server.call({ path: '/mutate', body: review('a'), agent })
    expect(busy.status).toBe(503)
    expect(busy.headers['retry-after']).toBe('1')
    expect(JSON.parse(busy.text).error).toMatch(/too many requests are being read .*; try again in a second/)
    expect(refused).toEqual(['in-flight-requests'])
    halves[0]?.destroy()
    await until(() => server.inFlight.requests === 1)
    expect((await server.call({ path: '/mutate', body: review('b'), agent })).status).toBe(200)
    halves[1]?.destroy()
    await until(() => server.inFlight.requests === 0)
    expect(server.inFlight.bytes).toBe(0)
    agent.destroy()
  })

  test('count no more once they are answered or refused, however they ended', async () => {
    server = await startServer({ limits: { inFlightRequests: 1 } })
    const bodies = [review('a'), '', 'no JSON', '['.repeat(1000), Array(8).fill(' '.repeat(1024 * 1024))]
    for (const body of bodies) await server.call({ path: '/validate', body })
    expect((await server.call({ path: '/validate', body: review('z') })).status).toBe(200)
    expect(server.inFlight).toEqual({ bytes: 0, requests: 0 })
  })
})

describe('a request that no answer would reach in time', () => {
  test('is answered 503 at once, undecided, so that others need not wait for it', async () => {
    const decided: string[] = []
    const admit: Admit = (entry, body) => {
      decided.push(JSON.parse(body.toString()).request.uid)
      return realAdmit(entry, body)
    }
    // All but a moment of its second is over when it has arrived.
    server = await startServer({ admit, limits: { timeoutMarginMs: 950 } })
    const late = review('late')
    const socket = await server.open()
    socket.write(headOf('/validate?timeout=1s', late.length) + late.slice(0, 10))
    await until(() => server.inFlight.requests === 1)
    await sleep(100)
    socket.write(late.slice(10))
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toMatch(/^HTTP\/1.1 503 [\s\S]*Retry-After: 1[\s\S]*"error":"the request waited for so long/)
    socket.destroy()
    expect((await server.call({ path: '/validate?timeout=10s', body: review('patient') })).status).toBe(200)
    expect((await server.call({ path: '/validate', body: review('silent') })).status).toBe(200)
    expect(decided).toEqual(['patient', 'silent'])
  })

  test('is also one that waits behind others: of many at once, the last are not decided', async () => {
    let decisions = 0
    const admit: Admit = (_, body) => {
      if (body.length < 1000) return { status: 200, body: '{}' }
      decisions++
      const until = performance.now() + 50
      while (performance.now() < until);
      return { status: 200, body: '{}' }
    }
    server = await startServer({ admit, limits: { timeoutMarginMs: 800 } })
    const agent = new Agent({ keepAlive: true, maxSockets: 40 })
    // All headers are read in one turn of the loop, and with some all of the body; connections are there already.
    const all = (body: string) => {
      const calls = Array.from({ length: 40 }, () => server.call({ path: '/mutate?timeout=1s', body, agent }))
      return Promise.all(calls)
    }
    await all('{}')
    for (const size of [10_000, 500_000]) {
      decisions = 0
      const statuses = (await all(' '.repeat(size))).map(({ status }) => status)
      expect(new Set(statuses)).toEqual(new Set([200, 503]))
      expect(statuses.filter(status => status === 200)).toHaveLength(decisions)
    }
    agent.destroy()
  })

  test.each([
    ['/mutate?timeout=10s', 10_000],
    ['/mutate?timeout=1s&more=1', 1_000],
    ['/mutate', undefined],
    ['/mutate?timeout=', undefined],
    ['/mutate?timeout=0s', undefined],
    ['/mutate?timeout=s', undefined],
    ['/mutate?timeout=10', undefined],
    ['/mutate?timeout=1m0s', undefined],
    ['/mutate?timeout=-1s', undefined],
  ])('%s says how long the caller waits: %s ms', (url, milliseconds) => {
    expect(timeoutOf(url)).toBe(milliseconds)
  })
})

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !holds(); i++) await sleep(10)
  expect(holds()).toBe(true)
}
