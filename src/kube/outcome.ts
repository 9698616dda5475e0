// What an answer of the API server means for a write.
import { array, isObject, type JsonObject, object, string } from '../core/json.ts'
import { inWords } from '../core/thrown.ts'
import type { KubeObject } from '../core/types.ts'
import type { Reply } from './connection.ts'
import type { ObjectRef, Written } from './write.ts'

// Enough for what a CRD's rules say; a condition of a status holds 32 KiB.
const LONGEST_MESSAGE = 1000

/** In place of a message, where the server has none. */
export const UNFITTING = 'the patch does not fit the object'

type Status = { readonly reason: string; readonly message: string; readonly details: JsonObject }

export function outcomeOf(ref: ObjectRef, reply: Reply): Written {
  const { status } = reply
  if (status === 200 || status === 201 || status === 202) return readObject(ref, reply)
  const answer = readStatus(reply)
  // Whoever refuses a request chooses its status, even 404 and 429.
  if (/\bdenied (the )?request\b/.test(answer.message)) return refused(status, answer)
  switch (status) {
    case 403:
      return forbidden(reply, answer)
    case 404:
      return notFound(ref, answer)
    // A kind that is served, and not for this: it is another than the one that we know.
    case 405:
      return { outcome: 'absent' }
    case 409:
      return { outcome: answer.reason === 'AlreadyExists' ? 'exists' : 'conflict' }
    case 422:
      return refused(status, isUnfitting(answer) ? { ...answer, message: UNFITTING } : answer)
    // Tokens end, and are renewed in their file.
    case 401:
    case 408:
    case 429:
      return later(reply, answer)
    default:
      return status >= 500 ? serverError(reply, answer) : refused(status, answer)
  }
}

/** No answer. What went wrong is told by its message alone: an error may hold the request, and that a token. */
export function noAnswer(error: unknown): Written {
  return { outcome: 'later', message: printable(inWords(error)) }
}

function readObject({ apiVersion, kind, namespace, name }: ObjectRef, reply: Reply): Written {
  const document = parse(reply.body)
  const { managedFields: _, ...metadata } = object(document?.metadata)
  if (document?.kind === kind && typeof metadata.name === 'string') {
    return { outcome: 'done', object: { apiVersion, ...document, kind, metadata } }
  }
  // Of what is deleted at once, there is nothing left to show.
  if (document?.kind === 'Status' && document.status === 'Success') {
    const { uid } = object(document.details)
    return { outcome: 'done', object: { apiVersion, kind, metadata: { namespace, name, uid } } }
  }
  return { outcome: 'later', message: `${reply.status} with something that is no ${kind}` }
}

function forbidden(reply: Reply, answer: Status): Written {
  // An update of what is there is still allowed in such a namespace, so this is never said of one.
  const isGoing = array(answer.details.causes).some(each => object(each).reason === 'NamespaceTerminating')
  if (isGoing) return { outcome: 'nowhere' }
  if (/not allowed while custom resource definition is terminating/.test(answer.message)) return { outcome: 'absent' }
  // An admission plugin of a server that starts, and a quota that has not been counted yet.
  const isSoon = /not yet ready to handle request|status unknown for quota/.test(answer.message)
  return isSoon ? later(reply, answer) : refused(403, answer)
}

/** A kind that is not served is answered in words, or with a status that names nothing. */
function notFound({ kind, name }: ObjectRef, { reason, details }: Status): Written {
  if (reason !== 'NotFound') return { outcome: 'absent' }
  if (details.kind === 'namespaces' && kind !== 'Namespace') return { outcome: 'nowhere' }
  return { outcome: details.name === name ? 'gone' : 'absent' }
}

/**
 * A JSON Patch of which one operation cannot be done, a `test` or any other, is answered with this status and not a word
 * about which (Kubernetes 1.36); what a validation refuses is named.
 */
function isUnfitting({ reason, details }: Status): boolean {
  return reason === 'Invalid' && details.name === undefined && details.causes === undefined
}

function serverError(reply: Reply, answer: Status): Written {
  // A field that the schema lacks, in server-side apply: an error of the server's by its number only.
  const isOurs = /field not declared in schema|failed to create typed patch object/.test(answer.message)
  return isOurs ? refused(reply.status, answer) : later(reply, answer)
}

function later({ retryAfterMs }: Reply, { message }: Status): Written {
  return { outcome: 'later', message, ...(retryAfterMs === undefined ? {} : { afterMs: retryAfterMs }) }
}

function refused(status: number, { message }: Status): Written {
  return { outcome: 'refused', status, message }
}

/** What stands in between may answer too, and what it says is not shown: it may repeat the request, token and all. */
function readStatus({ status, body }: Reply): Status {
  const answer = parse(body)
  const said = answer?.kind === 'Status' ? string(answer.message) : undefined
  return {
    reason: said === undefined ? '' : (string(answer?.reason) ?? ''),
    message: said === undefined ? `${status} without a reason` : printable(said),
    details: object(answer?.details),
  }
}

function parse(text: string): (JsonObject & Partial<KubeObject>) | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? (value as JsonObject & Partial<KubeObject>) : undefined
  } catch {
    return undefined
  }
}

function printable(text: string): string {
  return (
    text
      // A strict decoder quotes the whole object before it says what is wrong with it.
      .replaceAll(/"(?:[^"\\]|\\.){100,}"/g, '"…"')
      .replaceAll(/\p{C}+/gu, ' ')
      .trim()
      .slice(0, LONGEST_MESSAGE)
  )
}
