// A control plane on which Portcullis is installed as it ships, with a webhook and a controller that leads.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeObject } from '../../src/core/types.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { crdFiles } from '../parts/crds.ts'
import { type Api, connect, until } from './api.ts'
import { CONFIG, ENVOY, GATEWAY, NGINX, namespace } from './cluster-objects.ts'
import { type Installed, install, type Replica } from './installed.ts'
import { applied, succeeds } from './objects.ts'
import type { Pod } from './pods.ts'

export type Controlled = {
  readonly controlPlane: ControlPlane
  readonly installed: Installed
  readonly api: Api
  readonly webhook: Replica
  readonly controller: Pod
  /** Nothing has waited in the controller's queue for a while, or what waits leads to no write. */
  rest(): Promise<void>
  /** Runs a full pass, sweep and all, and returns when it is over. */
  pass(): Promise<void>
  /** Nobody of ours is asked any more, as if somebody had removed the entries. */
  withoutAdmission(): Promise<void>
  stop(): Promise<void>
}

export type ControlledOptions = {
  /** Seconds until guards count. */
  readonly settleSeconds?: number
  /** More arguments of the controller. */
  readonly controllerArgs?: (controlPlane: ControlPlane) => Promise<readonly string[]>
}

export const controlledParts = [...controlPlaneParts, 'envoy-gateway-crds', 'traefik-crds'] as const

const BY_TRAEFIK = { controller: 'traefik.io/ingress-controller', gateway: 'traefik' }
const IDLE_MS = 2_000
/** Some of what waits does so for what never comes. */
const QUIET_MS = 8_000
const EVERY_MS = 100

/** With an ingress-nginx, and a Gateway of Envoy Gateway that is handed over. No team yet. */
export async function startControlled(options: ControlledOptions = {}): Promise<Controlled> {
  const { settleSeconds = 1, controllerArgs = async () => [] } = options
  const config = { ...CONFIG, settleSeconds, controllers: [...CONFIG.controllers, BY_TRAEFIK] }
  const controlPlane = await startControlPlane({ dir: mkdtempSync(join(tmpdir(), 'portcullis-')) })
  await controlPlane.applyCrds(...crdFiles('envoy-gateway'), ...crdFiles('traefik'))
  const installed = await install(controlPlane)
  await applied(controlPlane, NGINX, ENVOY, namespace('gateways'), GATEWAY)
  const args = await controllerArgs(controlPlane)
  const [webhook, controller] = await Promise.all([
    installed.start({ config }),
    installed.startController({ config, args }),
  ])
  await Promise.all([webhook.ready(), controller.ready()])
  await until('it leads', async () => (await controller.metric('portcullis_leader')) === 1)
  const api = connect(controlPlane)
  const passes = async () => (await controller.metric('portcullis_passes_total{complete="true"}')) || 0
  let classes = 0
  return {
    controlPlane,
    installed,
    api,
    webhook,
    controller,
    async rest() {
      let [idle, quiet, written] = [performance.now(), performance.now(), 0]
      await until('nothing is written', async () => {
        const { text } = await controller.health('/metrics')
        const now = performance.now()
        if (sum(text, 'portcullis_queue_depth') > 0) idle = now
        if (sum(text, 'portcullis_writes_total') !== written) quiet = now
        written = sum(text, 'portcullis_writes_total')
        return now - idle > IDLE_MS || now - quiet > QUIET_MS
      })
    },
    async pass() {
      const before = await passes()
      // A class more or less concerns everything: that is looked at soon.
      await applied(controlPlane, classNamed(`other-${classes++}`))
      await until('a pass', async () => (await passes()) > before)
      await sleep(EVERY_MS)
    },
    async withoutAdmission() {
      const kinds = 'validatingadmissionpolicybindings,validatingwebhookconfigurations,mutatingwebhookconfigurations'
      await succeeds(controlPlane, ['delete', kinds, '-l', 'app.kubernetes.io/name=portcullis'])
    },
    async stop() {
      api.close()
      await installed.stop()
      await controlPlane.stop()
    },
  }
}

function classNamed(name: string): KubeObject {
  const spec = { controller: 'example.com/nobody' }
  return { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name }, spec }
}

/** Of a metric, whatever its labels. */
function sum(text: string, name: string): number {
  const values = text.split('\n').filter(line => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
  return values.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0)
}
