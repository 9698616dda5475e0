// The objects in the cluster that certificates are about.
import type { ObjectRef } from '../kube/write.ts'

/** By which all replicas share the authorities. */
export function secretRef(namespace: string): ObjectRef {
  return { apiVersion: 'v1', kind: 'Secret', namespace, name: 'portcullis-ca' }
}

const KINDS = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']

/** By which the API server knows whom to ask, and whom to trust. */
export const CONFIGURATIONS: readonly ObjectRef[] = KINDS.map(kind => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind,
  name: 'portcullis',
}))
