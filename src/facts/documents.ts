// Facts from files: every document of a folder read, the facts among them put into a store.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Config, defaultConfig, parseConfig } from '../api/config.ts'
import { type Doc, type FileProblem, inFile, readDocuments } from '../api/documents.ts'
import { FactStore, isFact } from './store.ts'

export type Loaded = {
  readonly store: FactStore
  /** Each in one line: file, line, field and what is wrong. */
  readonly problems: readonly string[]
  /** Kind to number of documents. */
  readonly counts: Readonly<Record<string, number>>
}

/** `*.yaml`, `*.yml` and `*.json` of a folder and below, in the order of their names. */
export async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => entry.isFile() && /\.(ya?ml|json)$/.test(entry.name))
    .map(entry => join(entry.parentPath, entry.name))
    .sort()
}

/** Reads every file of a folder and below. */
export async function readFolder(directory: string): Promise<{ documents: Doc[]; problems: FileProblem[] }> {
  const files = await filesIn(directory)
  const read = await Promise.all(files.map(async file => readDocuments(await readFile(file, 'utf8'), file)))
  return { documents: read.flatMap(each => each.documents), problems: read.flatMap(each => each.problems) }
}

export async function loadFacts(directory: string): Promise<Loaded> {
  const { documents, problems } = await readFolder(directory)
  const found = storeOf(documents)
  return { ...found, problems: [...problems, ...found.problems].map(describe) }
}

/** A store of the facts among documents. Nobody makes companions from files, so guards count as ready. */
export function storeOf(documents: readonly Doc[]): {
  store: FactStore
  problems: FileProblem[]
  counts: Record<string, number>
} {
  const { config, problems } = readConfig(documents)
  const store = new FactStore(config)
  const counts: Record<string, number> = {}
  for (const doc of documents) {
    if (!isFact(doc.object)) continue
    counts[doc.object.kind] = (counts[doc.object.kind] ?? 0) + 1
    problems.push(...store.put(doc.object).map(problem => inFile(doc, problem)))
  }
  return { store, problems, counts }
}

function readConfig(documents: readonly Doc[]): { config: Config; problems: FileProblem[] } {
  const [first, second] = documents.filter(doc => doc.object.kind === 'PortcullisConfig')
  if (first === undefined) return { config: defaultConfig(), problems: [] }
  const parsed = parseConfig(first.object)
  const problems = 'problems' in parsed ? parsed.problems.map(problem => inFile(first, problem)) : []
  if (second !== undefined)
    problems.push(
      inFile(second, { path: 'kind', message: `is a second PortcullisConfig; ${first.file} has one already` }),
    )
  return { config: 'value' in parsed ? parsed.value : defaultConfig(), problems }
}

export function describe({ file, line, path, message }: FileProblem): string {
  const where = line === undefined ? file : `${file}:${line}`
  return path === '' ? `${where}: ${message}` : `${where}: ${path}: ${message}`
}
