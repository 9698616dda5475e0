// A pod of a shipped Deployment as a process: its arguments, its ports on an address of its own, its ServiceAccount's
// rights, its configuration where it is mounted.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { array, object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { MANIFESTS, one, text } from '../manifests/documents.ts'
import type { ControlPlane } from '../parts/control-plane.ts'
import { type Health, healthAt } from '../parts/health.ts'
import { type RunningPart, startPart } from '../parts/process.ts'
import { succeeds } from './objects.ts'

export type Pod = Health & {
  readonly part: RunningPart
  readonly host: string
  log(): string
  /** As a kubelet does: told to end, and given the Deployment's grace period. */
  terminate(): Promise<void>
  kill(): Promise<void>
}

/** Where they are from, as the configuration names it. */
export type Certificates = 'secret' | 'self' | 'cert-manager'

export type Start = {
  /** Instead of the shipped configuration. */
  readonly config?: KubeObject
  /** Where the certificates are from, if another way than when everything was installed. */
  readonly certificates?: Certificates
  /** More arguments, after those of the Deployment. */
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Another build, as one file; and arguments of Node's own before it. */
  readonly bundle?: string
  readonly flags?: readonly string[]
}

/** What a test has to know of a shipped Deployment. */
export type Workload = {
  readonly name: string
  readonly args: readonly string[]
  readonly ports: ReadonlyMap<string, number>
  readonly probeEveryMs: number
  readonly probeTimeoutMs: number
  readonly graceMs: number
}

export const ROOT = join(MANIFESTS, '..')
export const MAIN = join(ROOT, 'src/main.ts')
export const NAMESPACE = 'portcullis'

export function workload(name: string): Workload {
  const spec = object(object(object(one('Deployment', name).spec).template).spec)
  const container = object(array(spec.containers)[0])
  const probe = object(container.readinessProbe)
  return {
    name,
    args: array(container.args).map(String),
    ports: new Map(array(container.ports).map(each => [String(object(each).name), Number(object(each).containerPort)])),
    probeEveryMs: Number(probe.periodSeconds) * 1000,
    // Unless a probe says otherwise.
    probeTimeoutMs: Number(probe.timeoutSeconds ?? 1) * 1000,
    graceMs: Number(spec.terminationGracePeriodSeconds) * 1000,
  }
}

export type Place = {
  readonly controlPlane: ControlPlane
  /** Of the pod's ServiceAccount. */
  readonly kubeconfig: string
  /** Folder of the certificates, for a pod that mounts them. */
  readonly certs: string
  /** What the configuration says about them, unless a pod's own says something else. */
  readonly certificates: Certificates
  /** What Node runs. */
  readonly main: string
}

/** Alive when this resolves; not ready, perhaps. */
export async function startPod(
  { name, args, ports, graceMs }: Workload,
  { controlPlane, kubeconfig, certs, main, ...place }: Place,
  { config, certificates = place.certificates, args: more = [], env = {}, bundle = main, flags = [] }: Start,
): Promise<Pod> {
  const host = podAddress()
  const process = `${name}-${host}`
  const folder = join(controlPlane.dir, process)
  mkdirSync(folder)
  const shipped = object(
    parse(text(certificates === 'self' ? 'config.yaml' : `certificates/${certificates}/config.yaml`)),
  )
  writeFileSync(join(folder, 'config.yaml'), stringify({ ...shipped, ...config }))
  const mounted = args.map(each => each.replace('=/config', `=${folder}`))
  if (certificates !== 'self' && args[0] === 'webhook') mounted.push(`--certs=${certs}`)
  const health = healthAt(host, ports.get('health') as number)
  const part = await startPart({
    name: process,
    command: globalThis.process.execPath,
    args: [...flags, bundle, ...mounted, `--host=${host}`, `--kubeconfig=${kubeconfig}`, ...more],
    dir: controlPlane.dir,
    env,
    ready: async () => (await health.health('/healthz')).status === 200,
  })
  return {
    ...health,
    part,
    host,
    log: () => readFileSync(part.log, 'utf8'),
    terminate: () => part.stop('SIGTERM', graceMs),
    kill: () => part.stop('SIGKILL'),
  }
}

/** Another loopback address for each, outside those of Services; suites run side by side. */
function podAddress(): string {
  const below = (limit: number) => Math.floor(Math.random() * limit)
  return `127.${100 + below(20)}.${below(256)}.${1 + below(254)}`
}

/** A kubeconfig with the rights that are given to this ServiceAccount, and no others. */
export async function asServiceAccount(
  controlPlane: ControlPlane,
  name: string,
  namespace = NAMESPACE,
): Promise<string> {
  const token = await succeeds(controlPlane, ['create', 'token', name, '-n', namespace, '--duration=24h'])
  const admin = JSON.parse(readFileSync(controlPlane.kubeconfig, 'utf8'))
  const file = join(controlPlane.dir, `kubeconfig-${name}`)
  const user = { name: 'admin', user: { token: token.trim() } }
  writeFileSync(file, JSON.stringify({ ...admin, users: [user] }), { mode: 0o600 })
  return file
}
