// A real API server with the servers that it asks, and every variant live at once.
import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { ensureCertificates, LOCAL_NAMES } from '../../src/certificates/files.ts'
import { array, object, type StringMap, strings } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { type Connection, connect } from '../../src/kube/connection.ts'
import { type ControlPlane, startControlPlane } from '../parts/control-plane.ts'
import { freePorts } from '../parts/ports.ts'
import { type RunningPart, startPart } from '../parts/process.ts'
import { facts, ingress, review, team } from './inputs.ts'
import type { Target } from './load.ts'
import { cpuMs } from './process.ts'
import * as variants from './variants.ts'

export type Cluster = {
  readonly address: string
  targetOf(variant: variants.Variant): Target
  /** The servers that the API server asks, asked directly. */
  readonly direct: readonly Target[]
  cpuMs(process: 'webhook' | 'empty'): number
  stop(): Promise<void>
}

const WITHIN_MS = 60_000
const TEAM = 'shop'
const HOST = `shop.${TEAM}.example.com`

/** Not loopback where there is another: over that, the API server speaks HTTP/2, which it does to nothing else. */
const ADDRESS =
  Object.values(networkInterfaces())
    .flatMap(each => each ?? [])
    .find(each => each.family === 'IPv4' && !each.internal)?.address ?? '127.0.0.1'

export async function startCluster(dir: string): Promise<Cluster> {
  const controlPlane = await startControlPlane({ dir })
  const running: RunningPart[] = []
  const connection = await connect(controlPlane.kubeconfig)
  const stop = async () => {
    connection.close()
    for (const part of running) await part.stop('SIGKILL')
    await controlPlane.stop()
  }
  try {
    const { pids, direct } = await configure(controlPlane, connection, running)
    const targetOf = (variant: variants.Variant) => target(controlPlane, variant)
    return { address: ADDRESS, targetOf, direct, cpuMs: process => cpuMs(pids[process]), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function configure(controlPlane: ControlPlane, connection: Connection, running: RunningPart[]) {
  await controlPlane.applyCrds(join(import.meta.dirname, '../../manifests/crds'))
  const namespaces = variants.VARIANTS.map(each => each.namespace)
  await create(controlPlane, [...facts(0), ...namespaces.map(namespace), team(TEAM, namespaces)])
  const { dir } = controlPlane
  const { ca } = await ensureCertificates(dir, [...LOCAL_NAMES, ADDRESS], new Date())
  const [port = 0, healthPort = 0, emptyPort = 0] = await freePorts(3)
  const webhook = await startWebhook(controlPlane, port, healthPort)
  running.push(webhook)
  await create(controlPlane, variants.portcullis({ url: `https://${ADDRESS}:${port}`, ca }))
  const wanted = await annotated(connection, variants.MUTATING)
  const empty = await startEmpty(dir, emptyPort, patchOf(wanted))
  running.push(empty)
  await create(controlPlane, [
    variants.empty({ url: `https://${ADDRESS}:${emptyPort}`, ca }),
    ...variants.policy(wanted),
  ])
  for (const variant of variants.VARIANTS)
    if (variant !== variants.NOTHING) await annotated(connection, variant, wanted)
  const to = { host: ADDRESS, ca }
  const [bare, injected] = [review(ingressIn('both')), review(ingressIn('both', wanted))]
  const direct = [
    { ...to, port: emptyPort, path: '/mutate', body: bare },
    { ...to, port, path: '/mutate', body: bare },
    { ...to, port, path: '/validate', body: injected },
  ]
  return { pids: { webhook: webhook.pid, empty: empty.pid }, direct }
}

function ingressIn(namespace: string, annotations: StringMap = {}): KubeObject {
  const { metadata, ...rest } = ingress('shop', namespace, HOST)
  return {
    ...rest,
    metadata: { ...metadata, annotations: { ...strings(metadata.annotations), ...annotations } },
  } as KubeObject
}

function namespace(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
}

async function create({ kubectl }: ControlPlane, items: readonly KubeObject[]): Promise<void> {
  const { code, stderr } = await kubectl(
    ['create', '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  )
  if (code !== 0) throw new Error(stderr)
}

function startWebhook({ kubeconfig, dir }: ControlPlane, port: number, healthPort: number): Promise<RunningPart> {
  const main = join(import.meta.dirname, '../../src/main.ts')
  const listen = ['--host', ADDRESS, '--port', `${port}`, '--health-port', `${healthPort}`]
  return startPart({
    name: 'webhook',
    command: process.execPath,
    args: [main, 'webhook', '--kubeconfig', kubeconfig, '--certs', dir, ...listen],
    dir,
    ready: async () => (await fetch(`http://${ADDRESS}:${healthPort}/readyz`)).ok,
  })
}

function startEmpty(dir: string, port: number, patch: string): Promise<RunningPart> {
  const files = [join(dir, 'tls.crt'), join(dir, 'tls.key')]
  return startPart({
    name: 'empty',
    command: process.execPath,
    args: [join(import.meta.dirname, 'bare.ts'), ...files, ADDRESS, `${port}`, patch],
    dir,
    ready: async () => readFileSync(join(dir, 'empty.log'), 'utf8').includes('ready: '),
  })
}

function patchOf(annotations: StringMap): string {
  const operations = Object.entries(annotations).map(([key, value]) => {
    return { op: 'add', path: `/metadata/annotations/${key.replaceAll('/', '~1')}`, value }
  })
  return JSON.stringify(operations)
}

/** What the variant adds, once the API server knows of it; it learns of a configuration a moment after it is stored. */
async function annotated(connection: Connection, variant: variants.Variant, wanted?: StringMap): Promise<StringMap> {
  const { method, path, body } = call(variant)
  const deadline = performance.now() + WITHIN_MS
  for (;;) {
    const reply = await connection.request({ method, path, body, timeoutMs: 10_000 })
    const stored = strings(object(object(JSON.parse(reply.body)).metadata).annotations)
    const given = strings(JSON.parse(body).metadata.annotations)
    const added = Object.entries(stored).filter(([key]) => given[key] === undefined)
    const isRight =
      wanted === undefined ? added.length > 0 : isDeepStrictEqual(strings(Object.fromEntries(added)), wanted)
    if (reply.status === 201 && isRight) return strings(Object.fromEntries(added))
    if (performance.now() > deadline) throw new Error(`${variant.name} does not work: ${reply.status} ${reply.body}`)
    await sleep(100)
  }
}

/**
 * A dry run: it goes through all of admission and ends before etcd, whose writes differ by more from one to the next than
 * admission takes, and whose events every watching webhook would then be paying for.
 */
function call({ namespace }: variants.Variant) {
  const path = `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses?dryRun=All`
  return { method: 'POST', path, body: JSON.stringify(ingressIn(namespace)) } as const
}

function target({ server, dir, kubeconfig }: ControlPlane, variant: variants.Variant): Target {
  const [user] = array(JSON.parse(readFileSync(kubeconfig, 'utf8')).users).map(object)
  const headers = { Authorization: `Bearer ${String(object(user?.user).token)}` }
  const { path, body } = call(variant)
  return {
    port: Number(new URL(server).port),
    ca: readFileSync(join(dir, 'apiserver.crt'), 'utf8'),
    path,
    body,
    headers,
  }
}
