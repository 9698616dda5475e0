import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { get, request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from '@jest/globals'
import { freePorts } from '../parts/ports.ts'
import { FACTS, folder, run, type Started, start } from './portcullis.ts'

const running: Started[] = []
afterEach(async () => {
  for (const each of running.splice(0)) {
    each.kill('SIGKILL')
    await each.ended
  }
})

/** Of a cluster that isn't there. */
function kubeconfig(port: number): string {
  const cluster = { server: `https://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true }
  const text = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'a', cluster }],
    users: [{ name: 'a', user: { token: 'secret-token' } }],
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    'current-context': 'a',
  })
  return join(folder({ kubeconfig: text }), 'kubeconfig')
}

type Alive = { readonly port: number; readonly healthPort: number; readonly process: Started }

async function serve(...more: readonly string[]): Promise<Alive> {
  const [port, healthPort, away] = (await freePorts(3)) as [number, number, number]
  const ports = ['--host', '127.0.0.1', '--port', String(port), '--health-port', String(healthPort)]
  const process = start('webhook', '--kubeconfig', kubeconfig(away), ...ports, ...more)
  running.push(process)
  await until(async () => (await health(healthPort, '/healthz')).status === 200)
  return { port, healthPort, process }
}

function health(port: number, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = get({ host: '127.0.0.1', port, path, agent: false }, answer => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
    })
    asked.on('error', reject)
  })
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await holds().catch(() => false)) return
    await sleep(50)
  }
  expect(await holds()).toBe(true)
}

async function certificates(): Promise<string> {
  const dir = folder({})
  await run('certs', dir)
  return dir
}

describe('the webhook in a cluster that is not there yet', () => {
  test('is alive, and says line by line what it waits for', async () => {
    const { healthPort, process } = await serve('--certs', folder({}))
    await until(async () =>
      /Middleware yet: [\s\S]*there is no certificate to show/.test((await health(healthPort, '/readyz')).text),
    )
    const { status, text } = await health(healthPort, '/readyz')
    expect(status).toBe(503)
    expect(text).toMatch(
      /^not ready:\nfacts: no list of AuthTeam yet: connect ECONNREFUSED \S+\nfacts: no list of AuthExemption yet: /,
    )
    expect(text).toMatch(
      /^facts: no list of HTTPRoute yet: [^\n]+\nfacts: [\s\S]*\ncertificate: [^\n]+tls\.crt: there is no such file or folder\nlistener: [^\n]+\n$/m,
    )
    expect(process.out()).not.toMatch(/secret-token/)
  })

  test('is content with certificate and listener as soon as the Secret is there', async () => {
    const { healthPort } = await serve('--certs', await certificates())
    await until(async () => !/certificate|listener|yet$/m.test((await health(healthPort, '/readyz')).text))
    expect((await health(healthPort, '/readyz')).text).toMatch(
      /^not ready:\n(facts: no list of \w+ yet: connect [^\n]+\n)+$/,
    )
    expect((await health(healthPort, '/metrics')).text).toMatch(/^portcullis_ready 0$/m)
  })

  test('ends well when it is told to, after its delay', async () => {
    const { healthPort, process } = await serve('--certs', await certificates(), '--drain-delay', '10')
    process.kill('SIGTERM')
    await until(async () => (await health(healthPort, '/readyz')).text.includes('it is shutting down'))
    expect((await health(healthPort, '/healthz')).status).toBe(200)
    expect(await process.ended).toMatchObject({ code: 0, err: '' })
  }, 60_000)

  test('answers the kubelet while another request hangs on its port for health', async () => {
    const { healthPort } = await serve('--certs', await certificates())
    const hanging = request({ host: '127.0.0.1', port: healthPort, method: 'POST', path: '/healthz' })
    hanging.on('error', () => {})
    hanging.write('x')
    expect((await health(healthPort, '/healthz')).status).toBe(200)
    hanging.destroy()
  })
})

describe('the webhook does not start, and says why in a sentence,', () => {
  test('where there is no cluster', async () => {
    const before = { ...process.env }
    Object.assign(process.env, { HOME: '/nonexistent' })
    for (const name of ['KUBECONFIG', 'KUBERNETES_SERVICE_HOST']) delete process.env[name]
    const { code, out, err } = await run('webhook')
    Object.assign(process.env, before)
    expect({ code, out, err }).toEqual({
      code: 2,
      out: '',
      err: expect.stringMatching(
        /^no cluster to connect to: [^\n]+; --kubeconfig names a cluster, --standalone needs none\n$/,
      ),
    })
  })

  test('from a broken configuration', async () => {
    const dir = folder({
      'config.yaml': 'apiVersion: config.auth.example/v1alpha1\nkind: PortcullisConfig\nsettle: 1\n',
    })
    const { code, err } = await run('webhook', '--kubeconfig', kubeconfig(1), '--config', join(dir, 'config.yaml'))
    expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(/config\.yaml:3: settle: is not a field/) })
  })

  test('on a port for health that is taken', async () => {
    const certs = await certificates()
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as { port: number }
    const listen = ['--host', '127.0.0.1', '--port', '0', '--health-port', String(port)]
    const { code, err } = await run('webhook', '--kubeconfig', kubeconfig(1), '--certs', certs, ...listen)
    taken.close()
    expect({ code, err }).toEqual({
      code: 2,
      err: `port ${port} is in use; end what listens there, or choose another with --health-port\n`,
    })
  })

  test.each([
    [['--client-ca', 'ca.crt'], /--client-ca and --client-name go together/],
    [['--client-name', 'kube-apiserver'], /--client-ca and --client-name go together/],
    [['--standalone', '.', '--kubeconfig', 'a'], /--standalone <dir>' cannot be used with option '--kubeconfig/],
    [['--drain-delay', 'soon'], /must be a number of seconds/],
  ])('with %j', async (args, says) => {
    const { code, err } = await run('webhook', ...args)
    expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(says) })
  })
})

describe('the standalone webhook', () => {
  test('has health and metrics on a port of their own where it is told to', async () => {
    const [healthPort] = (await freePorts(1)) as [number]
    const dir = folder({})
    writeFileSync(join(dir, 'facts.yaml'), FACTS)
    const process = start(
      'webhook',
      '--standalone',
      dir,
      '--certs',
      dir,
      '--port',
      '0',
      '--health-port',
      String(healthPort),
    )
    running.push(process)
    await process.line(/^ready: /m)
    expect(await health(healthPort, '/readyz')).toEqual({ status: 200, text: 'ready\n' })
    expect((await health(healthPort, '/metrics')).text).toMatch(/^portcullis_in_flight_requests 0$/m)
  })
})
