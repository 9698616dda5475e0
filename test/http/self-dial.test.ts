import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from '@jest/globals'
import { keepDialing, type SelfDial, type SelfDialOptions } from '../../src/http/self-dial.ts'
import { keyPair, startServer } from './serving.ts'

let dial: SelfDial
afterEach(() => dial.stop())

async function first(options: Pick<SelfDialOptions, 'address' | 'port' | 'certificate'>): Promise<string | undefined> {
  dial = keepDialing({ ...options, everyMs: 80, timeoutMs: 500 })
  expect(dial.problem()).toBe('it has not been tried yet')
  await until(() => dial.problem() !== 'it has not been tried yet')
  return dial.problem()
}

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !holds(); i++) await sleep(10)
  expect(holds()).toBe(true)
}

describe('a server that connects to itself', () => {
  test.each([
    '127.0.0.1',
    '::',
    '0.0.0.0',
  ])('finds that it answers on %s, and notices when it does not any more', async host => {
    const pair = await keyPair()
    const server = await startServer({ keyPair: pair, host })
    const certificate = () => new X509Certificate(pair.cert)
    expect(await first({ address: server.address, port: server.port, certificate })).toBeUndefined()
    await server.drain({ delayMs: 0, graceMs: 0 })
    await until(() => dial.problem()?.includes('ECONNREFUSED') === true)
  })

  test('accepts the new certificate after a swap, and notices a foreign one', async () => {
    let [shown, expected] = [await keyPair(), await keyPair()]
    const server = await startServer({ keyPair: shown })
    const certificate = () => new X509Certificate(expected.cert)
    expect(await first({ ...server, certificate })).toBe('another certificate is shown on our port')
    shown = expected
    server.useKeyPair(shown)
    await until(() => dial.problem() === undefined)
    expected = await keyPair()
    await until(() => dial.problem() !== undefined)
    await server.drain({ delayMs: 0, graceMs: 0 })
  })

  test('says that a listener without a certificate is of no use', async () => {
    const { port, address, drain } = await startServer({ keyPair: undefined as never })
    expect(await first({ address, port, certificate: () => undefined })).toBe('there is no certificate to show')
    dial.stop()
    const { cert } = await keyPair()
    expect(await first({ address, port, certificate: () => new X509Certificate(cert) })).toMatch(/handshake/i)
    await drain({ delayMs: 0, graceMs: 0 })
  })

  test('does not wait for a listener that accepts and says nothing', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { cert } = await keyPair()
    const { port } = silent.address() as AddressInfo
    const problem = await first({ address: '127.0.0.1', port, certificate: () => new X509Certificate(cert) })
    expect(problem).toBe('no TLS handshake within 500 ms')
    silent.close()
  })
})
