// A command of Portcullis as it is shipped: the bundle, with the arguments and the environment of the Dockerfile.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export type Shipped = {
  /** ms from its start. */
  readonly upMs: number
  readonly readyMs: number
  memory(): Memory
  /** A metric, all its labels together; only those that have `labels` in their line. */
  metric(name: string, labels?: string): Promise<number>
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** MB resident: now, at most until now. */
export type Memory = { readonly rss: number; readonly peak: number }

export type Command = {
  readonly bundle: string
  readonly args: readonly string[]
  /** Of Node, besides those of the Dockerfile. */
  readonly flags?: readonly string[]
  readonly healthPort: number
  readonly log: string
}

const ROOT = join(import.meta.dirname, '../..')
const READY_WITHIN_MS = 120_000

export async function startShipped({ bundle, args, flags = [], healthPort, log }: Command): Promise<Shipped> {
  const { flags: shipped, env } = shippedWith(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'))
  const output = openSync(log, 'w')
  const started = performance.now()
  const all = [...shipped, ...flags, bundle, ...args, '--host', '127.0.0.1', '--health-port', String(healthPort)]
  const child = spawn(process.execPath, all, { env: { ...process.env, ...env }, stdio: ['ignore', output, output] })
  closeSync(output)
  const page = (path: string) => ask(healthPort, path)
  const upMs = await since(started, child, log, async () => (await page('/healthz')).status === 200)
  const readyMs = await since(started, child, log, async () => (await page('/readyz')).status === 200)
  return {
    upMs,
    readyMs,
    memory: () => memoryOf(child.pid!),
    async metric(name, labels = '') {
      const lines = (await page('/metrics')).text
        .split('\n')
        .filter(line => line.replace(/[{ ].*/, '') === name && line.includes(labels))
      return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
    },
    async stop(signal = 'SIGKILL') {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill(signal)
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
      throw new Error(`it did not get ready: ${readFileSync(log, 'utf8').slice(-2000)}`)
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
