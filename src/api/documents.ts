// YAML text to Kubernetes objects: every document that can be read, and what is wrong with the others.
import { type Document, LineCounter, type ParsedNode, parseAllDocuments, type YAMLError } from 'yaml'
import { type FieldPath, fieldPath, steps } from './field-path.ts'
import { lineOf } from './lines.ts'
import type { Problem } from './problems.ts'
import { asKubectlReads } from './scalars.ts'
import { type KubeDocument, wrongShape } from './shape.ts'

export type Doc = {
  readonly file: string
  /** Of the document in its file, from 0. */
  readonly index: number
  /** Of the entry in a `kind: List`, from 0; `yaml` is the whole list. */
  readonly item?: number
  readonly line: number
  /** As it was written, for edits that keep comments. Whole numbers in it are BigInts, so that none is rounded. */
  readonly yaml: Document.Parsed
  readonly object: KubeDocument
  /** The line of a field of `object`, or of the closest that is there. */
  lineOf(path: string): number
}

export type FileProblem = Problem & { readonly file: string; readonly line?: number }

type Read = { documents: Doc[]; problems: FileProblem[] }

export function readDocuments(text: string, file: string): Read {
  const lines = new LineCounter()
  const parsed = parseAllDocuments<ParsedNode>(text, {
    lineCounter: lines,
    prettyErrors: false,
    intAsBigInt: true,
    merge: true,
    customTags: asKubectlReads,
  })
  const read = [...parsed].map((yaml, index) => readOne({ text, file, index, yaml, lines }))
  return { documents: read.flatMap(one => one.documents), problems: read.flatMap(one => one.problems) }
}

/** A problem that a document's reader found, with where it is in the file. */
export function inFile(doc: Doc, { path, message }: Problem): FileProblem {
  return { file: doc.file, line: doc.lineOf(path), path: fieldPath([...prefix(doc.item), ...steps(path)]), message }
}

type Source = { text: string; file: string; index: number; yaml: Document.Parsed; lines: LineCounter }

function readOne(source: Source): Read {
  const { file, yaml, lines } = source
  const at = (path: FieldPath) => lineOf(yaml, path, lines)
  if (yaml.errors.length > 0) return { documents: [], problems: syntax(source) }
  let value: unknown
  try {
    value = yaml.toJS({ maxAliasCount: MAX_ALIASES, reviver: (_, found) => withoutBigInt(found) })
  } catch (error) {
    return { documents: [], problems: [{ file, line: at([]), path: '', message: aliasProblem(error) }] }
  }
  const read: Read = { documents: [], problems: [] }
  for (const { item, object } of entries(value)) {
    const wrong = wrongShape(object)
    for (const { path, message } of wrong) {
      const whole = [...prefix(item), ...path]
      read.problems.push({ file, line: at(whole), path: fieldPath(whole), message })
    }
    if (wrong.length === 0) read.documents.push(doc(source, item, object as KubeDocument))
  }
  return read
}

function doc({ file, index, yaml, lines }: Source, item: number | undefined, object: KubeDocument): Doc {
  const line = (path: FieldPath) => lineOf(yaml, [...prefix(item), ...path], lines)
  return {
    file,
    index,
    ...(item === undefined ? {} : { item }),
    line: line([]),
    yaml,
    object,
    lineOf: path => line(steps(path)),
  }
}

function prefix(item: number | undefined): FieldPath {
  return item === undefined ? [] : ['items', item]
}

/** The objects of a document: one, those of a list, or none. */
function entries(value: unknown): { item?: number; object: unknown }[] {
  if (value === undefined || value === null) return []
  if (typeof value === 'object' && 'kind' in value && value.kind === 'List' && 'items' in value) {
    if (Array.isArray(value.items)) return value.items.map((object, item) => ({ item, object }))
  }
  return [{ object: value }]
}

function syntax({ text, file, yaml, lines }: Source): FileProblem[] {
  // What fails at one depth fails again on every level above it.
  const deep = yaml.errors.find(({ code }) => code === 'RESOURCE_EXHAUSTION')
  const errors = deep === undefined ? yaml.errors.slice(0, MAX_SYNTAX_PROBLEMS) : [deep]
  return errors.map(error => {
    const { line, col } = lines.linePos(error.pos[0])
    return { file, line, path: '', message: `${syntaxProblem(error, text)} (column ${col})` }
  })
}

function syntaxProblem(error: YAMLError, text: string): string {
  if (error.code === 'RESOURCE_EXHAUSTION') return 'is nested too deeply'
  if (error.code !== 'DUPLICATE_KEY') return `is not valid YAML: ${oneLine(error.message)}`
  const key = /^("[^"\n]*"|'[^'\n]*'|[^\s:,{}]+)/.exec(text.slice(error.pos[0], error.pos[0] + 100))?.[0]
  return `has the key ${oneLine(key ?? '')} twice; take one out`
}

function aliasProblem(error: unknown): string {
  if (!(error instanceof Error)) throw error
  if (error instanceof RangeError) return 'has an alias inside of what it stands for, or is nested too deeply'
  return `is not valid YAML: ${oneLine(error.message)}`
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{C}\p{Z}]+/gu, ' ').trim()
}

function withoutBigInt(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}

const MAX_ALIASES = 100
const MAX_SYNTAX_PROBLEMS = 10
