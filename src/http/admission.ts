// Requests of the API server on /mutate and /validate, served without Express in between.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Log } from '../log.ts'
import { type InFlight, readBody } from './body.ts'
import { isDeeperThan } from './depth.ts'
import type { Limits } from './limits.ts'
import { type Refusal, refuse } from './refusal.ts'

export type Entry = 'mutate' | 'validate'
export type Answer = { readonly status: number; readonly body: string }
/** Decides about a review. What it throws becomes status 500, and the API server does as the failurePolicy says. */
export type Admit = (entry: Entry, body: Buffer) => Answer

export type AdmissionOptions = {
  readonly admit: Admit
  readonly limits: Limits
  readonly log: Log
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

export function admissionHandler({ admit, limits, log, isDraining }: AdmissionOptions) {
  const inFlight: InFlight = { bytes: 0 }
  return (entry: Entry, request: IncomingMessage, response: ServerResponse): void => {
    if (request.method !== 'POST') {
      refuse(request, response, NOT_POST)
      return
    }
    readBody(request, limits, inFlight, body => {
      const answer = 'bytes' in body ? decide(entry, body.bytes) : body
      if ('error' in answer) refuse(request, response, answer)
      else send(response, answer, isDraining())
    })
  }

  function decide(entry: Entry, body: Buffer): Answer | Refusal {
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

const NOT_POST: Refusal = {
  status: 405,
  error: 'this address takes an AdmissionReview by POST only',
  headers: { Allow: 'POST' },
}
const FAULT: Refusal = { status: 500, error: 'Portcullis failed while deciding; its log has the details' }

function tooDeep({ depth }: Limits): Refusal {
  return {
    status: 400,
    error: `the body is nested deeper than ${depth} levels; no review of a route is, send a flatter one`,
  }
}
