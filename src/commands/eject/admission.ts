// What of Portcullis the API server asks or runs at admission: found by its label, and taken out.
import { string, strings } from '../../core/json.ts'
import type { KubeObject } from '../../core/types.ts'
import type { Connection } from '../../kube/connection.ts'
import { listPath, refOf } from '../../kube/kinds.ts'
import { listAll } from '../../kube/list.ts'
import type { Writer } from '../../kube/write.ts'
import { until } from './attempts.ts'

/** Every object of the manifests has it. */
const LABEL = { key: 'app.kubernetes.io/name', value: 'portcullis' }
/** Bindings first: one whose parameter is gone refuses. */
const KINDS = [
  'ValidatingAdmissionPolicyBinding',
  'ValidatingAdmissionPolicy',
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
]

/** In the order in which they go; or why that can't be known. */
export async function admissionObjects(connection: Connection): Promise<readonly KubeObject[] | { problem: string }> {
  const found: KubeObject[] = []
  for (const kind of KINDS) {
    const listed = await listAll(connection, listPath(kind), each => {
      if (strings(each.metadata.labels)[LABEL.key] === LABEL.value) found.push(each)
    })
    if (listed.outcome === 'failed') return { problem: `cannot list ${kind}: ${listed.message}` }
  }
  return found
}

/** Why it is still there; undefined: it is out. */
export async function takeOut(document: KubeObject, writer: Writer): Promise<string | undefined> {
  return until(async () => {
    const removed = await writer.remove(refOf(document), string(document.metadata.uid) ?? '')
    switch (removed.outcome) {
      case 'later':
        return { again: removed.message, afterMs: removed.afterMs }
      case 'refused':
        return { problem: removed.message }
      case 'conflict':
        return { problem: 'somebody put it back' }
      default:
        return {}
    }
  })
}
