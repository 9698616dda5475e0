// The text of each document of a file as it was written, without the markers that separate it from the others.
import { isDeepStrictEqual } from 'node:util'
import { isCollection, isMap, isSeq, type Node } from 'yaml'
import { type Doc, readDocuments } from '../api/documents.ts'
import { yamlOf } from './yaml.ts'

export type Source = {
  readonly doc: Doc
  readonly text: string
  /** Of the file, on which the text starts. */
  readonly line: number
}

/** `documents`: everything that was read from `text`. */
export function sourcesOf(text: string, documents: readonly Doc[]): Source[] {
  let start = 0
  let last = 0
  return documents.map((doc, index) => {
    if (doc.yaml !== documents[index - 1]?.yaml) {
      start = last
      last = doc.yaml.range[2]
    }
    return doc.item === undefined ? document(text, doc, start) : entry(text, doc, doc.item)
  })
}

function document(text: string, doc: Doc, start: number): Source {
  const from = doc.yaml.contents?.range[0] ?? start
  const head = text
    .slice(start, from)
    .replace(/^\.\.\..*\r?\n?/gm, '')
    .replace(/^%.*\r?\n/gm, '')
    .replace(/^---(?:[^\S\n]*\r?\n|[^\S\n]+|$)/gm, '')
  const body = text.slice(from, doc.yaml.range[2]).replace(/^\.\.\..*\r?\n?/gm, '')
  const before = head.split('\n').length - 1
  return { doc, text: ended(head + body), line: doc.line - before }
}

/** An entry of a `kind: List`, with its indentation taken off; if it does not stand by itself, written anew. */
function entry(text: string, doc: Doc, item: number): Source {
  const items = isMap(doc.yaml.contents) ? doc.yaml.contents.get('items') : undefined
  const node = isSeq(items) ? (items.items[item] as Node) : undefined
  const before = isSeq(items) && item > 0 ? (items.items[item - 1] as Node).range?.[1] : undefined
  const alone = node === undefined ? undefined : standingAlone(text, node, before)
  if (alone !== undefined && isDeepStrictEqual(readAlone(alone), doc.object)) {
    return { doc, text: alone, line: doc.line - linesBefore(alone) }
  }
  // Aliases to other entries: comments are lost here, values and numbers of any size are not.
  const list = doc.yaml.toJS({ mapAsMap: true }) as Map<string, unknown[]>
  return { doc, text: yamlOf(list.get('items')?.[item]), line: doc.line }
}

function standingAlone(text: string, node: Node, before: number | undefined): string | undefined {
  if (!isCollection(node) || !node.range) return undefined
  const [from, valueEnd, end] = node.range
  const column = from - text.lastIndexOf('\n', from - 1) - 1
  const comments = before === undefined ? [] : (text.slice(before, from).match(/^[^\S\n]*#.*\n/gm) ?? [])
  const body = text.slice(from, node.flow ? valueEnd : end).replaceAll(new RegExp(`\\n {0,${column}}`, 'g'), '\n')
  return ended(comments.map(line => line.trimStart()).join('') + body)
}

function linesBefore(text: string): number {
  return /^(?:#.*\n)*/.exec(text)![0].split('\n').length - 1
}

function readAlone(text: string): unknown {
  const { documents, problems } = readDocuments(text, '')
  return problems.length === 0 && documents.length === 1 ? documents[0]?.object : undefined
}

function ended(text: string): string {
  return text.endsWith('\n') || text === '' ? text : `${text}\n`
}
