import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Server, startServer } from './serving.ts'

let reason: string | undefined
let server: Server
beforeAll(async () => {
  server = await startServer({ notReady: () => reason })
})
afterAll(() => server.drain({ delayMs: 0, graceMs: 0 }))

async function get(path: string): Promise<{ status: number; body: unknown }> {
  const { status, text } = await server.call({ path, method: 'GET' })
  return { status, body: JSON.parse(text) }
}

describe('beside admission the server', () => {
  test('says that it lives, whatever else is missing', async () => {
    reason = 'the facts are not there yet'
    expect(await get('/healthz')).toEqual({ status: 200, body: { status: 'ok' } })
  })

  test('says whether it is ready, and why not', async () => {
    reason = undefined
    expect(await get('/readyz')).toEqual({ status: 200, body: { status: 'ready' } })
    reason = 'the facts are not there yet'
    const error = 'not ready: the facts are not there yet; ask again in a moment'
    expect(await get('/readyz')).toEqual({ status: 503, body: { error } })
  })

  test('says what it is and where admission is', async () => {
    const { status, body } = await get('/')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      name: 'portcullis',
      addresses: expect.arrayContaining(['POST /mutate', 'POST /validate']),
    })
  })

  test('tells the log what went wrong, and the caller where to look', async () => {
    const failing = await startServer({
      notReady: () => {
        throw new Error('secret detail')
      },
    })
    const { status, text } = await failing.call({ path: '/readyz', method: 'GET' })
    expect({ status, body: JSON.parse(text) }).toEqual({
      status: 500,
      body: { error: 'Portcullis failed; its log has the details' },
    })
    expect(failing.logged).toMatchObject([{ message: 'request failed', fields: { err: { message: 'secret detail' } } }])
    await failing.drain({ delayMs: 0, graceMs: 0 })
  })

  test('does not say what it is made of', async () => {
    expect((await server.call({ path: '/', method: 'GET' })).headers).not.toHaveProperty('x-powered-by')
  })
})
