// One write of a companion: what makes it as it has to be, or takes it away.
import { identity } from '../../core/companions.ts'
import { string, strings } from '../../core/json.ts'
import { SINCE } from '../../core/keys.ts'
import type { Companion, KubeObject, Operation } from '../../core/types.ts'
import type { OwnedObjects } from '../owned.ts'
import { differs } from './differs.ts'

export type Step =
  /** Server-side apply: made, or our fields set. */
  | { readonly do: 'apply'; readonly object: KubeObject; readonly guards: boolean }
  /** The whole spec, because it has fields of somebody else's, and only in the version in which they were seen. */
  | {
      readonly do: 'replace'
      readonly object: KubeObject
      readonly guards: boolean
      readonly version: string
      readonly operations: readonly Operation[]
    }
  /** Of the stored object, by its uid. */
  | { readonly do: 'remove'; readonly object: KubeObject }

/** What makes a companion as it has to be; nothing for one that is being deleted, which is made again afterwards. */
export function settle({ object: wanted, guards }: Companion, owned: OwnedObjects, now: number): Step[] {
  const stored = owned.get(identity(wanted))
  const difference = stored?.metadata.deletionTimestamp === undefined ? differs(stored, wanted) : undefined
  if (difference === undefined) return []
  const said = strings(stored?.metadata.annotations)[SINCE]
  // Of one that is made now, the API server keeps the time itself.
  const since = difference === 'missing' ? undefined : difference === 'metadata' ? said : new Date(now).toISOString()
  const object = since === undefined ? wanted : annotated(wanted, { [SINCE]: since })
  if (difference !== 'foreign' || stored === undefined) return [{ do: 'apply', object, guards }]
  const annotations = { ...strings(stored.metadata.annotations), ...strings(object.metadata.annotations) }
  const operations: Operation[] = [
    { op: 'add', path: '/spec', value: object.spec },
    { op: 'add', path: '/metadata/annotations', value: annotations },
  ]
  return [{ do: 'replace', object, guards, version: string(stored.metadata.resourceVersion) ?? '', operations }]
}

function annotated(object: KubeObject, annotations: { [key: string]: string }): KubeObject {
  const { metadata } = object
  return { ...object, metadata: { ...metadata, annotations: { ...strings(metadata.annotations), ...annotations } } }
}

export function remove(object: KubeObject): Step[] {
  return object.metadata.deletionTimestamp === undefined ? [{ do: 'remove', object }] : []
}
