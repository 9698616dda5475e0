// Portcullis as it is installed: the shipped manifests with certificates, the replicas of the Deployment as processes,
// each with the ServiceAccount's rights on an address of its own, and the Service before those that are ready.
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { stringify } from 'yaml'
import { array, object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { MANIFESTS, one, text } from '../manifests/documents.ts'
import type { ControlPlane } from '../parts/control-plane.ts'
import { type Health, healthAt } from '../parts/health.ts'
import { type RunningPart, startPart } from '../parts/process.ts'
import { serveService } from '../parts/service.ts'
import { succeeds } from './objects.ts'

export type Replica = Health & {
  readonly part: RunningPart
  readonly host: string
  log(): string
  /** As a kubelet does: told to end, and given the Deployment's grace period. */
  terminate(): Promise<void>
  kill(): Promise<void>
}

export type Start = {
  /** Instead of the shipped configuration. */
  readonly config?: KubeObject
  /** More arguments, after those of the Deployment. */
  readonly args?: readonly string[]
}

export type Installed = {
  readonly namespace: string
  readonly replicas: readonly Replica[]
  /** Alive when this resolves; not ready, perhaps. */
  start(options?: Start): Promise<Replica>
  /** All that run are replaced one by one, each by one that is ready before. */
  rollout(options?: Start): Promise<void>
  stop(): Promise<void>
}

const ROOT = join(MANIFESTS, '..')
const MAIN = join(ROOT, 'src/main.ts')
const NAMESPACE = 'portcullis'
const NAME = 'portcullis-webhook'
const deployment = object(object(object(one('Deployment', NAME).spec).template).spec)
const container = object(array(deployment.containers)[0])
const ports = new Map(array(container.ports).map(each => [object(each).name, Number(object(each).containerPort)]))
const PROBE_EVERY_MS = Number(object(container.readinessProbe).periodSeconds) * 1000
const GRACE_MS = Number(deployment.terminationGracePeriodSeconds) * 1000

/** `npm run certs && kubectl apply -k certs`, with nothing running yet. The definitions of gateways are the caller's. */
export async function install(controlPlane: ControlPlane): Promise<Installed> {
  const certs = join(controlPlane.dir, 'certs')
  await promisify(execFile)(process.execPath, [MAIN, 'certs', certs], { cwd: ROOT })
  await succeeds(controlPlane, ['apply', '-k', certs])
  const kubeconfig = await asServiceAccount(controlPlane)
  const clusterIP = await succeeds(controlPlane, [
    'get',
    'service',
    NAME,
    '-n',
    NAMESPACE,
    '-o',
    'jsonpath={.spec.clusterIP}',
  ])
  const service = await serveService({ host: clusterIP, port: 443 })
  const replicas: Replica[] = []
  const probes = probeReadiness(replicas, ready => {
    service.use(ready.map(({ host }) => ({ host, port: ports.get('webhook') as number })))
  })
  const start = async (options: Start = {}): Promise<Replica> => {
    const replica = await startReplica({ controlPlane, kubeconfig, certs }, options)
    replicas.push(replica)
    return replica
  }
  return {
    namespace: NAMESPACE,
    replicas,
    start,
    async rollout(options) {
      for (const old of replicas.slice()) {
        const next = await start(options)
        await next.ready()
        await sleep(PROBE_EVERY_MS)
        await old.terminate()
        replicas.splice(replicas.indexOf(old), 1)
      }
    },
    async stop() {
      await probes.stop()
      for (const each of replicas) await each.kill()
      await service.close()
    },
  }
}

type Here = { readonly controlPlane: ControlPlane; readonly kubeconfig: string; readonly certs: string }

async function startReplica({ controlPlane, kubeconfig, certs }: Here, { config, args = [] }: Start): Promise<Replica> {
  const host = podAddress()
  const name = `webhook-${host}`
  const folder = join(controlPlane.dir, name)
  mkdirSync(folder)
  writeFileSync(join(folder, 'config.yaml'), config === undefined ? text('config.yaml') : stringify(config))
  const mounted = array(container.args).map(each =>
    String(each).replace('=/certs', `=${certs}`).replace('=/config', `=${folder}`),
  )
  const health = healthAt(host, ports.get('health') as number)
  const part = await startPart({
    name,
    command: process.execPath,
    args: [MAIN, ...mounted, `--host=${host}`, `--kubeconfig=${kubeconfig}`, ...args],
    dir: controlPlane.dir,
    ready: async () => (await health.health('/healthz')).status === 200,
  })
  return {
    ...health,
    part,
    host,
    log: () => readFileSync(part.log, 'utf8'),
    terminate: () => part.stop('SIGTERM', GRACE_MS),
    kill: () => part.stop('SIGKILL'),
  }
}

/** Another loopback address for each, outside those of Services; suites run side by side. */
function podAddress(): string {
  const below = (limit: number) => Math.floor(Math.random() * limit)
  return `127.${100 + below(20)}.${below(256)}.${1 + below(254)}`
}

/** Looks as often as the Deployment's readinessProbe does. */
function probeReadiness(replicas: readonly Replica[], use: (ready: readonly Replica[]) => void) {
  let stopped = false
  const run = async () => {
    for (const next = { at: performance.now() }; !stopped; next.at += PROBE_EVERY_MS) {
      const isReady = await Promise.all(
        replicas.map(each =>
          each.health('/readyz').then(
            ({ status }) => status === 200,
            () => false,
          ),
        ),
      )
      use(replicas.filter((_, index) => isReady[index]))
      await sleep(Math.max(0, next.at + PROBE_EVERY_MS - performance.now()))
    }
  }
  const running = run()
  return {
    stop: () => {
      stopped = true
      return running
    },
  }
}

/** With the rights that the manifests give, and no others. */
async function asServiceAccount(controlPlane: ControlPlane): Promise<string> {
  const token = await succeeds(controlPlane, ['create', 'token', NAME, '-n', NAMESPACE, '--duration=24h'])
  const admin = JSON.parse(readFileSync(controlPlane.kubeconfig, 'utf8'))
  const file = join(controlPlane.dir, `kubeconfig-${NAME}`)
  const user = { name: 'admin', user: { token: token.trim() } }
  writeFileSync(file, JSON.stringify({ ...admin, users: [user] }), { mode: 0o600 })
  return file
}
