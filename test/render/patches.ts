// Generated manifests in every layout that YAML has, and patches that fit them.
import fc from 'fast-check'
import jsonPatch from 'fast-json-patch'
import { Document, isCollection, isScalar, visit } from 'yaml'
import { asKubectlReads } from '../../src/api/scalars.ts'
import type { Operation } from '../../src/core/types.ts'

const KEYS = ['a', 'b/c', 'd~e', 'true', '80', ' x', '# y', '- z', 'ü', 'on', 'f: g', '', '~', 'null', '0x1']
const STRINGS = [
  '',
  'x',
  'on',
  'yes',
  '0644',
  '1_000',
  'a: b',
  '# c',
  ' lead',
  'trail ',
  'line\nbreak\n',
  'l\n\n\n',
  '\ttab',
  '{',
  '*a',
  'é"\'',
  '%d',
  '---',
]

const scalar = fc.oneof(fc.constantFrom(...STRINGS), fc.integer(), fc.boolean(), fc.constant(null))
export const { tree: values } = fc.letrec<{ tree: unknown }>(tie => ({
  tree: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    scalar,
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie('tree'), { maxKeys: 4 }),
  ),
}))
const strings = fc.dictionary(fc.constantFrom(...KEYS), fc.constantFrom(...STRINGS), { maxKeys: 4 })
export const manifests = fc.record({
  annotations: fc.option(strings, { nil: null }),
  labels: strings,
  spec: values,
  shared: values,
})

type Layout = { indent: number; indentSeq: boolean; crlf: boolean; flow: number; comments: number }
export const layouts: fc.Arbitrary<Layout> = fc.record({
  indent: fc.constantFrom(2, 4),
  indentSeq: fc.boolean(),
  crlf: fc.boolean(),
  flow: fc.nat(6),
  comments: fc.nat(5),
})

export function written({ annotations, labels, spec, shared }: Record<string, unknown>, how: Layout): string {
  const metadata = { name: 'one', labels, annotations }
  // One object in two places becomes an anchor and an alias.
  const reading = { merge: true, customTags: asKubectlReads }
  const document = new Document(
    {
      apiVersion: 'v1',
      kind: 'Thing',
      metadata,
      spec: { own: spec, a: shared, b: [shared] },
    },
    reading,
  )
  let count = 0
  visit(document, {
    Node: (place, node) => {
      count++
      if (how.flow > 1 && isCollection(node) && count > 8 && count % how.flow === 0) node.flow = true
      if (how.comments > 1 && isScalar(node) && place !== 'key' && count % how.comments === 0)
        node.comment = ` note ${count}`
    },
  })
  const text = document.toString({ lineWidth: 0, indent: how.indent, indentSeq: how.indentSeq })
  return how.crlf ? text.replaceAll('\n', '\r\n') : text
}

function pointer(steps: readonly (string | number)[]): string {
  return steps.map(step => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** A patch that fits: each pick chooses a place of what the ones before have made. */
export function patchOf(object: unknown, picks: readonly [number, unknown][]): Operation[] {
  let current = object
  return picks.flatMap(([pick, value]) => {
    const fits = operationsOn(current, [], value).filter(isValid)
    const chosen = fits[pick % fits.length]
    if (chosen === undefined) return []
    current = jsonPatch.applyPatch(current, [structuredClone(chosen) as jsonPatch.Operation], true, false).newDocument
    return [chosen]
  })
}

function operationsOn(node: unknown, steps: (string | number)[], value: unknown): Operation[] {
  if (typeof node !== 'object' || node === null) return []
  const children = Object.entries(node).flatMap(([key, child]): Operation[] => {
    const path = pointer([...steps, key])
    const here = (['add', 'replace'] as const).map(op => ({ op, path, value }))
    return [{ op: 'remove', path }, ...here, ...operationsOn(child, [...steps, key], value)]
  })
  return [{ op: 'add', path: pointer([...steps, Array.isArray(node) ? node.length : 'new/key']), value }, ...children]
}

/** What is read has a kind and a name, and labels and annotations that are maps of strings. */
function isValid(operation: Operation): boolean {
  const [, field, map, key, ...rest] = operation.path.split('/')
  if (map === undefined || rest.length > 0) return map !== undefined
  if (field !== 'metadata') return true
  if (map !== 'labels' && map !== 'annotations') return map !== 'name' && operation.op !== 'replace'
  if (operation.op === 'remove') return true
  return key !== undefined && typeof operation.value === 'string'
}
