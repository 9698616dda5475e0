// The documents to render: from files, folders and standard input, each with its text.
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Doc, type FileProblem, readDocuments } from '../api/documents.ts'
import { unusable } from '../core/thrown.ts'
import { filesIn } from '../facts/documents.ts'
import { type Source, sourcesOf } from './source.ts'

export type Input = {
  readonly sources: readonly Source[]
  readonly problems: readonly FileProblem[]
  /** Absolute paths of what was read. */
  readonly files: ReadonlySet<string>
}

export const STDIN = '<stdin>'

export async function readInput(paths: readonly string[], stdin: () => Promise<Uint8Array>): Promise<Input> {
  const files = new Set<string>()
  const sources: Source[] = []
  const problems: FileProblem[] = []
  for (const path of new Set(paths)) {
    try {
      for (const file of path === '-' ? [STDIN] : await filesOf(path)) {
        if (files.has(resolve(file))) continue
        files.add(resolve(file))
        const read = readText(await (file === STDIN ? stdin() : readFile(file)), file)
        sources.push(...read.sources)
        problems.push(...read.problems)
      }
    } catch (error) {
      problems.push(unreadable(error))
    }
  }
  return { sources, problems, files }
}

/** What the system refused to read, as a problem; anything else is thrown on. */
export function unreadable(error: unknown): FileProblem {
  const refused = unusable(error)
  if (refused === undefined) throw error
  return { file: refused.path, path: '', message: refused.why }
}

async function filesOf(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path]
  return filesIn(path)
}

function readText(bytes: Uint8Array, file: string): { sources: Source[]; problems: FileProblem[] } {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return { sources: [], problems: [{ file, path: '', message: 'is not text in UTF-8' }] }
  }
  const { documents, problems } = readDocuments(text, file)
  return { sources: problems.length > 0 ? [] : sourcesOf(text, documents), problems }
}

/** Kinds whose objects are in no namespace, among those that planning knows or that come first in the output. */
const CLUSTER_SCOPED: ReadonlySet<string> = new Set([
  'AuthExemption',
  'AuthTeam',
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
  'GatewayClass',
  'IngressClass',
  'Namespace',
  'PortcullisConfig',
])

/** The document as it will be stored: in the default namespace if it names none. Its text stays as it is. */
export function inNamespace({ doc, ...source }: Source, namespace: string): Source {
  const { object } = doc
  if (CLUSTER_SCOPED.has(object.kind) || object.metadata?.namespace) return { ...source, doc }
  const placed: Doc = { ...doc, object: { ...object, metadata: { ...object.metadata, namespace } } }
  return { ...source, doc: placed }
}
