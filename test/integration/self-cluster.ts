// A cluster on which Portcullis is installed with certificates of its own: what is true of the Secret and of who trusts it.
import { type Authorities, bundleOf, type Found, readAuthorities } from '../../src/certificates/authorities.ts'
import { secretRef } from '../../src/certificates/objects.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { until } from './api.ts'
import { type AuditedCluster, startAudited } from './audited-cluster.ts'

export type SelfCluster = AuditedCluster & {
  found(): Promise<Found>
  authorities(): Promise<Authorities>
  /** The Secret is whole, and every entry trusts what is in it. */
  isRight(): Promise<boolean>
  /** Until a labelled route is admitted. */
  serves(): Promise<void>
}

const SECRET = secretRef('portcullis')
export const SECRET_DOCUMENT: KubeObject = { ...SECRET, metadata: { namespace: 'portcullis', name: SECRET.name } }
const ENTRIES = 8

export async function startSelfCluster(): Promise<SelfCluster> {
  const cluster = await startAudited('self')
  const found = async () => readAuthorities((await cluster.get(SECRET_DOCUMENT)).data, Date.now())
  return {
    ...cluster,
    found,
    authorities: async () => (await found()).authorities as Authorities,
    async isRight() {
      const { authorities: now, isWhole } = await found()
      if (now === undefined || !isWhole) return false
      const bundle = Buffer.from(bundleOf(now)).toString('base64')
      const bundles = await cluster.bundles()
      return bundles.length >= ENTRIES && bundles.every(each => each === bundle)
    },
    serves: () => until('a labelled route is admitted', cluster.isServed),
  }
}
