// The webhook that reads the cluster it serves, as a real process behind a Service of a control plane.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { KubeObject } from '../../src/core/types.ts'
import type { ControlPlane } from '../parts/control-plane.ts'
import { type Answer, type Health, healthAt } from '../parts/health.ts'
import { freePorts } from '../parts/ports.ts'
import { type RunningPart, startPart } from '../parts/process.ts'
import { review } from './direct-review.ts'
import { applied } from './objects.ts'
import { createService } from './webhook.ts'
import { mutating, type Service, validating } from './webhook-configurations.ts'

export type Prepared = { readonly service: Service; readonly certs: string; readonly ca: string }

export type ClusterWebhook = Health & {
  readonly part: RunningPart
  /** Asks it directly, past the API server. */
  review(entry: string, object: KubeObject): Promise<Answer>
  log(): string
}

export const MAIN = join(import.meta.dirname, '../../src/main.ts')

/** With a Service and certificates; the API server asks it once webhook configurations are there. */
export async function prepareCluster(controlPlane: ControlPlane): Promise<Prepared> {
  const service = await createService(controlPlane)
  const certs = join(controlPlane.dir, 'certs')
  const names = ['--name', `${service.name}.${service.namespace}.svc`, service.clusterIP]
  await promisify(execFile)(process.execPath, [MAIN, 'certs', certs, ...names])
  return { service, certs, ca: readFileSync(join(certs, 'ca.crt'), 'utf8') }
}

export async function configureWebhooks(controlPlane: ControlPlane, { service, ca }: Prepared): Promise<void> {
  const bundle = Buffer.from(ca).toString('base64')
  await applied(controlPlane, mutating(service, bundle), validating(service, bundle))
}

/** Alive when this resolves; not ready, perhaps. */
export async function startClusterWebhook(
  { kubeconfig, dir }: ControlPlane,
  { service, certs, ca }: Prepared,
  ...more: readonly string[]
): Promise<ClusterWebhook> {
  const [healthPort] = await freePorts(1)
  const { clusterIP: host, port } = service
  const probed = healthAt(host, healthPort as number)
  const listen = ['--host', host, '--port', String(port), '--health-port', String(healthPort)]
  const part = await startPart({
    name: `webhook-${healthPort}`,
    command: process.execPath,
    args: [MAIN, 'webhook', '--kubeconfig', kubeconfig, '--certs', certs, ...listen, ...more],
    dir,
    ready: async () => (await probed.health('/healthz')).status === 200,
  })
  return {
    part,
    ...probed,
    review: (entry, object) => review({ host, port, ca }, entry, object),
    log: () => readFileSync(part.log, 'utf8'),
  }
}
