// A control plane with cert-manager, on which Portcullis is installed with the certificates that it issues; a kubelet brings
// them to the webhook, and what is asked of the API server is recorded.
import type { X509Certificate } from 'node:crypto'
import { connect as connectTls } from 'node:tls'
import { SERVICE_NAME } from '../../src/certificates/overlay.ts'
import { array, object, strings } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { certManagerParts, startCertManager } from '../parts/cert-manager.ts'
import type { ControlPlane } from '../parts/control-plane.ts'
import { crdFiles } from '../parts/crds.ts'
import type { RunningPart } from '../parts/process.ts'
import type { Api } from './api.ts'
import { type AuditedCluster, auditedParts, startAudited } from './audited-cluster.ts'
import { namespace } from './cluster-objects.ts'
import type { Replica } from './installed.ts'
import { type Mounted, mountSecret } from './mounted-secret.ts'
import { applied } from './objects.ts'
import { asServiceAccount } from './pods.ts'

export type CertManagerCluster = AuditedCluster & {
  /** A file of the Secret that the webhook serves, as text. */
  issued(name: 'tls.crt' | 'ca.crt'): Promise<string>
  /** Every entry trusts the same, and the authority of the certificate that was issued last is part of it. */
  isInjected(): Promise<boolean>
  /** By another authority than this one; until then it is asked for anew, as `cmctl renew` does. */
  isRenewed(formerCa: string): Promise<boolean>
}

export const certManagerClusterParts = [...auditedParts, ...certManagerParts] as const

export const SECRET: KubeObject = inPortcullis('v1', 'Secret', 'portcullis-webhook-tls')
export const ISSUER_SECRET: KubeObject = inPortcullis('v1', 'Secret', 'portcullis-issuer')
const CERTIFICATE: KubeObject = inPortcullis('cert-manager.io/v1', 'Certificate', 'portcullis-webhook')

const NAMESPACE = 'cert-manager'
const PROGRAMS = ['cainjector', 'controller'] as const

/** `mountDelayMs`: of the kubelet. */
export async function startCertManagerCluster(mountDelayMs: number): Promise<CertManagerCluster> {
  const cluster = await startAudited('cert-manager', crdFiles('cert-manager'))
  const { api, get, bundles, installed } = cluster
  const programs = await startPrograms(cluster.controlPlane)
  const mounted: Mounted = mountSecret(api, SECRET, installed.certs, mountDelayMs)
  const issued = async (name: string) => decoded(strings((await get(SECRET)).data)[name])
  return {
    ...cluster,
    issued,
    async isInjected() {
      const [all, ca] = [await bundles(), await issued('ca.crt')]
      return ca !== '' && all.every(each => each === all[0]) && decoded(all[0]).includes(ca.trim())
    },
    async isRenewed(formerCa) {
      if ((await issued('ca.crt')) !== formerCa) return true
      await renew(api, await get(CERTIFICATE))
      return false
    },
    async stop() {
      await mounted.stop()
      for (const each of programs) await each.stop()
      await cluster.stop()
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
