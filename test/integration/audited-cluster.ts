// Portcullis installed on a real API server with certificates of any kind, and every request of its accounts kept: what suites
// about certificates begin with. Nothing of Portcullis runs yet.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CONFIGURATIONS } from '../../src/certificates/objects.ts'
import { array, object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { type Api, connect, pathOf, serviceAccount } from './api.ts'
import { type Audit, audit } from './audit.ts'
import { NGINX, namespace } from './cluster-objects.ts'
import { labelled } from './faults.ts'
import { gatewayDefinitions } from './gateway-definitions.ts'
import { type Installed, install } from './installed.ts'
import { applied } from './objects.ts'

export type AuditedCluster = {
  readonly controlPlane: ControlPlane
  readonly installed: Installed
  readonly api: Api
  /** Of both ServiceAccounts. */
  readonly audit: Audit
  get(document: KubeObject): Promise<KubeObject>
  configurations(): Promise<KubeObject[]>
  /** Of every entry; `undefined` where there is none. */
  bundles(): Promise<unknown[]>
  /** Whether a route with the label is taken just now; nothing is stored. */
  isServed(): Promise<boolean>
  stop(): Promise<void>
}

export const auditedParts = [...controlPlaneParts, 'envoy-gateway-crds', 'traefik-crds'] as const
export const ACCOUNTS = ['portcullis-controller', 'portcullis-webhook'].map(each => serviceAccount('portcullis', each))

/** `more`: files with definitions that the overlay needs besides. */
export async function startAudited(
  certificates: Parameters<typeof install>[1],
  more: readonly string[] = [],
): Promise<AuditedCluster> {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-'))
  const audited = audit(dir, ...ACCOUNTS.map(({ name }) => name))
  const controlPlane = await startControlPlane({ dir, extraArgs: audited.args })
  await controlPlane.applyCrds(...gatewayDefinitions(), ...more)
  const installed = await install(controlPlane, certificates)
  await applied(controlPlane, NGINX, namespace('shops'))
  const api = connect(controlPlane)
  const get = async (document: KubeObject) => (await api.send('GET', pathOf(document))).body as unknown as KubeObject
  const configurations = () =>
    Promise.all(CONFIGURATIONS.map(({ name, ...ref }) => get({ ...ref, metadata: { name } })))
  return {
    ...{ controlPlane, installed, api, audit: audited, get, configurations },
    async bundles() {
      const entries = (await configurations()).flatMap(each => array(each.webhooks).map(object))
      return entries.map(({ clientConfig }) => object(clientConfig).caBundle)
    },
    async isServed() {
      return (await api.create(labelled('probe'), undefined, '?dryRun=All')).status === 201
    },
    async stop() {
      api.close()
      await installed.stop()
      await controlPlane.stop()
    },
  }
}
