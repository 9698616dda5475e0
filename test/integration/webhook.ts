// The standalone webhook as a real process behind a Service of a control plane, and what its log says it was asked.
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { KubeObject } from '../../src/core/types.ts'
import type { ControlPlane } from '../parts/control-plane.ts'
import { freePorts } from '../parts/ports.ts'
import { type RunningPart, startPart } from '../parts/process.ts'
import { applied, inYaml } from './objects.ts'
import { mutating, type Service, validating } from './webhook-configurations.ts'

export type Asked = {
  readonly entry: 'mutate' | 'validate'
  readonly ref: string
  readonly operation: string
  readonly outcome: string
  readonly codes: readonly string[]
}

export type Webhook = {
  /** Has it answer by these facts, instead of those before; with what guards these routes, where somebody has to. */
  serve(facts: readonly KubeObject[], routes?: readonly KubeObject[]): Promise<void>
  stop(): Promise<void>
  /** What it was asked since it serves, all of it. Only while it runs. */
  asked(): Promise<Asked[]>
  removeMutating(): Promise<void>
  restoreMutating(): Promise<void>
}

export type PrepareWebhook = (controlPlane: ControlPlane) => Promise<Webhook>

const MAIN = join(dirname(fileURLToPath(import.meta.url)), '../../src/main.ts')
const NAMESPACE = 'portcullis'
const NAME = 'portcullis-webhook'
const WITHIN_MS = 20_000

/** With a Service, certificates and webhook configurations; nothing runs until it serves. */
export const prepareWebhook: PrepareWebhook = async controlPlane => {
  const service = await createService(controlPlane)
  const certs = join(controlPlane.dir, 'certs')
  const names = ['--name', `${NAME}.${NAMESPACE}.svc`, service.clusterIP]
  await promisify(execFile)(process.execPath, [MAIN, 'certs', certs, ...names])
  const ca = readFileSync(join(certs, 'ca.crt')).toString('base64')
  await applied(controlPlane, mutating(service, ca), validating(service, ca))
  const run = { current: undefined as RunningPart | undefined, probes: 0, configured: false }
  const stop = async () => run.current?.stop('SIGKILL')
  const probed = () => probe(controlPlane, run.current?.log ?? '', `probe-${run.probes++}`)
  const until = async (entries: number) => {
    const deadline = performance.now() + WITHIN_MS
    while ((await probed()) !== entries) {
      if (performance.now() > deadline) throw new Error(`the API server does not call ${entries} webhooks`)
    }
  }
  return {
    async serve(facts) {
      await stop()
      run.current = await start(controlPlane, service, certs, facts)
      // The API server learns of webhook configurations a moment after they are stored.
      if (!run.configured) await until(2)
      run.configured = true
    },
    stop,
    async asked() {
      await probed()
      return admissions(run.current?.log ?? '').filter(each => !isProbe(each))
    },
    async removeMutating() {
      await controlPlane.kubectl(['delete', 'mutatingwebhookconfiguration', 'portcullis'])
      await until(1)
    },
    async restoreMutating() {
      await applied(controlPlane, mutating(service, ca))
    },
  }
}

/** On any free port: 443 is not for everybody to listen on. */
export async function createService(controlPlane: ControlPlane): Promise<Service> {
  const [port] = await freePorts(1)
  await controlPlane.kubectl(['create', 'namespace', NAMESPACE])
  const args = ['create', 'service', 'clusterip', NAME, '-n', NAMESPACE, `--tcp=${port}`]
  const { code, stdout, stderr } = await controlPlane.kubectl([...args, '-o', 'jsonpath={.spec.clusterIP}'])
  if (code !== 0) throw new Error(stderr)
  return { namespace: NAMESPACE, name: NAME, port: Number(port), clusterIP: stdout }
}

async function start(
  { dir }: ControlPlane,
  { clusterIP, port }: Service,
  certs: string,
  facts: readonly KubeObject[],
): Promise<RunningPart> {
  const folder = join(dir, 'facts')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'facts.yaml'), inYaml(facts))
  const listen = ['--port', String(port), '--host', clusterIP, '--certs', certs]
  const name = 'webhook'
  return startPart({
    name,
    command: process.execPath,
    args: [MAIN, 'webhook', '--standalone', folder, ...listen],
    dir,
    ready: async () => readFileSync(join(dir, `${name}.log`), 'utf8').includes('ready: '),
  })
}

/**
 * Lines of the log are written in the order of the answers, a moment later: once those of this object are there, so are
 * all before. Gives how many webhooks were called for it.
 */
export async function probe(controlPlane: ControlPlane, log: string, name: string): Promise<number> {
  const labels = { 'auth.example/protect': 'false' }
  const ingress = { metadata: { name, namespace: 'default', labels }, spec: { defaultBackend: BACKEND } }
  const document = inYaml([{ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', ...ingress }])
  const { code, stderr } = await controlPlane.kubectl(['create', '--dry-run=server', '-f', '-'], document)
  if (code !== 0) throw new Error(stderr)
  const deadline = performance.now() + 1_000
  for (;;) {
    const lines = admissions(log).filter(each => each.ref.endsWith(`/${name}`))
    if (lines.some(each => each.entry === 'validate')) return lines.length
    // Not called yet: the next probe may be.
    if (performance.now() > deadline) return 0
    await sleep(50)
  }
}

const BACKEND = { service: { name: 'nothing', port: { number: 80 } } }

export function isProbe({ ref }: Asked): boolean {
  return ref.includes('/default/probe-')
}

export function admissions(log: string): Asked[] {
  const lines = readFileSync(log, 'utf8').split('\n')
  return lines.filter(line => line.includes('"msg":"admission"')).map(line => JSON.parse(line))
}
