// One YAML document, read as kubectl reads it and written as people write manifests.
import { Document, parseDocument } from 'yaml'
import { asKubectlReads } from '../api/scalars.ts'

const { schema } = new Document(null, {
  merge: true,
  customTags: asKubectlReads,
  // Strings that older YAML takes for something else, such as 1_000, are written in quotes.
  compat: 'yaml-1.1',
})

const READING = { schema, intAsBigInt: true, prettyErrors: false } as const

/** The text has been read before: what is wrong with it is a fault. */
export function parse(text: string): Document.Parsed {
  const document = parseDocument(text, READING)
  const [error] = document.errors
  if (error !== undefined) throw error
  return document
}

export function yamlOf(value: unknown): string {
  return new Document(value, { schema, aliasDuplicateObjects: false }).toString({ lineWidth: 0, indentSeq: false })
}
