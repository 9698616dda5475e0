// A control plane with cert-manager, on which Portcullis is installed with the certificates that it issues; a kubelet brings
// them to the webhook, and what is asked of the API server is recorded.
import type { X509Certificate } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { CONFIGURATIONS } from '../../src/certificates/objects.ts'
import { SERVICE_NAME } from '../../src/certificates/overlay.ts'
import { array, object, strings } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { certManagerParts, startCertManager } from '../parts/cert-manager.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { crdFiles } from '../parts/crds.ts'
import type { RunningPart } from '../parts/process.ts'
import { type Api, connect, pathOf } from './api.ts'
import { type Audit, audit } from './audit.ts'
import { NGINX, namespace } from './cluster-objects.ts'
import { labelled } from './faults.ts'
import { gatewayDefinitions } from './gateway-definitions.ts'
import { type Installed, install, type Replica } from './installed.ts'
import { type Mounted, mountSecret } from './mounted-secret.ts'
import { applied } from './objects.ts'
import { asServiceAccount } from './pods.ts'
import { ACCOUNTS } from './self-cluster.ts'

export type CertManagerCluster = {
  readonly controlPlane: ControlPlane
  readonly installed: Installed
  readonly api: Api
  /** Of both ServiceAccounts. */
  readonly audit: Audit
  get(document: KubeObject): Promise<KubeObject>
  configurations(): Promise<KubeObject[]>
  /** Of every entry; `undefined` where there is none. */
  bundles(): Promise<unknown[]>
  /** A file of the Secret that the webhook serves, as text. */
  issued(name: 'tls.crt' | 'ca.crt'): Promise<string>
  /** Every entry trusts the same, and the authority of the certificate that was issued last is part of it. */
  isInjected(): Promise<boolean>
  /** By another authority than this one; until then it is asked for anew, as `cmctl renew` does. */
  isRenewed(formerCa: string): Promise<boolean>
  /** Whether a route with the label is taken just now; nothing is stored. */
  isServed(): Promise<boolean>
  stop(): Promise<void>
}

export const certManagerClusterParts = [
  ...[...controlPlaneParts, ...certManagerParts],
  ...(['envoy-gateway-crds', 'traefik-crds'] as const),
]

export const SECRET: KubeObject = inPortcullis('v1', 'Secret', 'portcullis-webhook-tls')
export const ISSUER_SECRET: KubeObject = inPortcullis('v1', 'Secret', 'portcullis-issuer')
const CERTIFICATE: KubeObject = inPortcullis('cert-manager.io/v1', 'Certificate', 'portcullis-webhook')

const NAMESPACE = 'cert-manager'
const PROGRAMS = ['cainjector', 'controller'] as const

/** `mountDelayMs`: of the kubelet. Nothing of Portcullis runs yet. */
export async function startCertManagerCluster(mountDelayMs: number): Promise<CertManagerCluster> {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-'))
  const audited = audit(dir, ...ACCOUNTS.map(({ name }) => name))
  const controlPlane = await startControlPlane({ dir, extraArgs: audited.args })
  await controlPlane.applyCrds(...gatewayDefinitions(), ...crdFiles('cert-manager'))
  const programs = await startPrograms(controlPlane)
  const installed = await install(controlPlane, 'cert-manager')
  await applied(controlPlane, NGINX, namespace('shops'))
  const api = connect(controlPlane)
  const mounted: Mounted = mountSecret(api, SECRET, installed.certs, mountDelayMs)
  const get = async (document: KubeObject) => (await api.send('GET', pathOf(document))).body as unknown as KubeObject
  const configurations = () =>
    Promise.all(CONFIGURATIONS.map(({ name, ...ref }) => get({ ...ref, metadata: { name } })))
  const bundles = async () => {
    const entries = (await configurations()).flatMap(each => array(each.webhooks).map(object))
    return entries.map(({ clientConfig }) => object(clientConfig).caBundle)
  }
  const issued = async (name: string) => decoded(strings((await get(SECRET)).data)[name])
  return {
    ...{ controlPlane, installed, api, audit: audited, get, configurations, bundles, issued },
    async isInjected() {
      const [all, ca] = [await bundles(), await issued('ca.crt')]
      return ca !== '' && all.every(each => each === all[0]) && decoded(all[0]).includes(ca.trim())
    },
    async isRenewed(formerCa) {
      if ((await issued('ca.crt')) !== formerCa) return true
      await renew(api, await get(CERTIFICATE))
      return false
    },
    async isServed() {
      return (await api.create(labelled('probe'), undefined, '?dryRun=All')).status === 201
    },
    async stop() {
      await mounted.stop()
      api.close()
      await installed.stop()
      for (const each of programs) await each.stop()
      await controlPlane.stop()
    },
  }
}

/** Unless that is under way. */
async function renew(api: Api, { metadata, status }: KubeObject): Promise<void> {
  const conditions = array(object(status).conditions).map(object)
  if (conditions.some(({ type }) => type === 'Issuing')) return
  const lastTransitionTime = new Date().toISOString().replace(/\.\d+/, '')
  const why = { reason: 'ManuallyTriggered', message: 'by hand', observedGeneration: metadata.generation }
  const issuing = { type: 'Issuing', status: 'True', ...why, lastTransitionTime }
  const { resourceVersion } = metadata
  const changes = { metadata: { resourceVersion }, status: { conditions: [...conditions, issuing] } }
  await api.patch(CERTIFICATE, changes, undefined, '/status')
}

/** With every right: which of them cert-manager has is for its own manifests. */
async function startPrograms(controlPlane: ControlPlane): Promise<RunningPart[]> {
  const accounts = PROGRAMS.map(name => ({ kind: 'ServiceAccount', name, namespace: NAMESPACE }))
  await applied(
    controlPlane,
    namespace(NAMESPACE),
    ...accounts.map(({ kind, ...metadata }) => ({ apiVersion: 'v1', kind, metadata })),
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: NAMESPACE },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: accounts,
    },
  )
  const start = async (name: (typeof PROGRAMS)[number]) =>
    startCertManager(controlPlane, name, await asServiceAccount(controlPlane, name, NAMESPACE))
  return Promise.all(PROGRAMS.map(start))
}

/** What a replica shows to who trusts only this authority, and knows it by its Service. */
export function shown({ host }: Replica, ca: string): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host, port: 10_250, ca, servername: SERVICE_NAME }, () => {
      resolve(socket.getPeerX509Certificate() as X509Certificate)
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

function decoded(base64: unknown): string {
  return Buffer.from(String(base64 ?? ''), 'base64').toString('utf8')
}

function inPortcullis(apiVersion: string, kind: string, name: string): KubeObject {
  return { apiVersion, kind, metadata: { namespace: 'portcullis', name } }
}
