// The webhook as it is shipped, in a cluster: the bundle, with the arguments and the environment of the Dockerfile.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts } from '../parts/ports.ts'

export type Shipped = {
  readonly port: number
  /** ms from its start. */
  readonly upMs: number
  readonly readyMs: number
  memory(): Memory
  /** A metric, all its labels together. */
  metric(name: string): Promise<number>
  stop(): Promise<void>
}

/** MB resident: now, at most until now. */
export type Memory = { readonly rss: number; readonly peak: number }

export type Files = {
  readonly kubeconfig: string
  readonly certs: string
  readonly config: string
  readonly log: string
}

const ROOT = join(import.meta.dirname, '../..')
const READY_WITHIN_MS = 120_000

export async function startShipped(bundle: string, { kubeconfig, certs, config, log }: Files): Promise<Shipped> {
  const [port, healthPort] = (await freePorts(2)) as [number, number]
  const { flags, env } = shippedWith(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'))
  const listen = ['--host', '127.0.0.1', '--port', String(port), '--health-port', String(healthPort)]
  const args = [
    ...flags,
    bundle,
    'webhook',
    '--kubeconfig',
    kubeconfig,
    '--certs',
    certs,
    '--config',
    config,
    ...listen,
  ]
  const output = openSync(log, 'w')
  const started = performance.now()
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ['ignore', output, output] })
  closeSync(output)
  const page = (path: string) => ask(healthPort, path)
  const upMs = await since(started, child, log, async () => (await page('/healthz')).status === 200)
  const readyMs = await since(started, child, log, async () => (await page('/readyz')).status === 200)
  return {
    port,
    upMs,
    readyMs,
    memory: () => memoryOf(child.pid!),
    async metric(name) {
      const lines = (await page('/metrics')).text.split('\n').filter(line => line.replace(/[{ ].*/, '') === name)
      return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

/** What stands in the Dockerfile between Node and the bundle, and its environment. */
export function shippedWith(dockerfile: string): { flags: string[]; env: Record<string, string> } {
  const entry: string[] = JSON.parse(/^ENTRYPOINT (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]')
  const env = [...dockerfile.matchAll(/^ENV (\w+)=(\S+)$/gm)].map(([, name, value]) => [name!, value!])
  return { flags: entry.slice(1).filter(each => each.startsWith('--')), env: Object.fromEntries(env) }
}

async function since(from: number, child: ChildProcess, log: string, holds: () => Promise<boolean>): Promise<number> {
  while (!(await holds().catch(() => false))) {
    const ms = performance.now() - from
    if (child.exitCode !== null || child.signalCode !== null || ms > READY_WITHIN_MS) {
      child.kill('SIGKILL')
      throw new Error(`the webhook did not get ready: ${readFileSync(log, 'utf8').slice(-2000)}`)
    }
    await sleep(10)
  }
  return performance.now() - from
}

function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const of = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1000
  return { rss: of('VmRSS'), peak: of('VmHWM') }
}

function ask(port: number, path: string): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent: false }, answer => {
      let text = ''
      answer.setEncoding('utf8').on('data', chunk => {
        text += chunk
      })
      answer.on('end', () => resolve({ status: answer.statusCode, text }))
    }).on('error', reject)
  })
}
