import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { review } from '../../src/commands/review.ts'
import { captured, FACTS, folder, ingress, run, type Started, start } from './portcullis.ts'

const dir = folder({ 'facts.yaml': FACTS, 'ingress.yaml': ingress('shop.a.example.com') })
const certs = folder({})
const ca = join(certs, 'ca.crt')

let webhook: Started
let server: string
beforeAll(async () => {
  webhook = start('webhook', '--standalone', dir, '--certs', certs, '--port', '0')
  const [, url = ''] = await webhook.line(/^ready: (https:\/\/localhost:\d+) /m)
  server = url
})
afterAll(() => webhook.kill('SIGKILL'))

function reviewBy(url: string): Promise<number> {
  return review({ file: join(dir, 'ingress.yaml'), server: url, ca, operation: 'CREATE' }, captured())
}

describe('the webhook that runs from documents', () => {
  test('says in one line that it is ready, from which facts, and that guards are taken for granted', () => {
    const lines = webhook.out().split('\n')
    expect(lines[0]).toBe(`made certificates in ${certs}, because there were none`)
    expect(lines[1]).toBe(
      `ready: ${server} answers /mutate and /validate from ${dir} (1 AuthTeam, 1 Namespace, 1 IngressClass, 1 Ingress); ` +
        'nobody makes companions here, so guards count as ready',
    )
  })

  test('gives a command that shows an answer, which does so as it stands', async () => {
    const [, command = ''] = await webhook.line(/^try: npm run -s portcullis -- (.+)$/m)
    const { code, out } = await run(...command.split(' '))
    expect(out).toMatch(/^CREATE Ingress shops\/shop\n\/mutate: allowed, with these changes\n {2}\+ /)
    expect(code).toBe(0)
  })

  test('logs one line of JSON an admission, with no body and no secret in it', async () => {
    await reviewBy(server)
    const [line] = await webhook.line(/^\{.*"entry":"validate".*\}$/m)
    expect(JSON.parse(line)).toMatchObject({
      level: 'info',
      ref: 'Ingress/shops/shop',
      operation: 'CREATE',
      outcome: 'protect',
    })
    expect(webhook.out()).not.toMatch(/PRIVATE KEY|"object":|auth-url/)
  })

  test('does not start twice on a port, and says so in a sentence', async () => {
    const port = new URL(server).port
    const { code, out, err } = await run('webhook', '--standalone', dir, '--certs', certs, '--port', port)
    expect({ code, out, err }).toEqual({
      code: 2,
      out: '',
      err: `port ${port} is in use; end what listens there, or choose another with --port\n`,
    })
  })

  test('does not start with an authority of clients that is none, and says so', async () => {
    const args = ['--certs', certs, '--port', '0', '--client-name', 'kube-apiserver']
    expect(await run('webhook', '--standalone', dir, ...args, '--client-ca', join(dir, 'facts.yaml'))).toEqual({
      code: 2,
      out: '',
      err: `authority of clients: ${join(dir, 'facts.yaml')} holds no certificate; correct --client-ca\n`,
    })
  })

  test('does not start from broken documents, and names every problem with file and field', async () => {
    const broken = folder({
      'a.yaml': FACTS.replace('cookieDomains', 'cookieDomain'),
      'b.yaml': 'apiVersion: v1\nkind: [',
      'c.yaml': FACTS.replace('namespaces: {names: [shops]}', 'namespaces: {names: shops}'),
    })
    const { code, out, err } = await run('webhook', '--standalone', broken, '--certs', certs, '--port', '0')
    expect(err).toMatch(/a\.yaml:\d+: spec\.proxy\.cookieDomain: is not a field; did you mean cookieDomains\?/)
    expect(err).toMatch(/b\.yaml:\d+: .*not valid YAML/)
    expect(err).toMatch(/c\.yaml:\d+: spec\.namespaces\.names: must be a list/)
    expect({ code, out }).toEqual({ code: 2, out: '' })
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('ends well on %s, with all of its log written', async signal => {
    const other = start('webhook', '--standalone', dir, '--certs', certs, '--port', '0')
    const [, url = ''] = await other.line(/^ready: (\S+) /m)
    await reviewBy(url)
    other.kill(signal)
    const { code, out, err } = await other.ended
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out.match(/^\{.*\}$/gm)).toHaveLength(2)
  })
})
