// Files as people write them: what is read from them, and where a problem stands.
import { describe, expect, test } from '@jest/globals'
import { inFile, readDocuments } from '../../src/api/documents.ts'

const problems = (text: string) => readDocuments(text, 'a.yaml').problems
const object = (fields = '') => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n${fields}`

describe('documents in a file', () => {
  test('are read one by one, with the line on which each starts; empty ones are none', () => {
    const { documents, problems } = readDocuments(`# first\n${object()}---\n---\n# nothing\n---\n${object()}`, 'a.yaml')
    expect(documents.map(({ file, index, line }) => ({ file, index, line }))).toEqual([
      { file: 'a.yaml', index: 0, line: 2 },
      { file: 'a.yaml', index: 3, line: 9 },
    ])
    expect(problems).toEqual([])
    expect(readDocuments('', 'a.yaml')).toEqual({ documents: [], problems: [] })
  })

  test('may be a List, whose entries are documents of their own', () => {
    const list = `kind: List\napiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata:\n    name: a\n- 5\n`
    const { documents, problems } = readDocuments(list, 'a.yaml')
    expect(documents).toMatchObject([{ index: 0, item: 0, line: 4, object: { kind: 'Secret' } }])
    expect(problems).toEqual([{ file: 'a.yaml', line: 8, path: 'items[1]', message: expect.any(String) }])
    expect(inFile(documents[0]!, { path: 'metadata.name', message: 'is odd' })).toEqual({
      file: 'a.yaml',
      line: 7,
      path: 'items[0].metadata.name',
      message: 'is odd',
    })
  })

  test('say on which line a field stands, or the closest one above it', () => {
    const [document] = readDocuments(object('data:\n  a/b: [1,\n    2]\n'), 'a.yaml').documents
    const lines = ['data', 'data["a/b"][1]', 'data.missing', 'spec', ''].map(path => document?.lineOf(path))
    expect(lines).toEqual([4, 6, 4, 1, 1])
  })

  test('may be the JSON of a Kubernetes object', () => {
    const { documents } = readDocuments('{"apiVersion":"v1","kind":"A","metadata":{"name":"a"}}', 'a.json')
    expect(documents[0]?.object).toEqual({ apiVersion: 'v1', kind: 'A', metadata: { name: 'a' } })
  })

  test('may name a route by generateName, and nothing else', () => {
    const generated = (kind: string) => `apiVersion: v1\nkind: ${kind}\nmetadata: {generateName: a-}\n`
    expect(problems(generated('Ingress')).concat(problems(generated('HTTPRoute')))).toEqual([])
    expect(problems(generated('AuthTeam'))).toMatchObject([{ path: 'metadata.name', line: 3 }])
  })

  test('may be a configuration, which has no name', () => {
    expect(problems('apiVersion: config.auth.example/v1alpha1\nkind: PortcullisConfig\n')).toEqual([])
  })

  test('with keys such as __proto__ are read as they are written', () => {
    const [document] = readDocuments(object('data: {__proto__: {x: 1}, constructor: 2}\n'), 'a.yaml').documents
    expect(Object.keys(document?.object.data as object)).toEqual(['__proto__', 'constructor'])
    expect(({} as { x?: number }).x).toBeUndefined()
  })
})

describe('a document with a problem', () => {
  test.each([
    ['no YAML', 'a: b: c\n', 1, ''],
    ['the same key twice', object('data: {}\ndata: {}\n'), 5, ''],
    ['no map', '- a\n', 1, ''],
    ['no apiVersion', 'kind: A\nmetadata: {name: a}\n', 1, 'apiVersion'],
    ['no kind', 'apiVersion: v1\nmetadata: {name: a}\n', 1, 'kind'],
    ['no metadata', 'apiVersion: v1\nkind: A\n', 1, 'metadata'],
    ['no name', 'apiVersion: v1\nkind: A\nmetadata:\n  labels: {}\n', 3, 'metadata.name'],
    [
      'a namespace that is a number',
      'apiVersion: v1\nkind: A\nmetadata:\n  name: a\n  namespace: 5\n',
      5,
      'metadata.namespace',
    ],
    ['a name that is a number', 'apiVersion: v1\nkind: A\nmetadata:\n  name: 5\n', 4, 'metadata.name'],
    ['a name that kubectl reads as a boolean', 'apiVersion: v1\nkind: A\nmetadata: {name: y}\n', 3, 'metadata.name'],
    [
      'a label that is no string',
      'apiVersion: v1\nkind: A\nmetadata:\n  name: a\n  labels:\n    auth.example/protect: true\n',
      6,
      'metadata.labels["auth.example/protect"]',
    ],
    ['an alias of nothing', object('data: *a\n'), 1, ''],
    ['an alias of what contains it', object('data: &a [*a]\n'), 1, ''],
    ['brackets without end', '['.repeat(100_000), 1, ''],
  ])('%s, is left out, named with its line, and the others are read', (_, text, line, path) => {
    const { documents, problems } = readDocuments(`${text}\n---\n${object()}`, 'a.yaml')
    expect(problems).toEqual([{ file: 'a.yaml', line, path, message: expect.stringMatching(/^[\x20-\x7e]+$/) }])
    expect(documents).toHaveLength(1)
  })

  test('names every problem at once', () => {
    expect(problems('apiVersion: 1\nmetadata: {labels: {a: 1, b: x, c: }}\n').map(({ path }) => path)).toEqual([
      'apiVersion',
      'kind',
      'metadata.name',
      'metadata.labels.a',
      'metadata.labels.c',
    ])
  })

  test('whose aliases stand for millions of things is refused before they are made', () => {
    const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i}, `.repeat(10)}]`)
    expect(problems(object(`l0: &l0 [x]\n${levels.join('\n')}\n`))).toMatchObject([{ path: '' }])
  })
})

describe('what was written', () => {
  test('comes out as it went in: numbers, older booleans, comments and the order of keys', () => {
    const text = object(
      [
        'data:',
        '  # why',
        '  z: 9007199254740993 # large',
        '  mode: 0644',
        '  ratio: 1.10',
        '  long: 0.12345678901234567890123',
        '  short: .5',
        '  power: 1e3',
        '  hex: 0x1F',
        '  yes: on',
        '  plain: "on"',
        '  merged: {<<: {a: 1}, b: 2}',
        '',
      ].join('\n'),
    )
    const [document] = readDocuments(text, 'a.yaml').documents
    expect(document?.yaml.toString({ flowCollectionPadding: false })).toBe(text)
  })

  test('is read as kubectl reads it', () => {
    const data = '{mode: 0644, a: on, b: "on", c: No, d: true, e: 0x1F, f: 08, g: {<<: {h: 1}}}'
    const [document] = readDocuments(object(`data: ${data}\n`), 'a.yaml').documents
    expect(document?.object.data).toEqual({ mode: 420, a: true, b: 'on', c: false, d: true, e: 31, f: 8, g: { h: 1 } })
  })

  test('gives way to what is set since', () => {
    const [document] = readDocuments(object('data: {a: 0644, b: on, c: .5, d: x}\n'), 'a.yaml').documents
    for (const [key, value] of Object.entries({ a: 7, b: false, c: 1.5, d: 'no' })) {
      document?.yaml.setIn(['data', key], value)
    }
    expect(document?.yaml.toString()).toContain('data: { a: 7, b: false, c: 1.5, d: "no" }')
  })
})
