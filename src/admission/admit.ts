// One admission request from bytes to bytes: read, decided, answered, logged in one line. Faults are caught here.
import { reason, sentence, severity } from '../core/reasons.ts'
import type { Facts, GatewayKind, Reason } from '../core/types.ts'
import { mutate } from './mutate.ts'
import { type Audit, type Request, type Response, readReview, type Status, writeReview } from './review.ts'
import { type Verdict, validate } from './validate.ts'

export type Entry = 'mutate' | 'validate'
/** `body`: JSON text. `last`: the connection is to be given up with it. */
export type Answer = { readonly status: number; readonly body: string; readonly last?: boolean }

export interface AdmissionLog {
  info(fields: object, message: string): void
  error(fields: object, message: string): void
}

export type AdmissionContext = {
  readonly facts: Facts
  readonly gateways: readonly GatewayKind[]
  readonly log: AdmissionLog
  /** ms since the epoch. */
  readonly now: () => number
  /** Counts. `code`: of the first reason. */
  readonly decided?: ((entry: Entry, outcome: string, code: string | undefined) => void) | undefined
}

/** Never throws. `body` is within limits already. */
export function admit(entry: Entry, body: Buffer, context: AdmissionContext): Answer {
  const started = performance.now()
  const request = readReview(body)
  if (typeof request === 'string') {
    context.decided?.(entry, 'unreadable', undefined)
    return { status: 400, body: JSON.stringify({ error: request }) }
  }
  try {
    const decided = entry === 'mutate' ? decideMutate(request, context) : decideValidate(request, context)
    context.log.info(line(entry, request, decided, performance.now() - started), 'admission')
    context.decided?.(entry, decided.outcome, decided.reasons[0]?.code)
    return { status: 200, body: writeReview(request.uid, decided.response), last: metAnother(decided) }
  } catch (error) {
    context.log.error(
      { entry, uid: request.uid, ref: refOf(request), operation: request.operation, err: error },
      'admission failed',
    )
    context.decided?.(entry, 'fault', 'fault')
    return fault(entry, request)
  }
}

type Decided = {
  readonly outcome: string
  readonly reasons: readonly Reason[]
  readonly team?: string | undefined
  readonly response: Response
}

/**
 * Replicas of different versions are behind the Service. An API server keeps a connection for each webhook, so that what
 * one of them has begun would meet the same other one however often it is tried; a new connection may find its like.
 */
function metAnother({ reasons }: Decided): boolean {
  return reasons.some(each => each.code === 'injection-other')
}

function decideMutate(request: Request, { facts, gateways }: AdmissionContext): Decided {
  const { outcome, reasons, patch, team } = mutate(request, facts, gateways)
  const audit = auditOf(outcome, team, reasons)
  return { outcome, reasons, team, response: { allowed: true, patch, ...warningsOf(reasons), ...audit } }
}

function decideValidate(request: Request, { facts, gateways, now }: AdmissionContext): Decided {
  const verdict = validate(request, facts, gateways, now())
  const { outcome, reasons, team } = verdict
  const audit = auditOf(outcome, team, reasons)
  const refused = outcome === 'deny' || outcome === 'later'
  const response: Response = refused
    ? { allowed: false, status: statusOf(verdict), ...audit }
    : { allowed: true, ...warningsOf(reasons), ...audit }
  return { outcome, reasons, team, response }
}

function statusOf({ outcome, reasons, seconds }: Verdict): Status {
  const told = reasons.slice(0, TOLD)
  const more = reasons.length === told.length ? '' : ` (and ${reasons.length - told.length} more)`
  const message = told.map(sentence).join(' | ') + more
  // The API server hands a 429 on as Retry-After, and clients built on client-go try again by themselves.
  if (outcome === 'later') {
    return { code: 429, reason: 'TooManyRequests', message, details: { retryAfterSeconds: seconds ?? 1 } }
  }
  const causes = told.map(each => ({
    reason: each.code,
    message: sentence(each),
    ...(each.field === undefined ? {} : { field: each.field }),
  }))
  return { code: 403, reason: 'Forbidden', message, details: { causes } }
}

/** As many reasons as a person reads at once: a route can have thousands of hosts, each of them wrong. */
const TOLD = 8

function warningsOf(reasons: readonly Reason[]): { warnings?: string[] } {
  const warnings = reasons.filter(each => severity(each) === 'warning').map(sentence)
  return warnings.length === 0 ? {} : { warnings }
}

/** Keys of audit annotations become `<webhook>/<key>`; the codes say what was found where nothing was refused too. */
function auditOf(outcome: string, team: string | undefined, reasons: readonly Reason[]): { audit: Audit } {
  const codes = [...new Set(reasons.map(each => each.code))].join(',')
  return { audit: { decision: outcome, ...(team === undefined ? {} : { team }), ...(codes === '' ? {} : { codes }) } }
}

/** A fault of ours is never reported as a denial of the user's: the mutating call fails, which its policy ignores. */
function fault(entry: Entry, request: Request): Answer {
  const message = sentence(reason('fault', { uid: request.uid }))
  if (entry === 'mutate') return { status: 500, body: JSON.stringify({ error: message }) }
  return {
    status: 200,
    body: writeReview(request.uid, { allowed: false, status: { code: 500, reason: 'InternalError', message } }),
  }
}

function line(entry: Entry, request: Request, { outcome, reasons, team }: Decided, milliseconds: number): object {
  return {
    entry,
    uid: request.uid,
    ref: refOf(request),
    operation: request.operation,
    outcome,
    codes: [...new Set(reasons.map(each => each.code))],
    team,
    dryRun: request.dryRun,
    ms: Math.round(milliseconds * 1000) / 1000,
  }
}

function refOf({ kind, namespace, name }: Request): string {
  return `${kind}/${namespace}/${name}`
}
