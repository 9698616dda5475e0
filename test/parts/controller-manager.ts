// The real Kubernetes controllers for a control plane: what deletes orphans and empties namespaces there.
import { readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { array, object } from '../../src/core/json.ts'
import { type ControlPlane, controlPlaneParts } from './control-plane.ts'
import { programAt } from './locate.ts'
import { freePorts } from './ports.ts'
import { type RunningPart, startPart } from './process.ts'

export type ControllerManagerOptions = {
  /** Names as kube-controller-manager's --controllers knows them, no patterns. */
  controllers?: readonly string[]
}

export const controllerManagerParts = [...controlPlaneParts, 'kube-controller-manager'] as const

const defaultControllers = ['garbage-collector-controller', 'namespace-controller']

/** The same server, spoken to as the user that a cluster has for this: what it may do is what it may do there. */
const kubeconfigFor = (admin: string): string => {
  const config = object(JSON.parse(readFileSync(admin, 'utf8')))
  const users = array(config.users).map(entry => {
    const user = { ...object(object(entry).user), as: 'system:kube-controller-manager' }
    return { ...object(entry), user }
  })
  return JSON.stringify({ ...config, users })
}

/** Without its controllers it is healthy already, and one that meets no API server before it has started them ends. */
const runs = (port: number, certDir: string, controllers: readonly string[]): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const ca = readFileSync(join(certDir, 'kube-controller-manager.crt'))
    const request = get(`https://127.0.0.1:${port}/healthz?verbose`, { ca }, response => {
      text(response).then(said => {
        const started = controllers.every(controller => said.includes(`[+]${controller} ok`))
        resolve(response.statusCode === 200 && started)
      }, reject)
    })
    request.on('error', reject)
  })

/**
 * To be started after custom resource definitions are in place: the garbage collector looks for new kinds only every
 * 30 s. The namespace controller waits 5 s before it empties a namespace. Neither has a flag.
 */
export const startControllerManager = async (
  controlPlane: Pick<ControlPlane, 'dir' | 'kubeconfig'>,
  options: ControllerManagerOptions = {},
): Promise<RunningPart> => {
  const { dir } = controlPlane
  const controllers = options.controllers ?? defaultControllers
  const [port] = (await freePorts(1)) as [number]
  const certDir = join(dir, 'controller-manager')
  const kubeconfig = join(dir, 'controller-manager.kubeconfig')
  writeFileSync(kubeconfig, kubeconfigFor(controlPlane.kubeconfig), { mode: 0o600 })
  return startPart({
    name: 'kube-controller-manager',
    command: programAt('kube-controller-manager'),
    args: [
      `--kubeconfig=${kubeconfig}`,
      `--controllers=${controllers.join(',')}`,
      // Each controller then acts as its own service account, as it does in a cluster: policies go by these names.
      '--use-service-account-credentials',
      '--leader-elect=false',
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--cert-dir=${certDir}`,
      // A test's objects are few and it waits for them: no client of its own accord slows down.
      '--kube-api-qps=500',
      '--kube-api-burst=1000',
    ],
    dir,
    ready: () => runs(port, certDir, controllers),
  })
}
