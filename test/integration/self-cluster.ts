// A control plane on which Portcullis is installed with certificates of its own, nothing running yet, and what is asked of
// the API server recorded.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Authorities, bundleOf, type Found, readAuthorities } from '../../src/certificates/authorities.ts'
import { CONFIGURATIONS, secretRef } from '../../src/certificates/objects.ts'
import { array, object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { crdFiles } from '../parts/crds.ts'
import { type Api, connect, pathOf, serviceAccount, until } from './api.ts'
import { type Audit, audit } from './audit.ts'
import { NGINX, namespace } from './cluster-objects.ts'
import { labelled } from './faults.ts'
import { type Installed, install } from './installed.ts'
import { applied } from './objects.ts'

export type SelfCluster = {
  readonly controlPlane: ControlPlane
  readonly installed: Installed
  readonly api: Api
  /** Of both ServiceAccounts. */
  readonly audit: Audit
  get(document: KubeObject): Promise<KubeObject>
  configurations(): Promise<KubeObject[]>
  found(): Promise<Found>
  authorities(): Promise<Authorities>
  /** The Secret is whole, and every entry trusts what is in it. */
  isRight(): Promise<boolean>
  /** Until a labelled route is admitted. */
  serves(): Promise<void>
  stop(): Promise<void>
}

export const selfParts = [...controlPlaneParts, 'envoy-gateway-crds', 'traefik-crds'] as const
export const ACCOUNTS = ['portcullis-controller', 'portcullis-webhook'].map(each => serviceAccount('portcullis', each))
const SECRET = secretRef('portcullis')
export const SECRET_DOCUMENT: KubeObject = { ...SECRET, metadata: { namespace: 'portcullis', name: SECRET.name } }
const ENTRIES = 8

export async function startSelfCluster(): Promise<SelfCluster> {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-'))
  const audited = audit(dir, ...ACCOUNTS.map(({ name }) => name))
  const controlPlane = await startControlPlane({ dir, extraArgs: audited.args })
  await controlPlane.applyCrds(...crdFiles('envoy-gateway'), ...crdFiles('traefik'))
  const installed = await install(controlPlane, 'self')
  await applied(controlPlane, NGINX, namespace('shops'))
  const api = connect(controlPlane)
  const get = async (document: KubeObject) => (await api.send('GET', pathOf(document))).body as unknown as KubeObject
  const found = async () => readAuthorities((await get(SECRET_DOCUMENT)).data, Date.now())
  const configurations = () =>
    Promise.all(CONFIGURATIONS.map(({ name, ...ref }) => get({ ...ref, metadata: { name } })))
  const tried = async () => (await api.create(labelled('probe'), undefined, '?dryRun=All')).status
  return {
    ...{ controlPlane, installed, api, audit: audited, get, configurations, found },
    authorities: async () => (await found()).authorities as Authorities,
    async isRight() {
      const { authorities: now, isWhole } = await found()
      if (now === undefined || !isWhole) return false
      const bundle = Buffer.from(bundleOf(now)).toString('base64')
      const entries = (await configurations()).flatMap(each => array(each.webhooks).map(object))
      return entries.length >= ENTRIES && entries.every(each => object(each.clientConfig).caBundle === bundle)
    },
    serves: () => until('a labelled route is admitted', async () => (await tried()) === 201),
    async stop() {
      api.close()
      await installed.stop()
      await controlPlane.stop()
    },
  }
}
