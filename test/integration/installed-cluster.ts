// A control plane on which Portcullis is installed as it ships, its replicas ready and asked.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PROTECT } from '../../src/core/keys.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { text } from '../manifests/documents.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { type Api, connect, until } from './api.ts'
import { gatewayDefinitions } from './gateway-definitions.ts'
import { type Installed, install, type Start } from './installed.ts'
import { fromYaml } from './objects.ts'
import { ingress } from './policy-objects.ts'

export type InstalledCluster = {
  readonly controlPlane: ControlPlane
  readonly installed: Installed
  readonly api: Api
  stop(): Promise<void>
}

export type InstalledOptions = {
  /** Each replica's. */
  readonly replicas?: readonly Start[]
  /** Files of definitions that are there besides ours. */
  readonly definitions?: readonly string[]
  /** More flags for the API server, whose files may be in this folder. */
  readonly extraArgs?: (dir: string) => readonly string[]
}

export const installedParts = [...controlPlaneParts, 'envoy-gateway-crds', 'traefik-crds'] as const

export async function startInstalled(options: InstalledOptions = {}): Promise<InstalledCluster> {
  const { replicas = [{}], definitions = gatewayDefinitions(), extraArgs = () => [] } = options
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-'))
  const controlPlane = await startControlPlane({ dir, extraArgs: extraArgs(dir) })
  if (definitions.length > 0) await controlPlane.applyCrds(...definitions)
  const installed = await install(controlPlane)
  const started = await Promise.all(replicas.map(each => installed.start(each)))
  await Promise.all(started.map(each => each.ready()))
  const api = connect(controlPlane)
  if (replicas.length > 0) await untilAsked(api)
  return {
    controlPlane,
    installed,
    api,
    async stop() {
      api.close()
      await installed.stop()
      await controlPlane.stop()
    },
  }
}

/** The API server learns of webhook configurations, and the Service of replicas, a moment after they are there. */
export async function untilAsked(api: Api): Promise<void> {
  const probe = ingress('probe', { namespace: 'default', labels: { [PROTECT]: 'true' } })
  await until('the webhook is asked', async () =>
    (await api.create(probe, undefined, '?dryRun=All')).message.includes('[team-none]'),
  )
}

/** The shipped configuration with some of it changed. */
export function shippedConfig(changes: object): KubeObject {
  return { ...(fromYaml(text('config.yaml'))[0] as KubeObject), ...changes }
}
