import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { admit } from '../../src/admission/admit.ts'
import { ensureCertificates, LOCAL_NAMES } from '../../src/certificates/files.ts'
import { type ReviewOptions, review } from '../../src/commands/review.ts'
import { loadFacts } from '../../src/facts/documents.ts'
import { gateways } from '../../src/gateways/index.ts'
import { type Serving, serve } from '../../src/http/server.ts'
import { captured, FACTS, folder, ingress } from './portcullis.ts'

const dir = folder({
  'facts.yaml': FACTS,
  'inside.yaml': ingress('shop.a.example.com'),
  'outside.yaml': ingress('shop.elsewhere.example'),
  'nameless.yaml': ingress('shop.a.example.com', ''),
  'renamed.yaml': ingress('shop.a.example.com').replace('name: shop\n', 'name: store\n'),
})
const bad = folder({
  'two.yaml': `${ingress('shop.a.example.com')}---${ingress('shop.a.example.com')}`,
  'broken.yaml': 'kind: [',
  'empty.yaml': '# nothing',
})
const certs = folder({})
const inside = join(dir, 'inside.yaml')
const outside = join(dir, 'outside.yaml')
const log = { info() {}, warn() {}, error() {} }

let serving: Serving
beforeAll(async () => {
  const { store } = await loadFacts(dir)
  const keyPair = await ensureCertificates(certs, LOCAL_NAMES, new Date())
  const context = { facts: store, gateways, log, now: Date.now }
  serving = await serve({ port: 0, keyPair, log, admit: (entry, body) => admit(entry, body, context) })
})
afterAll(() => serving.drain({ delayMs: 0, graceMs: 0 }))

async function reviewed(options: Partial<ReviewOptions>): Promise<{ code: number; out: string; err: string }> {
  const io = captured()
  const server = `https://localhost:${serving.port}`
  const code = await review({ file: inside, server, ca: join(certs, 'ca.crt'), operation: 'CREATE', ...options }, io)
  return { code, ...io.text }
}

describe('a review', () => {
  test('tells line by line what would change, and that the result is admitted', async () => {
    const { code, out, err } = await reviewed({})
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^CREATE Ingress shops\/shop\n\/mutate: allowed, with these changes\n/)
    const url = 'http://oauth2-proxy.shops.svc.cluster.local:80/oauth2/auth'
    expect(out.split('\n')).toContain(`  + /metadata/annotations/nginx.ingress.kubernetes.io/auth-url: ${url}`)
    expect(out).toMatch(/\n\/validate: allowed, nothing to change\n$/)
  })

  test('of a route that is refused ends with 1 and the sentence', async () => {
    const { code, out } = await reviewed({ file: outside })
    expect(code).toBe(1)
    expect(out).toMatch(
      /\n\/validate: refused \(403\)\n {2}.*host shop\.elsewhere\.example .*; .* \[host-of-others\]\n$/,
    )
  })

  test('of an update sends the object as it was beside the object as it is', async () => {
    const { code, out } = await reviewed({ operation: 'UPDATE', old: outside })
    expect(out).toMatch(/^UPDATE Ingress shops\/shop\n\/mutate: allowed, with these changes/)
    expect(code).toBe(0)
  })

  test('takes the namespace from the command line where the object names none', async () => {
    expect((await reviewed({ file: join(dir, 'nameless.yaml'), namespace: 'shops' })).out).toMatch(
      /^CREATE Ingress shops\/shop/,
    )
  })

  test('trusts no server but that of the authority it is given', async () => {
    const others = folder({})
    await ensureCertificates(others, LOCAL_NAMES, new Date())
    const { code, err } = await reviewed({ ca: join(others, 'ca.crt') })
    expect(code).toBe(2)
    expect(err).toMatch(/is not one that --ca vouches for \([^;)]+\); give the ca\.crt of that server\n$/)
  })

  const BAD: readonly [what: string, options: Partial<ReviewOptions>, says: RegExp][] = [
    [
      'a server that is not there',
      { server: 'https://localhost:1' },
      /nothing listens on https:\/\/localhost:1; start it/,
    ],
    ['an address without TLS', { server: 'http://localhost:8443' }, /must be an https:\/\/ address/],
    [
      'an authority that is not there',
      { ca: 'nowhere/ca.crt' },
      /nowhere\/ca.crt: there is no such file .*npm run certs/,
    ],
    ['an authority that is none', { ca: inside }, /inside.yaml holds no certificate/],
    ['a file that is not there', { file: 'nowhere.yaml' }, /nowhere.yaml: there is no such file or folder; correct -f/],
    ['a folder instead of a file', { file: dir }, /: this is a folder, and a file is needed; correct -f/],
    ['a file that does not parse', { file: join(bad, 'broken.yaml') }, /broken.yaml:\d+: .*not valid YAML/],
    ['a file with nothing in it', { file: join(bad, 'empty.yaml') }, /there is no object in it/],
    ['two objects', { file: join(bad, 'two.yaml') }, /several objects in it; review one at a time/],
    ['two namespaces', { namespace: 'other' }, /leave one of them out/],
    [
      'an older state that is not there',
      { operation: 'UPDATE', old: 'nowhere.yaml' },
      /nowhere.yaml: there is no such file or folder; correct --old/,
    ],
    ['an older state of what is new', { old: inside }, /--old is for an update; leave it or --operation CREATE out/],
    ['an update of something else', { operation: 'UPDATE', old: join(dir, 'renamed.yaml') }, /are not the same object/],
  ]
  test.each(BAD)('ends with 2 and a sentence for %s', async (_, options, says) => {
    const { code, out, err } = await reviewed(options)
    expect(code).toBe(2)
    expect(err).toMatch(says)
    expect(err.trimEnd()).not.toMatch(/\n/)
    expect(out).not.toMatch(/allowed/)
  })
})
