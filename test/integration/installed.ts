// Portcullis as it is installed: the shipped manifests with certificates, the replicas of the Deployments as processes,
// and the Service before those of the webhook that are ready.
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { stringify } from 'yaml'
import type { KubeObject } from '../../src/core/types.ts'
import { MANIFESTS } from '../manifests/documents.ts'
import type { ControlPlane } from '../parts/control-plane.ts'
import type { Answer } from '../parts/health.ts'
import { serveService } from '../parts/service.ts'
import { until } from './api.ts'
import { review } from './direct-review.ts'
import { succeeds } from './objects.ts'
import {
  asServiceAccount,
  type Certificates,
  MAIN,
  NAMESPACE,
  type Place,
  type Pod,
  ROOT,
  type Start,
  startPod,
  workload,
} from './pods.ts'

export type Replica = Pod & {
  /** Asks it directly, past the API server. */
  review(entry: string, object: KubeObject): Promise<Answer>
}

export type { Start } from './pods.ts'

export type Installed = {
  readonly namespace: string
  /** What `kubectl apply -k` was given. */
  readonly overlay: string
  /** Where replicas of the webhook find a certificate, if it comes from a Secret. */
  readonly certs: string
  /** Those of the webhook that run. */
  readonly replicas: readonly Replica[]
  /** Of the webhook: alive when this resolves; not ready, perhaps. */
  start(options?: Start): Promise<Replica>
  /** The same of the controller. */
  startController(options?: Start): Promise<Pod>
  /** All of the webhook that run are replaced one by one, each by one that is ready before. */
  rollout(options?: Start): Promise<void>
  stop(): Promise<void>
}

const WEBHOOK = workload('portcullis-webhook')
const CONTROLLER = workload('portcullis-controller')
const PORT = WEBHOOK.ports.get('webhook') as number

/**
 * `npm run certs && kubectl apply -k certs`, with certificates of its own `kubectl apply -k manifests`, or an overlay of
 * somebody's with those of cert-manager; nothing is running yet. The definitions of gateways and of cert-manager are the
 * caller's, and so is what a kubelet does about the Secret. `main`: another build of Portcullis.
 */
export async function install(
  controlPlane: ControlPlane,
  certificates: Certificates = 'secret',
  main = MAIN,
): Promise<Installed> {
  const certs = join(controlPlane.dir, 'certs')
  if (certificates === 'secret') await promisify(execFile)(process.execPath, [main, 'certs', certs], { cwd: ROOT })
  const overlay = { secret: certs, self: MANIFESTS, 'cert-manager': join(controlPlane.dir, 'overlay') }[certificates]
  if (certificates === 'cert-manager') writeOverlay(overlay, `certificates/${certificates}`)
  await succeeds(controlPlane, ['apply', '-k', overlay])
  const place = async ({ name }: { name: string }): Promise<Place> => {
    return { controlPlane, certs, certificates, main, kubeconfig: await asServiceAccount(controlPlane, name) }
  }
  const [ofWebhook, ofController] = [await place(WEBHOOK), await place(CONTROLLER)]
  const address = ['get', 'service', WEBHOOK.name, '-n', NAMESPACE, '-o', 'jsonpath={.spec.clusterIP}']
  const service = await serveService({ host: await succeeds(controlPlane, address), port: 443 })
  const started: Replica[] = []
  const controllers: Pod[] = []
  const running = () => started.filter(({ part }) => !part.hasEnded())
  const probes = probeReadiness(running, ready => {
    service.use(ready.map(({ host }) => ({ host, port: PORT })))
  })
  const start = async (options: Start = {}): Promise<Replica> => {
    const replica = reviewed(await startPod(WEBHOOK, ofWebhook, options), certs)
    started.push(replica)
    return replica
  }
  return {
    namespace: NAMESPACE,
    ...{ overlay, certs },
    get replicas() {
      return running()
    },
    start,
    async startController(options = {}) {
      const pod = await startPod(CONTROLLER, ofController, options)
      controllers.push(pod)
      return pod
    },
    async rollout(options) {
      // A Deployment does not count those that are ending: the next one starts beside them.
      const ending: Promise<void>[] = []
      for (const old of running()) {
        const next = await start(options)
        await next.ready()
        await until('the Service has it', () => probes.isReady(next))
        ending.push(old.terminate())
      }
      await Promise.all(ending)
    },
    async stop() {
      await probes.stop()
      for (const each of [...running(), ...controllers]) await each.kill()
      await service.close()
    },
  }
}

/** The manifests with one of their components. */
function writeOverlay(folder: string, component: string): void {
  mkdirSync(folder)
  // Kustomize takes no absolute paths.
  const manifests = relative(realpathSync(folder), realpathSync(MANIFESTS))
  const kind = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' }
  const text = stringify({ ...kind, resources: [manifests], components: [`${manifests}/${component}`] })
  writeFileSync(join(folder, 'kustomization.yaml'), text)
}

function reviewed(pod: Pod, certs: string): Replica {
  const listener = { host: pod.host, port: PORT, servername: `${WEBHOOK.name}.${NAMESPACE}.svc` }
  const ca = () => readFileSync(join(certs, 'ca.crt'), 'utf8')
  return { ...pod, review: (entry, object) => review({ ...listener, ca: ca() }, entry, object) }
}

/** Looks as often as the Deployment's readinessProbe does, and at each for as long: who is slow keeps nobody else in or out. */
function probeReadiness(running: () => readonly Replica[], use: (ready: readonly Replica[]) => void) {
  const { probeEveryMs, probeTimeoutMs } = WEBHOOK
  const ready = new Set<Replica>()
  const underWay = new Set<Replica>()
  let stopped = false
  const tell = () => {
    if (!stopped) use(running().filter(each => ready.has(each)))
  }
  const probe = async (replica: Replica) => {
    underWay.add(replica)
    if (await Promise.race([isReadyNow(replica), sleep(probeTimeoutMs, false, { ref: false })])) ready.add(replica)
    else ready.delete(replica)
    underWay.delete(replica)
    tell()
  }
  const look = async () => {
    for (const next = { at: performance.now() }; !stopped; next.at += probeEveryMs) {
      tell()
      for (const each of running()) if (!underWay.has(each)) void probe(each)
      await sleep(Math.max(0, next.at + probeEveryMs - performance.now()))
    }
  }
  const looking = look()
  return {
    /** As the last probe of it said. */
    isReady: (replica: Replica) => ready.has(replica),
    stop: () => {
      stopped = true
      return looking
    },
  }
}

function isReadyNow({ health }: Replica): Promise<boolean> {
  return health('/readyz').then(
    ({ status }) => status === 200,
    () => false,
  )
}
