// Reviews as an API server sends them, and answers held against what it demands of them.
import { type AdmissionContext, admit, type Entry } from '../../src/admission/admit.ts'
import type { Facts, KubeObject, Operation } from '../../src/core/types.ts'
import { gateways } from '../../src/gateways/index.ts'

export const UID = '7f0b2b6e-3c1c-4f9c-9d1f-000000000001'
/** The time in every test, ms since the epoch. */
export const NOW = Date.parse('2026-06-01T12:00:00Z')

export type Call = {
  readonly operation?: string
  readonly object?: KubeObject | null
  readonly oldObject?: KubeObject | null
  readonly [field: string]: unknown
}

export type Answered = {
  readonly allowed: boolean
  readonly patch: readonly Operation[]
  readonly warnings: readonly string[]
  readonly code?: number
  readonly reason?: string
  readonly message?: string
  readonly details?: { readonly retryAfterSeconds?: number; readonly causes?: readonly { readonly reason: string }[] }
  readonly auditAnnotations?: Readonly<Record<string, string>>
}

export type Line = { readonly level: 'info' | 'error'; readonly fields: Readonly<Record<string, unknown>> }

export function contextOf(facts: Facts, change: Partial<AdmissionContext> = {}): AdmissionContext & { lines: Line[] } {
  const lines: Line[] = []
  const log = {
    info: (fields: object) => lines.push({ level: 'info', fields: fields as Line['fields'] }),
    error: (fields: object) => lines.push({ level: 'error', fields: fields as Line['fields'] }),
  }
  return { facts, gateways, log, now: () => NOW, ...change, lines }
}

/** As kube-apiserver writes one for an Ingress or HTTPRoute of namespace `apps`; fields of the call replace its own. */
export function reviewOf({ object = null, oldObject = null, operation = 'CREATE', ...request }: Call): object {
  const seen = object ?? oldObject
  const [group = '', version = ''] = (seen?.apiVersion ?? '/').split('/')
  const kind = { group, version, kind: seen?.kind ?? '' }
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: UID,
      kind,
      requestKind: kind,
      namespace: 'apps',
      name: seen?.metadata?.name,
      operation,
      userInfo: { username: 'somebody' },
      object,
      oldObject,
      dryRun: false,
      options: { kind: `${operation}Options`, apiVersion: 'meta.k8s.io/v1' },
      ...request,
    },
  }
}

export function bytesOf(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}

/** The answer to a review, which must be one that an API server takes. */
export function ask(entry: Entry, call: Call, context: AdmissionContext): Answered {
  const { status, body } = admit(entry, bytesOf(reviewOf(call)), context)
  if (status !== 200) throw new Error(`status ${status}: ${body}`)
  return checked(entry, body)
}

/** What kube-apiserver verifies (apiserver 1.36, webhook/request/admissionreview.go), and what it does to messages. */
export function checked(entry: Entry, body: string, uid = UID): Answered {
  const { apiVersion, kind, response } = JSON.parse(body)
  const demands: Record<string, boolean> = {
    'a review of v1': apiVersion === 'admission.k8s.io/v1' && kind === 'AdmissionReview',
    'the uid of the request': response.uid === uid,
    'allowed or refused': typeof response.allowed === 'boolean',
    'a patch with its type, or neither':
      response.patchType === (response.patch === undefined ? undefined : 'JSONPatch'),
    'no patch when validating': entry === 'mutate' || response.patch === undefined,
    'no refusal when mutating': entry === 'validate' || response.allowed === true,
    'a status if it is refused, and only then': response.allowed === (response.status === undefined),
    'qualified audit keys': Object.keys(response.auditAnnotations ?? {}).every(key => /^[A-Za-z0-9]+$/.test(key)),
  }
  for (const [demand, met] of Object.entries(demands)) if (!met) throw new Error(`not so: ${demand}, in ${body}`)
  const patch = response.patch === undefined ? [] : JSON.parse(Buffer.from(response.patch, 'base64').toString())
  if (response.patch !== undefined && patch.length === 0) throw new Error('an empty patch')
  const { warnings = [], auditAnnotations, status = {} } = response
  const lines: string[] = [...warnings, ...(status.message === undefined ? [] : status.message.split(' | '))]
  lines.forEach(expectLine)
  return { allowed: response.allowed, patch, warnings, auditAnnotations, ...status }
}

/** One printable line that says what is so and what to do, no longer than what an API server keeps of it. */
export function expectLine(text: string): void {
  if (/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(text)) throw new Error(`not printable: ${JSON.stringify(text)}`)
  if (!/^\S.*; .+ \[[a-z-]+\]( \(and \d+ more\))?$/u.test(text))
    throw new Error(`not a sentence with what to do: ${text}`)
  if (text.length > 256 && !text.includes('{"')) throw new Error(`${text.length} characters: ${text}`)
}
