import { once } from 'node:events'
import { get, request } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Health, serveHealth } from '../../src/http/health.ts'
import { createMetrics } from '../../src/http/metrics.ts'

const { registry } = createMetrics()
let missing: string[] = []
let health: Health
beforeAll(async () => {
  health = await serveHealth({ port: 0, host: '127.0.0.1', missing: () => missing, registry })
})
afterAll(() => health.close())

function ask(path: string, method = 'GET'): Promise<{ status: number; type: string; text: string }> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: health.port, path, method, agent: false }
    const sent = request(options, answer => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      const { statusCode: status = 0, headers } = answer
      answer.on('end', () => resolve({ status, type: String(headers['content-type']), text }))
    })
    sent.on('error', reject).end()
  })
}

describe('the port for health', () => {
  test('says that it lives, whatever is missing', async () => {
    missing = ['everything']
    expect(await ask('/healthz')).toMatchObject({ status: 200, text: 'ok\n' })
  })

  test('is ready when nothing is missing, and says otherwise what is, a line each', async () => {
    missing = []
    expect(await ask('/readyz')).toMatchObject({ status: 200, text: 'ready\n' })
    missing = ['facts: no list of Ingress yet', 'certificate: there is none']
    expect(await ask('/readyz?verbose')).toMatchObject({
      status: 503,
      text: 'not ready:\nfacts: no list of Ingress yet\ncertificate: there is none\n',
    })
  })

  test('gives metrics as Prometheus reads them', async () => {
    const { status, type, text } = await ask('/metrics')
    expect({ status, type }).toEqual({ status: 200, type: 'text/plain; version=0.0.4; charset=utf-8' })
    expect(text).toMatch(/^# TYPE portcullis_admissions_total counter$/m)
    expect(text).toMatch(/^process_resident_memory_bytes \d+/m)
  })

  test('has nothing else, and takes nothing', async () => {
    expect((await ask('/mutate')).status).toBe(404)
    expect((await ask('/')).text).toMatch(/the addresses are \/healthz, \/readyz and \/metrics/)
    expect((await ask('/healthz', 'POST')).status).toBe(405)
    expect(await ask('/healthz', 'HEAD')).toMatchObject({ status: 200, text: '' })
  })

  test('closes with connections still open', async () => {
    const own = await serveHealth({ port: 0, host: '127.0.0.1', missing: () => [], registry })
    const idle = connect(own.port, '127.0.0.1')
    await once(idle, 'connect')
    await own.close()
    await once(idle.resume(), 'close')
    const refused = get({ host: '127.0.0.1', port: own.port })
    const [error] = await once(refused, 'error')
    expect(error).toMatchObject({ code: 'ECONNREFUSED' })
  })
})
