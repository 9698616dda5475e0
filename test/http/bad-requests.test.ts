import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { type Call, readToEnd, review, type Server, startServer } from './serving.ts'

const MEBIBYTE = 1024 * 1024
const path = '/mutate'
const brackets = '['.repeat(100_000)
const eightMebibytes = Buffer.alloc(8 * MEBIBYTE, ' ')

let server: Server
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.drain({ delayMs: 0, graceMs: 0 }))

afterEach(async () => {
  const answer = await server.call({ path: '/validate', body: review('still-there') })
  expect(JSON.parse(answer.text).response).toMatchObject({ uid: 'still-there', allowed: true })
})

const CASES: readonly [what: string, call: Call, status: number, says: RegExp][] = [
  ['a body that is not JSON', { path, body: 'kind: AdmissionReview' }, 400, /not JSON; send an AdmissionReview/],
  ['JSON that ends too early', { path, body: '{"kind":"AdmissionReview"' }, 400, /not JSON/],
  ['JSON that is no review', { path, body: '[]' }, 400, /not an AdmissionReview/],
  ['an empty body', { path, body: '' }, 400, /empty; send an AdmissionReview/],
  ['no body at all', { path, headers: { 'Content-Type': 'application/json' } }, 400, /empty/],
  [
    '8 MiB',
    { path, body: eightMebibytes, headers: { 'Content-Length': 8 * MEBIBYTE } },
    413,
    /larger than 7340032 bytes/,
  ],
  ['8 MiB of unknown length', { path, body: Array(8).fill(' '.repeat(MEBIBYTE)) }, 413, /larger than/],
  ['100,000 nested brackets', { path, body: brackets }, 400, /nested deeper than 64 levels/],
  ['100,000 nested objects', { path, body: '{"a":'.repeat(100_000) }, 400, /nested deeper/],
  ['brackets that close again', { path, body: brackets + brackets.replaceAll('[', ']') }, 400, /nested deeper/],
  ['text/plain', { path, body: review('a'), headers: { 'Content-Type': 'text/plain' } }, 415, /application\/json/],
  [
    'a type that only begins like JSON',
    { path, body: '{}', headers: { 'Content-Type': 'application/json5' } },
    415,
    /json/,
  ],
  ['no content type', { path }, 415, /not application\/json/],
  ['a compressed body', { path, body: '{}', headers: { 'Content-Encoding': 'gzip' } }, 415, /plain JSON/],
  ['GET', { path, method: 'GET' }, 405, /by POST only/],
  ['PUT with a body', { path, method: 'PUT', body: review('a') }, 405, /by POST only/],
  ['an unknown path', { path: '/nothing', body: '{}' }, 404, /there is nothing here; the addresses are POST \/mutate/],
  ['a path that only begins like one', { path: '/mutate/', body: '{}' }, 404, /there is nothing here/],
  ['a path that cannot be decoded', { path: '/%E0%A4%A', method: 'GET' }, 404, /there is nothing here/],
]

describe('what is not a review gets the right status, says what to do, and the server stays up', () => {
  test.each(CASES)('%s', async (_, call, status, says) => {
    const answer = await server.call(call)
    expect(answer.status).toBe(status)
    expect(answer.headers['content-type']).toMatch(/^application\/json/)
    const { error, ...rest } = JSON.parse(answer.text)
    expect(rest).toEqual({})
    expect(error).toMatch(says)
    expect(error).not.toMatch(/\n/)
  })

  test('a wrong method is told the right one', async () => {
    expect((await server.call({ path, method: 'GET' })).headers.allow).toBe('POST')
  })

  test('a length that is too large is refused before the body is sent', async () => {
    const socket = await server.open()
    const head = 'POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json'
    socket.write(`${head}\r\nContent-Length: ${8 * MEBIBYTE}\r\n\r\n`)
    const [first] = await once(socket, 'data')
    expect(String(first)).toMatch(/^HTTP\/1.1 413 /)
  })

  test('a sender that writes all of a body that nobody wants, and reads only then, still gets the answer', async () => {
    const socket = await server.open()
    socket.write(`POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${8 * MEBIBYTE}\r\n\r\n`)
    for (let i = 0; i < 8; i++) {
      await new Promise<void>((resolve, reject) => {
        socket.write(eightMebibytes.subarray(0, MEBIBYTE), error => (error ? reject(error) : resolve()))
      })
    }
    expect(await readToEnd(socket)).toMatch(
      /^HTTP\/1.1 415 [\s\S]*\r\nConnection: close\r\n[\s\S]*not application\/json/,
    )
  })

  test.each(['POST /mutate', 'GET /healthz'])('a sender of %s that never stops is cut off', async start => {
    const socket = await server.open()
    socket.on('error', () => {})
    socket.write(`${start} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`)
    const mebibyte = `100000\r\n${' '.repeat(MEBIBYTE)}\r\n`
    let sent = 0
    while (socket.writable && sent < 200) {
      await new Promise(resolve => socket.write(mebibyte, resolve))
      sent++
    }
    expect(sent).toBeLessThan(100)
  })

  test('bytes that are no HTTP get 400 and a sentence', async () => {
    const socket = await server.open()
    socket.write('hello\r\n\r\n')
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1.1 400 [\s\S]*"error":"this is not HTTP\/1.1; POST/)
  })

  test('headers beyond all measure get 431 and a sentence', async () => {
    const answer = await server.call({ path, body: '{}', headers: { 'X-Long': 'x'.repeat(20_000) } })
    expect(answer.status).toBe(431)
    expect(JSON.parse(answer.text).error).toMatch(/headers are too large/)
  })
})
