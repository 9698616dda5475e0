// Reads the body of a POST within the limits, into one Buffer.
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Limits } from './limits.ts'
import type { Refused } from './refusal.ts'

/** Of all bodies that are being read. */
export type InFlight = { bytes: number; requests: number }

export type Body = { readonly bytes: Buffer } | Refused

// What a chunk costs beside its bytes: without it, bodies sent byte by byte would take a hundred times the limit.
const CHUNK_BYTES = 512

/** Calls `done` once, or never if the sender hangs up before the end. */
export function readBody(
  request: IncomingMessage,
  limits: Limits,
  inFlight: InFlight,
  done: (body: Body) => void,
): void {
  const refusal = inFlight.requests >= limits.inFlightRequests ? CROWDED : judgeHeaders(request.headers, limits)
  if (refusal !== undefined) {
    done(refusal)
    return
  }
  inFlight.requests++
  let chunks: Buffer[] = []
  let size = 0
  let held = 0
  let finished = false
  const finish = (body?: Body) => {
    if (finished) return
    finished = true
    inFlight.requests--
    inFlight.bytes -= held
    chunks = []
    if (body !== undefined) done(body)
  }
  request.on('data', (chunk: Buffer) => {
    if (finished) return
    size += chunk.length
    held += chunk.length + CHUNK_BYTES
    inFlight.bytes += chunk.length + CHUNK_BYTES
    chunks.push(chunk)
    if (size > limits.bodyBytes) finish(tooLarge(limits))
    else if (inFlight.bytes > limits.inFlightBytes) finish(BUSY)
  })
  request.on('end', () =>
    finish(size === 0 ? EMPTY : { bytes: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks) }),
  )
  request.on('error', () => finish())
  request.on('close', () => finish())
}

function judgeHeaders(headers: IncomingHttpHeaders, limits: Limits): Refused | undefined {
  if (!isJson(headers['content-type']) || headers['content-encoding'] !== undefined) return NOT_JSON
  return Number(headers['content-length'] ?? 0) > limits.bodyBytes ? tooLarge(limits) : undefined
}

function isJson(type: string | undefined): boolean {
  if (type === undefined) return false
  return type === 'application/json' || type.split(';', 1)[0]!.trim().toLowerCase() === 'application/json'
}

const NOT_JSON: Refused = {
  why: 'content-type',
  status: 415,
  error: 'the content type is not application/json; send the AdmissionReview as plain JSON with that content type',
}
const EMPTY: Refused = {
  why: 'empty',
  status: 400,
  error: 'the body is empty; send an AdmissionReview (admission.k8s.io/v1) as JSON',
}
const CROWDED: Refused = {
  why: 'in-flight-requests',
  status: 503,
  error: 'too many requests are being read at the moment; try again in a second',
  headers: { 'Retry-After': '1' },
}
const BUSY: Refused = {
  why: 'in-flight-bytes',
  status: 503,
  error: 'too many bytes are being read at the moment; try again in a second',
  headers: { 'Retry-After': '1' },
}

function tooLarge({ bodyBytes }: Limits): Refused {
  return {
    why: 'body-size',
    status: 413,
    error: `the body is larger than ${bodyBytes} bytes; no review of Kubernetes is, send a smaller one`,
  }
}
