import { once } from 'node:events'
import { Agent } from 'node:https'
import { describe, expect, test } from '@jest/globals'
import { readToEnd, review, startServer } from './serving.ts'

const HEAD = 'POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'

describe('a server that shuts down', () => {
  test('is unready at once, still answers on old and new connections, and gives them up one by one', async () => {
    const server = await startServer()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    await server.call({ path: '/mutate', body: review('before'), agent })
    const drained = server.drain({ delayMs: 3_000, graceMs: 1_000 })
    const old = await server.call({ path: '/mutate', body: review('old'), agent })
    const fresh = await server.call({ path: '/validate', body: review('fresh'), agent: new Agent({ keepAlive: true }) })
    const ready = await server.call({ path: '/readyz', method: 'GET', agent: new Agent({ keepAlive: true }) })
    expect(old.reused).toBe(true)
    expect([old, fresh].map(({ status }) => status)).toEqual([200, 200])
    expect([old, fresh, ready].map(({ headers }) => headers.connection)).toEqual(['close', 'close', 'close'])
    expect(ready.status).toBe(503)
    expect(JSON.parse(ready.text).error).toMatch(/shutting down/)
    await drained
    await expect(server.call({ path: '/healthz', method: 'GET' })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('waits for the request that is being sent, and answers it', async () => {
    const server = await startServer()
    const socket = await server.open()
    const body = review('slow')
    socket.write(`${HEAD}Content-Length: ${body.length}\r\n\r\n${body.slice(0, 20)}`)
    await server.call({ path: '/healthz', method: 'GET' })
    const drained = server.drain({ delayMs: 0, graceMs: 10_000 })
    const answer = readToEnd(socket)
    socket.write(body.slice(20))
    expect(await answer).toMatch(/^HTTP\/1.1 200 [\s\S]*Connection: close[\s\S]*"uid":"slow"/i)
    await drained
  })

  test('does not wait for ever for a request that never comes to its end', async () => {
    const server = await startServer()
    const socket = await server.open()
    socket.write(`${HEAD}Content-Length: 100\r\n\r\n{`)
    await server.call({ path: '/healthz', method: 'GET' })
    await server.drain({ delayMs: 0, graceMs: 100 })
    await once(socket.resume(), 'close')
  })

  test('closes idle connections', async () => {
    const server = await startServer()
    const agent = new Agent({ keepAlive: true })
    await server.call({ path: '/mutate', body: review('a'), agent })
    await server.drain({ delayMs: 0, graceMs: 60_000 })
    agent.destroy()
  })
})
