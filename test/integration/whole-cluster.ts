// A cluster in which all of Portcullis runs as it ships, with certificates of its own: webhooks, controllers, one team.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { array, object } from '../../src/core/json.ts'
import { PROTECT } from '../../src/core/keys.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { type Api, collection, connect, until } from './api.ts'
import { NGINX, namespace } from './cluster-objects.ts'
import { labelled, TEAM } from './faults.ts'
import { gatewayDefinitions } from './gateway-definitions.ts'
import { type Installed, install, type Replica, type Start } from './installed.ts'
import { isProtected } from './load.ts'
import { applied } from './objects.ts'
import type { Pod } from './pods.ts'

export type WholeCluster = {
  readonly controlPlane: ControlPlane
  readonly api: Api
  readonly installed: Installed
  readonly controllers: Pod[]
  /** Of routes that have the label and are stored without the protection, the names: there may be none, ever. */
  open(): Promise<string[]>
  /** Whether a route with the label is taken just now; nothing is stored. */
  isServed(): Promise<boolean>
  stop(): Promise<void>
}

export const wholeParts = [...controlPlaneParts, 'envoy-gateway-crds', 'traefik-crds'] as const

const WITHIN_MS = 120_000

export async function startWhole(replicas = 2, start: Start = {}): Promise<WholeCluster> {
  const controlPlane = await startControlPlane({ dir: mkdtempSync(join(tmpdir(), 'portcullis-')) })
  await controlPlane.applyCrds(...gatewayDefinitions())
  const api = connect(controlPlane)
  const installed = await install(controlPlane, 'self')
  const several = <T>(make: () => Promise<T>) => Promise.all(Array.from({ length: replicas }, make))
  const webhooks: Promise<Replica[]> = several(() => installed.start(start))
  const controllers = await several(() => installed.startController(start))
  await applied(controlPlane, NGINX, namespace('shops'))
  // Nobody may make a team before somebody judges it.
  await until('a team is admitted', async () => (await api.create(TEAM)).status === 201, WITHIN_MS)
  const isServed = async () => (await api.create(labelled('probe'), undefined, '?dryRun=All')).status === 201
  for (const each of [...(await webhooks), ...controllers]) await each.ready(WITHIN_MS)
  await until('a route with the label is admitted', isServed, WITHIN_MS)
  return {
    controlPlane,
    api,
    installed,
    controllers,
    isServed,
    open: () => open(api),
    async stop() {
      api.close()
      await installed.stop()
      await controlPlane.stop()
    },
  }
}

async function open(api: Api): Promise<string[]> {
  const { status, body } = await api.send('GET', collection(labelled('any')))
  if (status !== 200) throw new Error(`routes cannot be listed: ${status}`)
  const all = array(body.items).map(each => object(object(each).metadata))
  const isOpen = (metadata: object & { labels?: unknown }) =>
    object(metadata.labels)[PROTECT] !== undefined && !isProtected(metadata)
  return all.filter(isOpen).map(({ name }) => String(name))
}

/** How long a test goes on where a minute stands for more: PORTCULLIS_FAULT_MINUTES. */
export function minutes(short: number): number {
  const asked = Number(process.env.PORTCULLIS_FAULT_MINUTES)
  return asked > 0 ? asked : short
}
