// What a write asks for, and what answers mean that a real API server can't be made to give. What it can, it gives in
// test/integration/writer.test.ts.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { KubeObject } from '../../src/core/types.ts'
import { connect } from '../../src/kube/connection.ts'
import { collectionPath, listPath, objectPath, refOf } from '../../src/kube/kinds.ts'
import { createWriter, type WriterOptions } from '../../src/kube/writer.ts'
import { type Answer, base64, startServer, writeKubeconfig } from './server.ts'

const ends: (() => unknown)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

const TOKEN = 'the-token-that-nobody-must-see'
const OBJECT: KubeObject = {
  apiVersion: 'traefik.io/v1alpha1',
  kind: 'Middleware',
  metadata: { namespace: 'shop', name: 'guard', resourceVersion: '7' },
}
const REF = refOf(OBJECT)
const PATH = '/apis/traefik.io/v1alpha1/namespaces/shop/middlewares'

async function start(answer: Answer, options: WriterOptions = {}) {
  const server = await startServer(answer)
  ends.push(() => server.stop())
  writeFileSync(join(server.dir, 'token'), TOKEN)
  const cluster = { server: server.address, 'certificate-authority-data': base64(server.ca) }
  const connection = await connect(writeKubeconfig(server.dir, cluster, { tokenFile: 'token' }), {})
  ends.push(() => connection.close())
  return { server, writer: createWriter(connection, { timeoutMs: 2000, ...options }) }
}

const says = (status: number, body: unknown, headers: Record<string, string> = {}): Answer => {
  const text = typeof body === 'string' ? body : JSON.stringify({ kind: 'Status', status: 'Failure', ...Object(body) })
  return (_, response) => void response.writeHead(status, headers).end(text)
}

describe('each request', () => {
  test('is the one that the API server knows for it', async () => {
    const { server, writer } = await start((_, response) => void response.end(JSON.stringify(OBJECT)))
    const operation = { op: 'remove', path: '/metadata/labels' } as const
    const answers = [
      await writer.get(REF),
      await writer.apply(OBJECT),
      await writer.patch(REF, '7', [operation]),
      await writer.patch(REF, '7', [operation], 'status'),
      await writer.create(OBJECT),
      await writer.remove(REF, 'u'),
      await writer.remove(REF, 'u', '7'),
    ]
    for (const answer of answers) expect(answer).toEqual({ outcome: 'done', object: OBJECT })
    const query = 'fieldManager=portcullis&fieldValidation=Strict'
    const operations = [{ op: 'test', path: '/metadata/resourceVersion', value: '7' }, operation]
    const deletion = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' }
    const asked = server.requests.map(({ method, url, headers, body }) => [
      `${method} ${url}`,
      headers['content-type'],
      body === '' ? undefined : JSON.parse(body),
    ])
    expect(asked).toEqual([
      [`GET ${PATH}/guard`, undefined, undefined],
      [`PATCH ${PATH}/guard?${query}&force=true&timeout=2s`, 'application/apply-patch+yaml', OBJECT],
      [`PATCH ${PATH}/guard?${query}&timeout=2s`, 'application/json-patch+json', operations],
      [`PATCH ${PATH}/guard/status?${query}&timeout=2s`, 'application/json-patch+json', operations],
      [`POST ${PATH}?${query}&timeout=2s`, 'application/json', OBJECT],
      [`DELETE ${PATH}/guard?timeout=2s`, 'application/json', { ...deletion, preconditions: { uid: 'u' } }],
      [
        `DELETE ${PATH}/guard?timeout=2s`,
        'application/json',
        { ...deletion, preconditions: { uid: 'u', resourceVersion: '7' } },
      ],
    ])
  })

  test('is not sent by who may not write any more, while reading is free', async () => {
    let may = true
    const { server, writer } = await start(says(200, OBJECT), { mayWrite: () => may })
    await writer.apply(OBJECT)
    may = false
    const answers = [
      await writer.apply(OBJECT),
      await writer.patch(REF, '7', []),
      await writer.create(OBJECT),
      await writer.remove(REF, 'u'),
    ]
    for (const answer of answers) expect(answer).toEqual({ outcome: 'later', message: 'told to stop' })
    await writer.get(REF)
    expect(server.requests.map(({ method }) => method)).toEqual(['PATCH', 'GET'])
  })

  test('ends when the signal is given, and none begins after that', async () => {
    const told = new AbortController()
    const { server, writer } = await start(() => told.abort(new Error('the term is over')), { signal: told.signal })
    expect(await writer.apply(OBJECT)).toEqual({ outcome: 'later', message: 'the term is over' })
    expect(await writer.get(REF)).toEqual({ outcome: 'later', message: 'told to stop' })
    expect(server.requests.length).toBe(1)
  })
})

describe('an answer', () => {
  test.each<[string, number, unknown, Record<string, string>, object]>([
    [
      'too many requests',
      429,
      { message: 'slow down' },
      { 'retry-after': '3' },
      { message: 'slow down', afterMs: 3000 },
    ],
    ['overload', 503, { message: 'busy' }, { 'retry-after': '1' }, { message: 'busy', afterMs: 1000 }],
    ['a timeout of the server', 504, { message: 'timed out', reason: 'Timeout' }, {}, { message: 'timed out' }],
    ['a webhook of somebody that does not answer', 500, { message: 'failed calling webhook "x"' }, {}, {}],
    ['a refused token', 401, { message: 'Unauthorized' }, {}, { message: 'Unauthorized' }],
    ['a server that starts', 403, { message: 'x is forbidden: not yet ready to handle request' }, {}, {}],
    ['something in between', 502, `<html>you sent Bearer ${TOKEN}</html>`, {}, { message: '502 without a reason' }],
    ['another kind of object', 200, JSON.stringify({ ...OBJECT, kind: 'Gateway' }), {}, {}],
    ['half an object', 200, JSON.stringify(OBJECT).slice(0, 50), {}, {}],
    ['nothing', 200, '', {}, {}],
  ])('of %s is worth another try', async (_, status, body, headers, expected) => {
    const { writer } = await start(says(status, body, headers))
    const answer = await writer.apply(OBJECT)
    expect(answer).toMatchObject({ outcome: 'later', ...expected })
    expect(JSON.stringify(answer)).not.toContain(TOKEN)
  })

  test('that a patch of a status does not fit is a conflict, without a look at the object', async () => {
    const { server, writer } = await start(says(422, { message: 'the server rejected our request', reason: 'Invalid' }))
    expect(await writer.patch(REF, '7', [{ op: 'remove', path: '/status' }], 'status')).toEqual({ outcome: 'conflict' })
    expect(server.requests.map(({ method }) => method)).toEqual(['PATCH'])
  })

  test.each([404, 409, 429, 500])('with which somebody denies a request is a refusal, even %i', async status => {
    const message = 'admission webhook "w.example.com" denied the request: no'
    const { writer } = await start(says(status, { message, reason: 'NotFound', details: { name: 'guard' } }))
    expect(await writer.apply(OBJECT)).toEqual({ outcome: 'refused', status, message })
  })

  test('that repeats an object says only what is wrong with it, on one line', async () => {
    const quoted = JSON.stringify(JSON.stringify({ ...OBJECT, spec: { secret: 's3cret'.repeat(50) } }))
    const message = `"" is invalid: patch: Invalid value: ${quoted}: strict decoding error:\nunknown field "spec.x"`
    const { writer } = await start(says(422, { message, reason: 'Invalid', details: { causes: [{}] } }))
    const said = '"" is invalid: patch: Invalid value: "…": strict decoding error: unknown field "spec.x"'
    expect(await writer.patch(REF, '7', [])).toEqual({ outcome: 'refused', status: 422, message: said })
  })

  test.each([
    ['7', 'refused'],
    ['8', 'conflict'],
  ])('that a patch does not fit is judged by the version that is there: %s: %s', async (resourceVersion, outcome) => {
    const there = { ...OBJECT, metadata: { ...OBJECT.metadata, resourceVersion } }
    const { writer } = await start((request, response) => {
      if (request.method === 'GET') response.end(JSON.stringify(there))
      else
        says(422, { message: 'the server rejected our request', reason: 'Invalid', details: {} })(request, response, 0)
    })
    expect(await writer.patch(REF, '7', [])).toMatchObject({ outcome })
  })
})

describe('no answer', () => {
  test.each<[string, Answer]>([
    ['hangs', () => {}],
    ['hangs up', request => request.socket.destroy()],
    ['hangs up in the middle', (_, response) => void response.writeHead(200).write('{', () => response.destroy())],
  ])('from a server that %s is worth another try, and says nothing of who asked', async (_, answer) => {
    const { writer } = await start(answer, { timeoutMs: 500 })
    const answers = [await writer.get(REF), await writer.create(OBJECT), await writer.remove(REF, 'u')]
    process.stdout.write(`${JSON.stringify(answers)}\n`)
    for (const each of answers)
      expect(each).toEqual({ outcome: 'later', message: expect.stringMatching(/^\S.{5,60}$/) })
    expect(JSON.stringify(answers)).not.toContain(TOKEN)
  })
})

describe('addresses', () => {
  test('hold every name as one segment', () => {
    const ref = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', namespace: 'a/b', name: '../x?y#z' }
    expect(objectPath(ref)).toBe('/apis/networking.k8s.io/v1/namespaces/a%2Fb/ingresses/..%2Fx%3Fy%23z')
  })

  test('are of the version that the object is in', () => {
    const name = { namespace: 'shop', name: 'g' }
    expect(objectPath({ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'ReferenceGrant', ...name })).toBe(
      '/apis/gateway.networking.k8s.io/v1/namespaces/shop/referencegrants/g',
    )
    expect(listPath('ReferenceGrant')).toBe('/apis/gateway.networking.k8s.io/v1beta1/referencegrants')
    expect(listPath('Service')).toBe('/api/v1/services')
  })

  test('that would be those of something else are a fault', () => {
    const named = { apiVersion: 'v1', name: 'x' }
    expect(() => objectPath({ ...named, kind: 'Endpoints', namespace: 'shop' })).toThrow('Endpoints')
    expect(() => objectPath({ ...named, kind: '__proto__', namespace: 'shop' })).toThrow('__proto__')
    expect(() => objectPath({ ...named, kind: 'Service' })).toThrow('namespace')
    expect(() => objectPath({ ...named, kind: 'Namespace', namespace: 'shop' })).toThrow('cluster')
    expect(() => objectPath({ ...named, kind: 'Service', namespace: 'shop', name: '' })).toThrow('without a name')
    expect(() => collectionPath({ apiVersion: 'v1', kind: 'Service', namespace: '' })).toThrow('namespace')
  })
})
