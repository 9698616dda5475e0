import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import jsonPatch from 'fast-json-patch'
import { readDocuments } from '../../src/api/documents.ts'
import type { Operation } from '../../src/core/types.ts'
import { edit } from '../../src/render/edit.ts'
import { runs } from '../property/arbitrary.ts'
import { layouts, manifests, patchOf, values, written } from './patches.ts'

const add = (path: string, value: unknown): Operation => ({ op: 'add', path, value })
const replace = (path: string, value: unknown): Operation => ({ op: 'replace', path, value })
const remove = (path: string): Operation => ({ op: 'remove', path })

const A = '/metadata/annotations'
const FILTER = { type: 'ExtensionRef', extensionRef: { group: 'traefik.io', kind: 'Middleware', name: 'm1' } }

function read(text: string): unknown {
  const { documents, problems } = readDocuments(text, 'text')
  expect(problems).toEqual([])
  expect(documents).toHaveLength(1)
  return documents[0]?.object
}

/** The edited text, which has to say what a JSON Patch of the plain object gives. */
function edited(text: string, patch: readonly Operation[]): string {
  const result = edit(text, patch)
  // It puts the values themselves in, and would change them.
  const copies = patch.map(operation => structuredClone(operation) as jsonPatch.Operation)
  expect(read(result)).toEqual(jsonPatch.applyPatch(read(text), copies, true, false).newDocument)
  return result
}

function head(rest: string, tail = 'spec: {}\n'): string {
  return `apiVersion: v1\nkind: Thing\nmetadata:\n  name: one\n${rest}${tail}`
}

describe('an edited manifest', () => {
  test('has its new annotations at the end of those that were there, and nothing else is touched', () => {
    const text = head(`  annotations:   # ours and theirs
    a.b/c: 'x'      # aligned
    d:    "y"
  labels: {p:   q}

# the rest
`)
    expect(edited(text, [add(`${A}/e~1f`, 'z'), replace(`${A}/d`, 'w')])).toBe(
      text.replace('    d:    "y"\n', '    d: "w"\n    e/f: z\n'),
    )
  })

  test('gets annotations where there are none, null or an empty map', () => {
    const value = { 'a/b': 'true', c: 'plain text' }
    const written = "  annotations:\n    a/b: 'true'\n    c: plain text\n".replaceAll("'", '"')
    expect(edited(head(''), [add(A, value)])).toBe(head(written))
    for (const nothing of ['', ' null', ' ~']) {
      expect(edited(head(`  annotations:${nothing}\n`), [add(A, value)])).toBe(head(written))
    }
    expect(edited(head('  annotations: {}\n'), [add(`${A}/c`, 'd')])).toBe(head('  annotations:\n    c: d\n'))
  })

  test('keeps the comment of a null that annotations take the place of', () => {
    expect(edited(head('  annotations: null # none yet\n'), [add(A, { a: 'b' })])).toContain('# none yet')
  })

  test('loses annotations that are removed, with all of them the field', () => {
    const text = head('  annotations:\n    a: b\n    # about c\n    c: d\n')
    expect(edited(text, [remove(`${A}/a`)])).toBe(head('  annotations:\n    # about c\n    c: d\n'))
    expect(edited(text, [remove(A)])).toBe(head(''))
  })

  test('gets a filter in the layout of its lists', () => {
    const rules = (filters: string) =>
      head('', `spec:\n  rules:\n  - backendRefs:\n    - name: a # b\n      port: 80\n${filters}`)
    const expected =
      '    filters:\n    - type: ExtensionRef\n      extensionRef:\n        group: traefik.io\n        kind: Middleware\n        name: m1\n'
    expect(edited(rules(''), [add('/spec/rules/0/filters', [FILTER])])).toBe(rules(expected))
    expect(edited(rules('    filters: []\n'), [add('/spec/rules/0/filters/0', FILTER)])).toBe(rules(expected))
    expect(edited(rules(expected), [remove('/spec/rules/0/filters/0')])).toBe(rules('    filters: []\n'))
    const wide = rules('')
      .replaceAll(/^( {2,})- /gm, '$1  - ')
      .replace('      port', '        port')
    expect(edited(wide, [add('/spec/rules/0/filters', [FILTER])])).toContain('\n      filters:\n        - type:')
  })

  test('stays in flow style where it was', () => {
    const text = 'apiVersion: v1\nkind: Thing\nmetadata: {name: one, annotations: {a: b}}   # c\n'
    expect(edited(text, [add(`${A}/c`, 'd')])).toMatch(/^metadata: \{name: one, annotations: \{a: b, c: d\}\} +# c$/m)
    expect(edited(`{apiVersion: v1, kind: Thing, metadata: {name: one}}\n`, [add(A, { c: 'd' })])).toBe(
      '{apiVersion: v1, kind: Thing, metadata: {name: one, annotations: {c: d}}}\n',
    )
  })

  test('stays JSON where it was, with its indentation, order and numbers', () => {
    const text =
      '{\n    "kind": "Thing",\n    "apiVersion": "v1",\n    "metadata": {\n        "name": "one"\n    },\n    "n": 9007199254740993\n}\n'
    const result = edited(text, [add(A, { '80': 'a "b"' })])
    expect(result).toBe(
      text.replace('"one"\n', '"one",\n        "annotations": {\n            "80": "a \\"b\\""\n        }\n'),
    )
    expect(JSON.parse(result)).toBeDefined()
    expect(edited('{"kind":"Thing","apiVersion":"v1","metadata":{"name":"one"}}', [add(A, { a: 'b' })])).toBe(
      '{"kind":"Thing","apiVersion":"v1","metadata":{"name":"one","annotations":{"a":"b"}}}\n',
    )
  })

  test('keeps its line breaks of Windows', () => {
    const text = head('  annotations:\n    a: |\n      x\n      y\n')
    const windows = (unix: string) => unix.replaceAll('\n', '\r\n')
    expect(edited(windows(text), [add(`${A}/c`, 'd')])).toBe(windows(text.replace('      y\n', '      y\n    c: d\n')))
  })

  test('keeps whole numbers that JavaScript would round, and scalars as they were written', () => {
    const text = head('', 'spec:\n  big: 12345678901234567890\n  mode: 0644\n  on: off\n  hex: 0x1F\n  e: 1e3\n')
    expect(edit(text, [add('/spec/x', 'y')])).toBe(`${text}  x: "y"\n`)
  })

  test('quotes what other readers of YAML would take for something else than a string', () => {
    const values = ['1_000', 'on', 'y', '0644', '12:30:45', '1e5', 'null', '0b1', '-', '']
    const result = edit(head(''), [add(A, Object.fromEntries(values.map((value, i) => [`k${i}`, value])))])
    for (const [i] of values.entries()) expect(result).toMatch(new RegExp(`k${i}: ["']`))
  })

  test('is the text it was if there is nothing to change', () => {
    expect(edit('# x\n  odd:    text', [])).toBe('# x\n  odd:    text')
  })
})

describe('a change in a place that others share by alias', () => {
  test('does not reach the others, whichever side of the alias it is on', () => {
    const text = head('  labels: &l\n    a: b # kept\n  annotations: *l\n')
    const own = edited(text, [add(`${A}/c`, 'd')])
    expect(own).toContain('annotations:\n    a: b # kept\n    c: d\n')
    expect(own).toContain('labels: &l\n    a: b # kept\n  ann')
    const other = edited(text, [add('/metadata/labels/c', 'd')])
    expect(other).toContain('annotations:\n    a: b # kept\n')
    expect(other).not.toMatch(/[&*]l/)
  })

  test('resolves nothing but what it goes through', () => {
    const text = head('  labels: {a: &v b}\n  annotations: {a: *v}\n', 'spec: {a: &s {x: y}, b: *s}\n')
    expect(edited(text, [add(`${A}/c`, 'd')])).toBe(text.replace('{a: *v}', '{a: *v, c: d}'))
  })

  test('works in lists, in keys, and where an anchor is nested in another or used again', () => {
    const rules = head(
      '',
      'spec:\n  rules:\n  - &r\n    filters: &f [&x {a: b}]\n  - *r\n  - filters: *f\n  - filters: [*x]\n',
    )
    for (const rule of [0, 1, 2, 3]) edited(rules, [add(`/spec/rules/${rule}/filters/0`, FILTER)])
    edited(rules, [remove('/spec/rules/0/filters/0'), remove('/spec/rules/0/filters')])
    edited(rules, [remove('/spec/rules/0')])
    edited(rules, [replace('/spec/rules/0/filters', [])])
    const again = head('', 'spec: {a: &a 1, b: &b [*a], c: &a 2, d: *b, e: [*a]}\n')
    edited(again, [add('/spec/d/0', 0)])
    edited(again, [remove('/spec/b')])
    edited(head('  labels: {&k a: b}\n  annotations: {*k : c}\n'), [replace(`${A}/a`, 'd')])
  })

  test('works where fields come from another map by a merge key', () => {
    const text = head('  labels: &l {a: b, e: m}\n  annotations:\n    <<: *l\n    e: o\n')
    expect(edited(text, [add(`${A}/c`, 'd')])).toBe(text.replace('e: o\n', 'e: o\n    c: d\n'))
    edited(text, [replace(`${A}/a`, 'x')])
    edited(text, [remove(`${A}/a`)])
    edited(text, [remove(`${A}/e`)])
    edited(text, [add('/metadata/labels/z', 'y')])
    const nested = head(
      '',
      'spec:\n  one: &x {p: {q: r}}\n  two: &y {<<: *x, s: t}\n  three: {<<: [*y, {u: v}], w: w}\n',
    )
    for (const map of ['one', 'two', 'three']) {
      edited(nested, [add(`/spec/${map}/p/new`, 1)])
      edited(nested, [remove(`/spec/${map}/p/q`)])
      edited(nested, [remove(`/spec/${map}/p`)])
    }
  })
})

/** Comments of a generated manifest. */
const NOTE = /# note \d+/g

test('whatever the layout and the patch, an edited manifest says what a JSON Patch of its object gives, and keeps its comments', () => {
  fc.assert(
    fc.property(
      manifests,
      layouts,
      fc.array(fc.tuple(fc.nat(), values), { minLength: 1, maxLength: 4 }),
      (parts, how, picks) => {
        const text = written(parts, how)
        const patch = patchOf(read(text), picks)
        const notes = new Set(edited(text, patch).match(NOTE))
        // What is copied from behind an alias has its comments with it.
        if (patch.every(({ path }) => path.endsWith('/new~1key'))) expect(notes).toEqual(new Set(text.match(NOTE)))
      },
    ),
    runs(100),
  )
})
