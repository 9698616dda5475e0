// How the tree is built: who may import whom, what the pure folders keep away from.
import { describe, expect, test } from '@jest/globals'
import { folderOf, readSources, type Source, withoutComments } from './sources.ts'

const sources = readSources()

/** What each folder may import of ours; `types of x`: nothing of it at run time. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  api: [],
  core: ['types of api'],
  gateways: ['core', 'types of api'],
  guard: ['core', 'types of api'],
  facts: ['core', 'api', 'types of log'],
  kube: ['core', 'api', 'types of log'],
  admission: ['core', 'api'],
  http: ['types of log'],
  certificates: ['core', 'types of kube', 'types of log'],
  render: ['core', 'api', 'facts'],
  controller: ['core', 'types of api', 'types of facts', 'types of kube', 'types of log'],
  log: [],
  commands: [
    'admission',
    'api',
    'certificates',
    'controller',
    'core',
    'facts',
    'gateways',
    'guard',
    'http',
    'kube',
    'log',
    'render',
  ],
  main: ['commands', 'log'],
}

/** Same input, same output: no file, no network, no clock, no environment. */
const PURE = ['api', 'core', 'gateways', 'guard']
const PURE_BUILT_INS: Readonly<Record<string, readonly string[]>> = {
  'node:crypto': ['createHash'],
  'node:util': ['isDeepStrictEqual'],
  'node:net': ['isIP', 'isIPv4', 'isIPv6'],
}
const IMPURE =
  /\b(Date\.now|new Date|Math\.random|process\.|performance\b|setTimeout|setInterval|fetch\(|console\.|globalThis)/

const LONGEST = 300
/** Tables: one row is one fact, and cutting them would only scatter it. */
const TABLES: Readonly<Record<string, string>> = {
  'src/core/reasons.ts': 'every reason code with its sentence',
}

/** Text for people outside of reasons.ts, and why it is no sentence of a decision. */
const WORDS: Readonly<Record<string, string>> = {
  'src/core/reasons.ts': 'the sentences',
  'src/core/thrown.ts': 'what the system said of a file or folder',
  'src/facts/documents.ts': 'problems of files, found before anything is decided',
  'src/facts/config-file.ts': 'problems of a file, found before anything is decided',
  'src/admission/review.ts': 'bytes that are no request have no uid to answer',
  'src/gateways/ingress-nginx/annotation-values/shapes.ts': 'what a value may be, for the sentence to be filled with',
  'src/gateways/ingress-nginx/refuse.ts': 'what a value may be, for the sentence to be filled with',
  'src/gateways/passthrough.ts': 'what a companion stands for, on the companion',
  'src/gateways/reference-grant.ts': 'what a companion stands for, on the companion',
  'src/gateways/envoy-gateway/team-policies.ts': 'what a companion stands for, on the companion',
}

function inFolders(folders: readonly string[]): Source[] {
  return sources.filter(({ folder }) => folders.includes(folder))
}

describe('folders', () => {
  test('every folder of src is known here', () => {
    const unknown = sources.filter(({ folder }) => MAY_IMPORT[folder] === undefined)
    expect(unknown.map(({ file }) => file)).toEqual([])
  })

  test.each(Object.entries(MAY_IMPORT))('%s imports nothing of ours but %j', (folder, allowed) => {
    expect(inFolders([folder]).flatMap(source => wrongImports(source, allowed))).toEqual([])
  })

  test('a gateway never imports another', () => {
    const gatewayOf = (file: string) => /^src\/gateways\/([^/]+)\//.exec(file)?.[1]
    const wrong = sources.flatMap(({ file, imports }) => {
      const own = gatewayOf(file)
      const others = imports.map(each => gatewayOf(each.from)).filter(other => other !== undefined && other !== own)
      return own === undefined ? [] : others.map(other => `${file} imports ${other}`)
    })
    expect(wrong).toEqual([])
  })

  test('no file imports itself through others at run time', () => {
    const graph = new Map(
      sources.map(({ file, imports }) => [file, imports.filter(each => !each.typeOnly).map(each => each.from)]),
    )
    expect(sources.map(({ file }) => cycle(file, graph)).filter(path => path !== undefined)).toEqual([])
  })
})

function wrongImports({ file, folder, imports }: Source, allowed: readonly string[]): string[] {
  return imports.flatMap(({ from, typeOnly }) => {
    const other = folderOf(from)
    if (other === undefined || other === folder) return []
    return allowed.includes(other) || (typeOnly && allowed.includes(`types of ${other}`)) ? [] : [`${file}: ${from}`]
  })
}

function cycle(start: string, graph: ReadonlyMap<string, readonly string[]>): string | undefined {
  const seen = new Set<string>()
  const open = [...(graph.get(start) ?? [])]
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (file === start) return start
    if (seen.has(file)) continue
    seen.add(file)
    open.push(...(graph.get(file) ?? []))
  }
  return undefined
}

describe('what the pure folders keep away from', () => {
  test.each(PURE)('%s imports no built-in but pure functions', folder => {
    const wrong = inFolders([folder]).flatMap(({ file, imports }) =>
      imports
        .filter(({ from, typeOnly }) => from.startsWith('node:') && !typeOnly)
        .flatMap(({ from, names }) =>
          names.filter(name => !PURE_BUILT_INS[from]?.includes(name)).map(name => `${file}: ${name} of ${from}`),
        ),
    )
    expect(wrong).toEqual([])
  })

  test.each(PURE)('%s reads no clock, no chance and no environment', folder => {
    const wrong = inFolders([folder]).flatMap(({ file, text }) => {
      const found = IMPURE.exec(withoutComments(text))
      return found === null ? [] : [`${file}: ${found[0]}`]
    })
    expect(wrong).toEqual([])
  })

  test('packages are imported by api alone', () => {
    const wrong = inFolders(['core', 'gateways', 'guard', 'admission']).flatMap(({ file, imports }) =>
      imports
        .filter(({ from }) => !from.startsWith('src/') && !from.startsWith('node:'))
        .map(({ from }) => `${file}: ${from}`),
    )
    expect(wrong).toEqual([])
  })

  test('only src/kube imports the Kubernetes client at run time', () => {
    const wrong = sources.filter(
      ({ folder, imports }) =>
        folder !== 'kube' && imports.some(each => each.from === '@kubernetes/client-node' && !each.typeOnly),
    )
    expect(wrong.map(({ file }) => file)).toEqual([])
  })
})

describe('files', () => {
  test('each says in its first line what it decides', () => {
    const wrong = sources.filter(({ text }) => !/^(#!.*\n)?\/\/ [A-Z`]/.test(text))
    expect(wrong.map(({ file }) => file)).toEqual([])
  })

  test(`none is longer than ${LONGEST} lines, but for tables`, () => {
    const long = sources.filter(({ text }) => text.split('\n').length > LONGEST).map(({ file }) => file)
    expect(long).toEqual(Object.keys(TABLES))
  })

  test('only core/keys.ts and api spell names of ours', () => {
    const wrong = sources.filter(
      ({ file, folder, text }) =>
        file !== 'src/core/keys.ts' && folder !== 'api' && withoutComments(text).includes('auth.example/'),
    )
    expect(wrong.map(({ file }) => file)).toEqual([])
  })

  test('sentences of decisions are in core/reasons.ts alone', () => {
    const wrong = inFolders(['core', 'gateways', 'guard', 'admission', 'facts']).filter(
      ({ file, text }) => WORDS[file] === undefined && hasSentence(withoutComments(text)),
    )
    expect(wrong.map(({ file }) => file)).toEqual([])
  })
})

/** A string of five words or more. */
function hasSentence(text: string): boolean {
  const strings = text.match(/'[^'\n]*'|`[^`]*`|"[^"\n]*"/g) ?? []
  return strings.some(each => /([a-z}][a-z',;:]* ){4}[a-z$]/i.test(each))
}
