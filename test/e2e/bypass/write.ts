// Writes what a row says, and says whether it was let in and still stands.
import { array, isObject, object } from '../../../src/core/json.ts'
import type { KubeObject } from '../../../src/core/types.ts'
import { type Api, pathOf, type Reply } from '../../integration/api.ts'
import { asUser } from './ground.ts'
import type { Step } from './way.ts'

/** An answer of admission, not of rights or schemas: those would be faults of the row. */
export function isRefusal({ status, message }: Reply): boolean {
  return (status === 403 || status === 429 || status >= 500) && !/cannot \w+ resource/.test(message)
}

const DONE: Reply = { status: 200, message: '', body: {} }

export function send(api: Api, step: Step): Promise<Reply> {
  const user = asUser(step.as)
  if (step.does === 'acts') return step.act().then(() => DONE)
  if (step.does === 'creates') return api.create(step.object, user)
  if (step.does === 'removes') return api.remove(step.object, user)
  return api.patch(step.object, step.to, user, step.subresource)
}

/** The reason's code, or the policy that speaks. */
export function refuser(message: string): string {
  const code = /\[([a-z-]+)\]/.exec(message)?.[1]
  const policy = /ValidatingAdmissionPolicy '([^']+)'/.exec(message)?.[1]
  const webhook = /failed calling webhook "([^"]+)"/.exec(message)?.[1]
  return code ?? policy ?? webhook ?? message
}

export async function standsAsWritten(api: Api, step: Step): Promise<boolean> {
  if (step.does === 'acts') return true
  const { status, body } = await api.send('GET', pathOf(step.object))
  if (step.does === 'removes') return status === 404
  if (status === 404) return false
  const { metadata, spec } = (step.does === 'creates' ? step.object : step.to) as Partial<KubeObject>
  const { labels, annotations, ownerReferences } = object(metadata)
  const has = object(body.metadata)
  return (
    contains(has.labels, labels) &&
    contains(has.annotations, annotations) &&
    contains(has.ownerReferences, ownerReferences) &&
    contains(body.spec, spec)
  )
}

/** null: is not there. Whatever else is there, such as defaults, does not count. */
function contains(has: unknown, wanted: unknown): boolean {
  if (wanted === undefined) return true
  if (wanted === null) return has === undefined
  if (Array.isArray(wanted)) {
    return array(has).length === wanted.length && wanted.every((each, index) => contains(array(has)[index], each))
  }
  if (isObject(wanted)) return Object.entries(wanted).every(([key, value]) => contains(object(has)[key], value))
  return has === wanted
}
