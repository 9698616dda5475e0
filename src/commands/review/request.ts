// An AdmissionReview as the API server sends it for an object.
import { randomUUID } from 'node:crypto'
import type { KubeObject } from '../../core/types.ts'

export type Operation = 'CREATE' | 'UPDATE'
export type Named = { readonly namespace: string; readonly name: string }

export function admissionReview(object: KubeObject, { namespace, name }: Named, old?: KubeObject): string {
  const [group, version] = splitApiVersion(object.apiVersion)
  const kind = { group, version, kind: object.kind }
  const resource = { group, version, resource: pluralOf(object.kind) }
  const operation: Operation = old === undefined ? 'CREATE' : 'UPDATE'
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: randomUUID(),
      kind,
      resource,
      requestKind: kind,
      requestResource: resource,
      name,
      namespace,
      operation,
      userInfo: { username: 'portcullis-review', groups: ['system:authenticated'] },
      object,
      oldObject: old ?? null,
      dryRun: false,
      options: { apiVersion: 'meta.k8s.io/v1', kind: operation === 'CREATE' ? 'CreateOptions' : 'UpdateOptions' },
    },
  })
}

function splitApiVersion(apiVersion: string): readonly [group: string, version: string] {
  const slash = apiVersion.indexOf('/')
  return slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)]
}

function pluralOf(kind: string): string {
  const singular = kind.toLowerCase()
  if (/[^aeiou]y$/.test(singular)) return `${singular.slice(0, -1)}ies`
  return /(s|x|ch|sh)$/.test(singular) ? `${singular}es` : `${singular}s`
}
