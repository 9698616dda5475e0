// The cluster of the stage: API server, its controllers, Portcullis as it is installed.
import { join } from 'node:path'
import { type Api, connect, until } from '../../integration/api.ts'
import { type Installed, install } from '../../integration/installed.ts'
import { shippedConfig, untilAsked } from '../../integration/installed-cluster.ts'
import { applied } from '../../integration/objects.ts'
import type { Pod } from '../../integration/pods.ts'
import { type ControlPlane, startControlPlane } from '../../parts/control-plane.ts'
import { startControllerManager } from '../../parts/controller-manager.ts'
import { crdFiles } from '../../parts/crds.ts'
import type { RunningPart } from '../../parts/process.ts'
import { bundle } from './bundle.ts'
import { namespace } from './objects.ts'
import type { Progress } from './progress.ts'
import { together } from './together.ts'

export type Cluster = {
  readonly controlPlane: ControlPlane
  readonly controllerManager: RunningPart
  readonly installed: Installed
  /** Those of Portcullis that run. */
  readonly portcullis: { webhook: Pod; controller: Pod }
  /** Kills one of them, and starts another once `whileAway` is over, however that ends. */
  restart(which: 'webhook' | 'controller', whileAway?: () => Promise<void>): Promise<void>
  readonly api: Api
  stop(): Promise<void>
}

export type ClusterOptions = {
  readonly dir: string
  /** As in PortcullisConfig. */
  readonly controllers: readonly object[]
  readonly crds: readonly Parameters<typeof crdFiles>[0][]
  readonly progress: Progress
}

type Stop = () => unknown

export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const stops: Stop[] = []
  const stop = async () => {
    for (const each of stops.splice(0).reverse()) await each()
  }
  try {
    return { ...(await startAll(options, stops)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startAll(
  { dir, controllers, crds, progress }: ClusterOptions,
  stops: Stop[],
): Promise<Omit<Cluster, 'stop'>> {
  const { step } = progress
  const [controlPlane, main] = await together(
    step('etcd, kube-apiserver', async () => {
      const started = await startControlPlane({ dir: join(dir, 'cluster') })
      stops.push(() => started.stop())
      return started
    }),
    step('Portcullis built', () => bundle(join(dir, 'portcullis'))),
  )
  const [, installed, controllerManager] = await together(
    step('kinds of the gateway', () => controlPlane.createCrds(...crds.flatMap(crdFiles))),
    step('Portcullis installed from manifests/', async () => {
      const done = await install(controlPlane, 'secret', main)
      stops.push(() => done.stop())
      return done
    }),
    step('kube-controller-manager', async () => {
      const started = await startControllerManager(controlPlane)
      stops.push(() => started.stop('SIGKILL'))
      return started
    }),
  )
  await applied(controlPlane, namespace('gateways'))
  const config = shippedConfig({ controllers })
  const api = connect(controlPlane)
  stops.push(() => api.close())
  const start = {
    webhook: () => installed.start({ config }),
    controller: () => installed.startController({ config }),
  }
  const portcullis = await step('Portcullis: webhook and controller', async () => {
    const [webhook, controller] = await Promise.all([start.webhook(), start.controller()])
    await Promise.all([webhook.ready(), controller.ready()])
    await untilLeads(controller)
    await untilAsked(api)
    return { webhook, controller } as { webhook: Pod; controller: Pod }
  })
  return {
    controlPlane,
    controllerManager,
    installed,
    portcullis,
    api,
    async restart(which, whileAway) {
      await portcullis[which].kill()
      try {
        await whileAway?.()
      } finally {
        portcullis[which] = await start[which]()
        await portcullis[which].ready()
        // The Lease of one that is killed has to run out first.
        if (which === 'controller') await untilLeads(portcullis.controller)
      }
    },
  }
}

function untilLeads(controller: Pod): Promise<void> {
  return until('the controller leads', async () => (await controller.metric('portcullis_leader')) === 1)
}
