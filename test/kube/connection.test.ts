// The connection on real TLS sockets, against a server that does what the test says.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, describe, expect, test } from '@jest/globals'
import { type Connection, connect, type Reply, type Stream } from '../../src/kube/connection.ts'
import { retryAfterMs } from '../../src/kube/reply.ts'
import { type Answer, base64, startServer, type TestServer, writeKubeconfig } from './server.ts'

const ends: (() => unknown)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

const timeoutMs = 10_000

type Started = { server: TestServer; connection: Connection; token: string }

/** `token`: the file that the token is in. */
async function start(answer: Answer, user?: object): Promise<Started> {
  const server = await startServer(answer)
  ends.push(() => server.stop())
  const token = join(server.dir, 'token')
  writeFileSync(token, 'first-token\n')
  const cluster = { server: server.address, 'certificate-authority-data': base64(server.ca) }
  const connection = await connect(writeKubeconfig(server.dir, cluster, user ?? { tokenFile: 'token' }), {})
  ends.push(() => connection.close())
  return { server, connection, token }
}

async function chunksOf(opened: Promise<Stream | Reply>): Promise<AsyncIterable<string>> {
  const stream = await opened
  if (!('chunks' in stream)) throw new Error(`${stream.status} ${stream.body}`)
  return stream.chunks
}

describe('requests', () => {
  test('carry who asks, and give back every status with its body', async () => {
    const { server, connection } = await start((_, response) => response.writeHead(409).end('{"kind":"Status"}'))
    const call = {
      method: 'PATCH',
      path: '/api/x?force=true',
      body: '{"ä":1}',
      contentType: 'application/apply-patch+yaml',
    }
    expect(await connection.request({ ...call, method: 'PATCH', timeoutMs })).toEqual({
      status: 409,
      body: '{"kind":"Status"}',
    })
    expect(server.requests).toMatchObject([
      {
        method: 'PATCH',
        url: '/api/x?force=true',
        body: '{"ä":1}',
        headers: {
          authorization: 'Bearer first-token',
          'content-type': 'application/apply-patch+yaml',
          accept: 'application/json',
        },
      },
    ])
    expect(connection).toMatchObject({ server: server.address, namespace: 'shops' })
  })

  test('one after the other share a connection, and so do those at the same time as many as they are', async () => {
    const { server, connection } = await start((_, response) => response.end('{}'))
    for (let i = 0; i < 50; i++) await connection.request({ path: `/${i}`, timeoutMs })
    expect(server.opened()).toBe(1)
    for (let round = 0; round < 5; round++) {
      await Promise.all(Array.from({ length: 10 }, (_, i) => connection.request({ path: `/${i}`, timeoutMs })))
    }
    expect(server.opened()).toBe(10)
  })

  test('go on connections that the kernel asks about while they are silent', async () => {
    if (process.platform !== 'linux') return void process.stdout.write('left out: the kernel is asked through /proc\n')
    const { server, connection } = await start((_, response) => void response.write('{}\n'))
    const chunks = await chunksOf(connection.stream({ path: '/', timeoutMs }))
    const [socket] = server.sockets
    // The sixth column is the kind of timer that runs, where 2 is keepalive, and its time in 1/100 s.
    const local = `:${socket?.remotePort?.toString(16).toUpperCase().padStart(4, '0')}`
    // Established (01): a connection of before that had the port may still be listed while it waits for its end.
    const row = readFileSync('/proc/self/net/tcp', 'utf8')
      .split('\n')
      .map(line => line.trim().split(/\s+/))
      .find(columns => columns[1]?.endsWith(local) && columns[3] === '01')
    const [timer, time = ''] = row?.[5]?.split(':') ?? []
    expect(timer).toBe('02')
    expect(Number.parseInt(time, 16)).toBeGreaterThan(1000)
    expect(Number.parseInt(time, 16)).toBeLessThanOrEqual(3000)
    for await (const _ of chunks) break
  })

  test('end when no answer begins in time, or its end does not come', async () => {
    const { connection } = await start((request, response) => {
      if (request.url === '/half') response.writeHead(200).write('{')
    })
    await expect(connection.request({ path: '/', timeoutMs: 50 })).rejects.toThrow('no answer within 50 ms')
    await expect(connection.request({ path: '/half', timeoutMs: 50 })).rejects.toThrow('no answer within 50 ms')
    await expect(connection.stream({ path: '/', timeoutMs: 50 })).rejects.toThrow('no answer within 50 ms')
  })

  test('end when they are no longer wanted', async () => {
    const { connection } = await start(() => {})
    const controller = new AbortController()
    const asked = connection.request({ path: '/', timeoutMs, signal: controller.signal })
    controller.abort(new Error('no longer'))
    await expect(asked).rejects.toThrow('no longer')
    await expect(connection.request({ path: '/', timeoutMs, signal: controller.signal })).rejects.toThrow('no longer')
  })

  test('are made again when the server had hung up on the idle connection; those that create something are not', async () => {
    const { server, connection } = await start((request, response, count) => {
      if (count % 2 === 0) request.socket.destroy()
      else response.end('{}')
    })
    expect((await connection.request({ path: '/1', timeoutMs })).status).toBe(200)
    expect((await connection.request({ path: '/2', timeoutMs })).status).toBe(200)
    const posted = connection.request({ method: 'POST', path: '/3', body: '{}', timeoutMs })
    await expect(posted).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(server.requests.map(({ url }) => url)).toEqual(['/1', '/2', '/2', '/3'])
  })

  test('go below the path of a server that has one', async () => {
    const server = await startServer((_, response) => response.end('{}'))
    ends.push(() => server.stop())
    const cluster = { server: `${server.address}/k8s/c-1/`, 'certificate-authority-data': base64(server.ca) }
    const connection = await connect(writeKubeconfig(server.dir, cluster, { token: 't' }), {})
    ends.push(() => connection.close())
    await connection.request({ path: '/api/v1/namespaces', timeoutMs })
    expect(server.requests[0]?.url).toBe('/k8s/c-1/api/v1/namespaces')
  })

  test('reach only a server that the kubeconfig trusts', async () => {
    const { server } = await start((_, response) => response.end('{}'))
    const other = await startServer((_, response) => response.end('{}'))
    ends.push(() => other.stop())
    const ask = async (cluster: object) => {
      const connection = await connect(writeKubeconfig(server.dir, { server: server.address, ...cluster }, {}), {})
      ends.push(() => connection.close())
      return connection.request({ path: '/', timeoutMs })
    }
    await expect(ask({ 'certificate-authority-data': base64(other.ca) })).rejects.toThrow(/certificate|signature/)
    const trusted = { 'certificate-authority-data': base64(server.ca) }
    await expect(ask({ ...trusted, 'tls-server-name': 'b.example.com' })).rejects.toThrow('altnames')
    expect(await ask({ ...trusted, 'tls-server-name': 'api.example.com' })).toMatchObject({ status: 200 })
    expect(await ask({ 'insecure-skip-tls-verify': true })).toMatchObject({ status: 200 })
  })
})

describe('a refused token', () => {
  const onlyNewToken: Answer = (request, response) =>
    void response.writeHead(request.headers.authorization === 'Bearer second-token' ? 200 : 401).end('{}')

  test('is read again, and the request is made once more with the new one', async () => {
    const { server, connection, token } = await start(onlyNewToken)
    writeFileSync(token, 'second-token')
    const reply = await connection.request({ method: 'POST', path: '/x', body: '{"a":1}', timeoutMs })
    expect(reply.status).toBe(200)
    expect(server.requests.map(({ body }) => body)).toEqual(['{"a":1}', '{"a":1}'])
    await connection.request({ path: '/y', timeoutMs })
    expect(server.requests).toHaveLength(3)
  })

  test('is read again once for all who ask at the same time, streams too', async () => {
    const { server, connection, token } = await start(onlyNewToken)
    writeFileSync(token, 'second-token')
    const asked = Array.from({ length: 10 }, (_, i) =>
      i % 2 === 0 ? connection.request({ path: '/', timeoutMs }) : connection.stream({ path: '/', timeoutMs }),
    )
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200))
    expect(server.requests.length).toBeLessThanOrEqual(20)
  })

  test('that is still the same is an answer, after one request', async () => {
    const { server, connection } = await start(onlyNewToken)
    expect(await connection.request({ path: '/', timeoutMs })).toEqual({ status: 401, body: '{}' })
    expect(await connection.stream({ path: '/', timeoutMs })).toEqual({ status: 401, body: '{}' })
    expect(server.requests).toHaveLength(2)
  })
})

describe('a stream', () => {
  test('gives what comes as it comes, and splits no character', async () => {
    const bytes = Buffer.from('{"name":"ä€😀"}\n')
    const { connection } = await start((_, response) => {
      let sent = 0
      const send = () => {
        if (sent === bytes.length) return void response.end()
        response.write(bytes.subarray(sent, ++sent), () => setImmediate(send))
      }
      send()
    })
    let text = ''
    let pieces = 0
    for await (const piece of await chunksOf(connection.stream({ path: '/', timeoutMs }))) {
      text += piece
      pieces++
      expect(piece).not.toContain('\uFFFD')
    }
    expect(text).toBe('{"name":"ä€😀"}\n')
    expect(pieces).toBeGreaterThan(1)
  })

  test('goes on past the time in which it had to begin', async () => {
    const { connection } = await start((_, response) => {
      response.write('a')
      setTimeout(() => response.end('b'), 300)
    })
    let text = ''
    for await (const piece of await chunksOf(connection.stream({ path: '/', timeoutMs: 150 }))) text += piece
    expect(text).toBe('ab')
  })

  test('whose reader goes is closed', async () => {
    const { server, connection } = await start((_, response) => void response.write('a'))
    for await (const _ of await chunksOf(connection.stream({ path: '/', timeoutMs }))) break
    const [socket] = server.sockets
    if (socket !== undefined) await new Promise(resolve => socket.once('close', resolve))
    expect(server.sockets.size).toBe(0)
  })

  test.each([
    ['a broken connection', (server: TestServer) => [...server.sockets].map(each => each.resetAndDestroy())],
    ['an end in the middle', (server: TestServer) => [...server.sockets].map(each => each.end())],
  ])('throws at %s', async (_, breakIt) => {
    const { server, connection } = await start((__, response) => void response.write('a'))
    const read = async () => {
      for await (const _ of await chunksOf(connection.stream({ path: '/', timeoutMs }))) breakIt(server)
    }
    await expect(read()).rejects.toThrow()
  })

  test('that breaks on a connection used before is not asked for again behind the reader', async () => {
    const { server, connection } = await start((request, response) => {
      if (request.url === '/stream') response.write('a')
      else response.end('{}')
    })
    await connection.request({ path: '/', timeoutMs })
    const read = async () => {
      for await (const _ of await chunksOf(connection.stream({ path: '/stream', timeoutMs }))) {
        for (const socket of server.sockets) socket.resetAndDestroy()
      }
    }
    await expect(read()).rejects.toThrow()
    await connection.request({ path: '/', timeoutMs })
    expect(server.requests.map(({ url }) => url)).toEqual(['/', '/stream', '/'])
  })

  test('ends when it is no longer wanted, silent as it is', async () => {
    const { connection } = await start((_, response) => void response.write('a'))
    const controller = new AbortController()
    const read = async () => {
      const { signal } = controller
      for await (const _ of await chunksOf(connection.stream({ path: '/', timeoutMs, signal }))) controller.abort()
    }
    await expect(read()).rejects.toThrow()
  })

  test('that is refused is an answer', async () => {
    const { connection } = await start((_, response) => response.writeHead(503, { 'Retry-After': '7' }).end('busy'))
    const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
    const before = timers()
    expect(await connection.stream({ path: '/', timeoutMs })).toEqual({ status: 503, body: 'busy', retryAfterMs: 7000 })
    expect(timers()).toBe(before)
  })
})

describe('the time of day', () => {
  const DAY = 24 * 3_600_000
  const aheadOf = (days: number) => ({ Date: new Date(Date.now() + days * DAY).toUTCString() })
  /** In days, of a connection that has asked once. */
  const ahead = async (answer: Answer, ask: (of: Connection) => Promise<unknown>): Promise<number> => {
    const { connection } = await start(answer)
    await ask(connection)
    return Math.round(((connection.timeOfDay() - Date.now()) / DAY) * 100) / 100
  }
  const request = (of: Connection) => of.request({ path: '/', timeoutMs })

  test.each([
    150, -150,
  ])("is the API server's, %i days ahead: from any answer, from the head of a watch", async days => {
    for (const status of [200, 404]) {
      expect(await ahead((_, response) => response.writeHead(status, aheadOf(days)).end('{}'), request)).toBe(days)
    }
    const watch: Answer = (_, response) => void response.writeHead(200, aheadOf(days)).write('a')
    const stream = async (of: Connection) => {
      for await (const _ of await chunksOf(of.stream({ path: '/', timeoutMs }))) return
    }
    expect(await ahead(watch, stream)).toBe(days)
  })

  test.each<[string, Answer]>([
    ['nobody said another', (_, response) => response.writeHead(200, { Date: new Date().toUTCString() }).end()],
    ['an answer has none', (_, response) => Object.assign(response, { sendDate: false }).writeHead(200).end()],
    ['something in between says that there is none', (_, response) => response.writeHead(503, aheadOf(150)).end()],
  ])('is our own where %s', async (_, answer) => {
    expect(await ahead(answer, request)).toBe(0)
  })
})

test('Retry-After is read as seconds or as a date, and nothing else', () => {
  const now = Date.UTC(2026, 0, 1)
  expect(retryAfterMs('0', now)).toBe(0)
  expect(retryAfterMs('120', now)).toBe(120_000)
  expect(retryAfterMs('Thu, 01 Jan 2026 00:00:30 GMT', now)).toBe(30_000)
  expect(retryAfterMs('Thu, 01 Jan 2025 00:00:30 GMT', now)).toBe(0)
  for (const none of [undefined, '', 'soon', '-1']) expect(retryAfterMs(none, Date.UTC(2026, 0, 1))).toBeUndefined()
})

test('no token is in what a failed request throws', async () => {
  const { server, connection } = await start((request, response) => {
    if (request.url === '/reset') request.socket.destroy()
    else response.writeHead(200).write('a')
  })
  const errors: unknown[] = []
  const note = (error: unknown) => void errors.push(error)
  await connection.request({ path: '/reset', timeoutMs }).catch(note)
  await connection.request({ path: '/', timeoutMs: 50 }).catch(note)
  await server.stop()
  await connection.request({ path: '/', timeoutMs }).catch(note)
  expect(errors).toHaveLength(3)
  for (const error of errors) expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('first-token')
})
