// Asks a webhook as the API server would, past the API server: what it answers while that is away.
import { request } from 'node:https'
import type { KubeObject } from '../../src/core/types.ts'
import { type Answer, collect } from '../parts/health.ts'

export type Listener = {
  readonly host: string
  readonly port: number
  /** Of whom its certificate has to be. */
  readonly ca: string
  /** The name that the certificate is for; absent: the host. */
  readonly servername?: string
}

/** `entry`: mutate or validate. Whether a route may be created. */
export function review(listener: Listener, entry: string, object: KubeObject): Promise<Answer> {
  const body = reviewOf(object)
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }
    const path = `/${entry}?timeout=5s`
    const sent = request({ ...listener, path, method: 'POST', headers, agent: false }, answer => {
      collect(answer, resolve)
    })
    sent.on('error', reject).end(body)
  })
}

function reviewOf(object: KubeObject): string {
  const [group, version] = object.apiVersion.split('/')
  const { name, namespace } = object.metadata
  const kind = { group, version, kind: object.kind }
  const request = { uid: 'direct', kind, name, namespace, operation: 'CREATE', object, oldObject: null }
  return JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request })
}
