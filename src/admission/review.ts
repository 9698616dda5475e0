// AdmissionReview v1: the request read from its bytes, the response written. The uid is echoed here and nowhere else.
import { isObject, object, string } from '../core/json.ts'
import { perObject } from '../core/memo.ts'
import type { KubeObject, Operation } from '../core/types.ts'

export type Request = {
  readonly uid: string
  readonly operation: string
  readonly subResource: string
  readonly namespace: string
  readonly name: string
  readonly kind: string
  readonly dryRun: boolean
  /** Who asks, as the API server knows them. */
  readonly user: string
  readonly object: KubeObject | undefined
  readonly oldObject: KubeObject | undefined
}

export type Response =
  | {
      readonly allowed: true
      readonly patch?: readonly Operation[]
      readonly warnings?: readonly string[]
      readonly audit?: Audit
    }
  | { readonly allowed: false; readonly status: Status; readonly warnings?: readonly string[]; readonly audit?: Audit }

export type Audit = { readonly [key: string]: string }
export type Status = {
  readonly code: number
  readonly reason: string
  readonly message: string
  readonly details?: {
    readonly retryAfterSeconds?: number
    readonly causes?: readonly { reason: string; message: string; field?: string }[]
  }
}

const VERSION = 'admission.k8s.io/v1'

/** The request, or in a sentence why the bytes hold none. */
export function readReview(body: Buffer): Request | string {
  let review: unknown
  try {
    review = JSON.parse(body.toString('utf8'))
  } catch {
    return 'the body is not JSON; send an AdmissionReview'
  }
  if (!isObject(review) || review.kind !== 'AdmissionReview') return 'the body is not an AdmissionReview'
  if (review.apiVersion !== VERSION)
    return `only AdmissionReview ${VERSION} is answered; list v1 in admissionReviewVersions`
  const request = review.request
  if (!isObject(request)) return 'the AdmissionReview has no request'
  const uid = string(request.uid)
  if (uid === undefined || uid === '') return 'the request has no uid'
  return {
    uid,
    operation: string(request.operation) ?? '',
    subResource: string(request.subResource) ?? '',
    namespace: string(request.namespace) ?? '',
    name: string(request.name) ?? '',
    kind: string(object(request.kind).kind) ?? '',
    dryRun: request.dryRun === true,
    user: string(object(request.userInfo).username) ?? '',
    object: readObject(request.object),
    oldObject: readObject(request.oldObject),
  }
}

function readObject(value: unknown): KubeObject | undefined {
  if (!isObject(value) || typeof value.kind !== 'string' || typeof value.apiVersion !== 'string') return undefined
  return isObject(value.metadata) ? (value as KubeObject) : { ...(value as KubeObject), metadata: {} }
}

/** An empty patch is left out, patch and patchType always come together: anything else is an error to the API server. */
export function writeReview(uid: string, response: Response): string {
  const { allowed, warnings, audit } = response
  let fields = `"uid":${JSON.stringify(uid)},"allowed":${allowed}`
  if (!response.allowed) fields += `,"status":${JSON.stringify(response.status)}`
  else if (response.patch !== undefined && response.patch.length > 0) {
    // A frozen patch is one that many routes share.
    const patch = Object.isFrozen(response.patch) ? sharedText(response.patch) : textOf(response.patch)
    fields += `,"patchType":"JSONPatch","patch":"${patch}"`
  }
  if (warnings !== undefined && warnings.length > 0) fields += `,"warnings":${JSON.stringify(warnings)}`
  if (audit !== undefined) fields += `,"auditAnnotations":${JSON.stringify(audit)}`
  return `{"apiVersion":"${VERSION}","kind":"AdmissionReview","response":{${fields}}}`
}

function textOf(patch: readonly Operation[]): string {
  return Buffer.from(JSON.stringify(patch)).toString('base64')
}

const sharedText = perObject(textOf)
