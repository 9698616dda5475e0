// What is said about a document on standard error: file, line, object and the sentence, in one line each.
import type { FileProblem } from '../api/documents.ts'
import { inFile } from '../api/documents.ts'
import { INJECTED, PROTECT } from '../core/keys.ts'
import { sentence } from '../core/reasons.ts'
import { routeKind } from '../core/route.ts'
import { saysOpen } from '../core/team.ts'
import type { KubeObject } from '../core/types.ts'
import type { Remark } from './render.ts'
import type { Source } from './source.ts'

export function remarkLine({ source, reason }: Remark, word: 'refused' | 'warning'): string {
  const { doc } = source
  const line = reason.field === undefined ? doc.line : doc.lineOf(quoted(reason.field))
  return `${doc.file}:${line}: ${nameOf(doc.object)}: ${word}: ${sentence(reason)}`
}

export function nameOf({ kind, metadata }: KubeObject): string {
  const { namespace, name = '(no name yet)' } = metadata
  const text = namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`
  return text.replaceAll(/\p{C}/gu, '?')
}

/** Reasons name a key as it is, `metadata.labels[a.b/c]`; field paths have it in quotes. */
function quoted(field: string): string {
  return field.replaceAll(/\[([^\]"]*[^\]"0-9][^\]"]*)\]/g, (_, key: string) => `[${JSON.stringify(key)}]`)
}

/** Routes that nothing could be made for: of two with one name it is not clear which stays, and without one there is none. */
export function unclear(sources: readonly Source[]): FileProblem[] {
  const known = new Map<string, Source>()
  return sources.flatMap(source => {
    const { object } = source.doc
    if (routeKind(object) === undefined) return []
    const { name, labels, annotations } = object.metadata as KubeObject['metadata'] & Maps
    if (name === undefined) {
      if (saysOpen(labels?.[PROTECT]) && annotations?.[INJECTED] === undefined) return []
      return [inFile(source.doc, { path: 'metadata.name', message: 'must be given: kubectl apply needs it too' })]
    }
    const first = known.get(nameOf(object))
    if (first === undefined) known.set(nameOf(object), source)
    if (first === undefined) return []
    const message = `is the second ${nameOf(object)}; ${first.doc.file}:${first.doc.line} has the first`
    return [inFile(source.doc, { path: 'metadata.name', message })]
  })
}

type Maps = { readonly labels?: Labels | null; readonly annotations?: Labels | null }
type Labels = Readonly<Record<string, string>>
