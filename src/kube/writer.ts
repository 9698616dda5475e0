// Single objects read and written, each in one request that does nothing the second time.
import { MANAGER } from '../core/keys.ts'
import type { Connection } from './connection.ts'
import { collectionPath, objectPath, refOf } from './kinds.ts'
import { noAnswer, outcomeOf, UNFITTING } from './outcome.ts'
import type { ObjectRef, Writer, Written } from './write.ts'

export type WriterOptions = {
  /** For each request; the API server is asked to give up a write after that long too. */
  readonly timeoutMs?: number
  /** Ends what is under way, and lets nothing begin any more. */
  readonly signal?: AbortSignal
  /** Asked before every write: whether this process may still. */
  readonly mayWrite?: () => boolean
}

type Request = {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly content?: unknown
  readonly contentType?: string
}

// As long as an admission webhook may take that says nothing about it.
const TIMEOUT_MS = 10_000
// What the kind's schema lacks would be dropped silently otherwise.
const OURS = `fieldManager=${MANAGER}&fieldValidation=Strict`

export function createWriter(connection: Connection, options: WriterOptions = {}): Writer {
  const { timeoutMs = TIMEOUT_MS, signal, mayWrite = () => true } = options
  const send = async (ref: ObjectRef, request: Request): Promise<Written> => {
    const { method, path, content, ...rest } = request
    if (signal?.aborted || (method !== 'GET' && !mayWrite())) return { outcome: 'later', message: 'told to stop' }
    const body = content === undefined ? {} : { body: JSON.stringify(content) }
    const ended = signal === undefined ? {} : { signal }
    try {
      return outcomeOf(ref, await connection.request({ method, path, ...body, ...rest, ...ended, timeoutMs }))
    } catch (error) {
      return noAnswer(error)
    }
  }
  const limit = `timeout=${Math.ceil(timeoutMs / 1000)}s`
  const get = (ref: ObjectRef) => send(ref, { method: 'GET', path: objectPath(ref) })
  /** The operations were made for that version: if it is still that one, they are wrong; trying again is no use. */
  const judge = async (ref: ObjectRef, version: string): Promise<Written> => {
    const now = await get(ref)
    if (now.outcome !== 'done') return now
    const isSame = now.object.metadata.resourceVersion === version
    return isSame ? { outcome: 'refused', status: 422, message: UNFITTING } : { outcome: 'conflict' }
  }
  return {
    get,
    apply(object) {
      const ref = refOf(object)
      const path = `${objectPath(ref)}?${OURS}&force=true&${limit}`
      return send(ref, { method: 'PATCH', path, content: object, contentType: 'application/apply-patch+yaml' })
    },
    async patch(ref, version, operations, subresource) {
      const under = subresource === undefined ? '' : `/${subresource}`
      const path = `${objectPath(ref)}${under}?${OURS}&${limit}`
      const content = [{ op: 'test', path: '/metadata/resourceVersion', value: version }, ...operations]
      const written = await send(ref, { method: 'PATCH', path, content, contentType: 'application/json-patch+json' })
      const fits = written.outcome !== 'refused' || written.message !== UNFITTING
      if (fits) return written
      // Who may write a status need not be one who may read the object.
      return subresource === undefined ? judge(ref, version) : { outcome: 'conflict' }
    },
    create(object) {
      const ref = refOf(object)
      return send(ref, { method: 'POST', path: `${collectionPath(ref)}?${OURS}&${limit}`, content: object })
    },
    remove(ref, uid, version) {
      const preconditions = version === undefined ? { uid } : { uid, resourceVersion: version }
      const content = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions, propagationPolicy: 'Background' }
      return send(ref, { method: 'DELETE', path: `${objectPath(ref)}?${limit}`, content })
    },
  }
}
