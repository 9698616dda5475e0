// Requests of the API server on /mutate and /validate, served without Express in between.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Log } from '../log.ts'
import { type Body, type InFlight, readBody } from './body.ts'
import { timeoutOf } from './deadline.ts'
import { isDeeperThan } from './depth.ts'
import type { Limits } from './limits.ts'
import { type Refused, type RefusedFor, refuse } from './refusal.ts'
import { turns } from './turn.ts'

export type Entry = 'mutate' | 'validate'
/** `last`: the connection is given up with it. */
export type Answer = { readonly status: number; readonly body: string; readonly last?: boolean }
/** Decides about a review. What it throws becomes status 500, and the API server does as the failurePolicy says. */
export type Admit = (entry: Entry, body: Buffer) => Answer

/** Who counts. */
export type Served = {
  /** From the headers of a request to its answer. */
  answered(entry: Entry, milliseconds: number): void
  refused(entry: Entry, why: RefusedFor): void
}

export type AdmissionOptions = {
  readonly admit: Admit
  readonly limits: Limits
  readonly log: Log
  readonly served?: Served | undefined
  readonly inFlight: InFlight
  /** Absent: everybody may ask. */
  readonly mayAsk?: ((request: IncomingMessage) => boolean) | undefined
  /** The server is about to close: connections are given up one answer at a time. */
  readonly isDraining: () => boolean
}

/** The entry that a URL names; the API server adds a query such as `?timeout=10s`. */
export function entryOf(url: string): Entry | undefined {
  const query = url.indexOf('?')
  const path = query < 0 ? url : url.slice(0, query)
  if (path === '/mutate') return 'mutate'
  return path === '/validate' ? 'validate' : undefined
}

export function admissionHandler({ admit, limits, log, served, inFlight, mayAsk, isDraining }: AdmissionOptions) {
  const turnBegan = turns()
  return (entry: Entry, request: IncomingMessage, response: ServerResponse): void => {
    const started = turnBegan()
    const finish = (answer: Answer | Refused) => {
      const last = isDraining()
      if ('error' in answer) {
        if (last) response.setHeader('Connection', 'close')
        refuse(request, response, answer)
        served?.refused(entry, answer.why)
      } else {
        send(response, answer, last || answer.last === true)
        served?.answered(entry, performance.now() - started)
      }
    }
    const read = (body: Body) => {
      turnBegan()
      if ('error' in body) finish(body)
      else if (isLate(request, started)) finish(LATE)
      else finish(decide(entry, body.bytes))
    }
    if (request.method !== 'POST') finish(NOT_POST)
    else if (mayAsk?.(request) === false) finish(STRANGER)
    else readBody(request, limits, inFlight, read)
  }

  /** Nobody waits for the answer any more, or won't when it arrives: deciding would only keep others waiting. */
  function isLate({ url = '' }: IncomingMessage, started: number): boolean {
    return performance.now() - started > (timeoutOf(url) ?? limits.timeoutMs) - limits.timeoutMarginMs
  }

  function decide(entry: Entry, body: Buffer): Answer | Refused {
    if (isDeeperThan(limits.depth, body)) return tooDeep(limits)
    try {
      return admit(entry, body)
    } catch (error) {
      log.error({ err: error, entry }, 'admission failed')
      return FAULT
    }
  }
}

function send(response: ServerResponse, { status, body }: Answer, last: boolean): void {
  const length = Buffer.byteLength(body)
  const headers = ['Content-Type', 'application/json', 'Content-Length', `${length}`]
  if (last) headers.push('Connection', 'close')
  response.writeHead(status, headers)
  // As many bytes as characters: all ASCII, and Latin-1 is written without being transcoded.
  response.end(body, length === body.length ? 'latin1' : 'utf8')
}

const NOT_POST: Refused = {
  why: 'method',
  status: 405,
  error: 'this address takes an AdmissionReview by POST only',
  headers: { Allow: 'POST' },
}
const STRANGER: Refused = {
  why: 'client',
  status: 403,
  error:
    'this address answers the API server only; connect with a client certificate that --client-ca and --client-name allow',
}
const LATE: Refused = {
  why: 'deadline',
  status: 503,
  error: 'the request waited for so long that no answer would be in time; try again in a second',
  headers: { 'Retry-After': '1' },
}
const FAULT: Refused = { why: 'fault', status: 500, error: 'Portcullis failed while deciding; its log has the details' }

function tooDeep({ depth }: Limits): Refused {
  return {
    why: 'depth',
    status: 400,
    error: `the body is nested deeper than ${depth} levels; no review of a route is, send a flatter one`,
  }
}
