// What is wrong with a document, as field paths and sentences that say what to do.
import * as z from 'zod'
import { closest } from './closest.ts'
import { type FieldPath, fieldPath } from './field-path.ts'

export type Problem = {
  /** Such as `spec.access[1].name`; empty for the whole document. */
  readonly path: string
  readonly message: string
}

export type Parsed<T> = { readonly value: T } | { readonly problems: readonly Problem[] }

type Issue = z.core.$ZodIssue & { readonly input?: unknown }
type Node = z.core.JSONSchema.JSONSchema

/** Every problem at once. A message of the schema's own wins, for the rest `sentence` makes one. */
export function check<S extends z.ZodType>(schema: S, document: unknown): Parsed<z.output<S>> {
  const result = schema.safeParse(document, { error: () => '', reportInput: true })
  if (result.success) return { value: result.data }
  const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return { problems: result.error.issues.flatMap(issue => problems(issue, root)) }
}

function problems(issue: Issue, root: Node): Problem[] {
  const path = issue.path as FieldPath
  if (issue.code !== 'unrecognized_keys') {
    return [{ path: fieldPath(path), message: issue.message || sentence(issue, nodes(root, path)) }]
  }
  const known = fields(nodes(root, path))
  return issue.keys.map(key => ({ path: fieldPath([...path, key]), message: unknown(key, known) }))
}

function unknown(key: string, known: readonly string[]): string {
  const meant = closest(key, known)
  if (meant !== undefined) return `is not a field; did you mean ${meant}?`
  return `is not a field; take it out (the fields here are ${known.join(', ')})`
}

function sentence(issue: Issue, found: readonly Node[]): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? missing(found) : `must be ${NAMES[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return oneOf(issue.values)
    case 'invalid_union':
      return oneOf('options' in issue && Array.isArray(issue.options) ? issue.options : [])
    case 'too_small':
      return bound(issue.origin, 'at least', Number(issue.minimum))
    case 'too_big':
      return bound(issue.origin, 'at most', Number(issue.maximum))
    default:
      return 'is not valid'
  }
}

function oneOf(values: readonly unknown[]): string {
  return `must be ${values.length === 1 ? '' : 'one of '}${values.map(String).join(', ')}`
}

function missing(found: readonly Node[]): string {
  const description = found.find(node => node.description !== undefined)?.description
  return description === undefined ? 'must be given' : `must be given: ${description.split(/\.\s/)[0]}`
}

function bound(origin: string, side: string, limit: number): string {
  if (origin === 'array') return `must have ${side} ${limit} ${limit === 1 ? 'entry' : 'entries'}`
  if (origin === 'string') return `must have ${side} ${limit} ${limit === 1 ? 'character' : 'characters'}`
  return `must be ${side} ${limit}`
}

const NAMES: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'a map of fields',
  string: 'a string (put it in quotes if it looks like a number or true)',
}

/** The places of a JSON Schema that a path leads to; several where alternatives are open. */
function nodes(root: Node, path: FieldPath): Node[] {
  let found: Node[] = alternatives(root)
  for (const step of path) found = found.flatMap(node => alternatives(child(node, step)))
  return found
}

function alternatives(node: unknown): Node[] {
  if (typeof node !== 'object' || node === null) return []
  const { anyOf = [], oneOf = [] } = node as Node
  return [node as Node, ...[...anyOf, ...oneOf].flatMap(alternatives)]
}

function child(node: Node, step: string | number): unknown {
  if (typeof step === 'number') return node.items
  const properties = node.properties ?? {}
  return Object.hasOwn(properties, step) ? properties[step] : node.additionalProperties
}

function fields(found: readonly Node[]): string[] {
  return [...new Set(found.flatMap(node => Object.keys(node.properties ?? {})))]
}
