// A golden case read from its files: the facts, the routes that are planned, and what else the first document says.
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { defaultConfig, parseConfig } from '../../src/api/config.ts'
import { readDocuments } from '../../src/api/documents.ts'
import { isObject, object } from '../../src/core/json.ts'
import { INJECTED, PROTECT } from '../../src/core/keys.ts'
import { routeKind } from '../../src/core/route.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { StoredCompanions } from '../../src/facts/companions.ts'
import { FactStore } from '../../src/facts/store.ts'
import { gateways } from '../../src/gateways/index.ts'

/** What a document `kind: GoldenCase` at the head of an `in.yaml` can say. */
type Head = {
  /** `none`: without the facts of base.yaml. */
  readonly base?: 'none'
  /** Facts of base.yaml to leave out, as Kind/namespace/name or Kind/name. */
  readonly without?: readonly string[]
  /** `ready` (default), `missing`, or for how many seconds the guards have been there. */
  readonly guards?: 'ready' | 'missing' | number
  /** Further scopes whose companions are shown, such as route/HTTPRoute/shop/cart. */
  readonly scopes?: readonly string[]
  /** `names`: where companions are not what the case is about. */
  readonly companions?: 'full' | 'names'
  /** Fills an annotation of the last route with this many characters. */
  readonly pad?: { readonly annotation: string; readonly characters: number }
  /** Admission requests for the last object, instead of planning. */
  readonly requests?: readonly CaseRequest[]
}

export type CaseRequest = {
  readonly entry: 'mutate' | 'validate'
  readonly operation?: string
  readonly oldObject?: KubeObject
  readonly subResource?: string
  /** Who asks. */
  readonly user?: string
  /** Has a gateway throw, as a mistake of ours would. */
  readonly fault?: boolean
}

export type GoldenCase = Head & {
  readonly title: string
  readonly outFile: string
  /** Every fact and route, those of base.yaml first. */
  readonly documents: readonly KubeObject[]
  /** Of `documents`, the routes with the label or a record; with requests their object. */
  readonly planned: readonly KubeObject[]
}

export const GOLDEN = dirname(fileURLToPath(import.meta.url))
/** The time at which cases are run. */
export const NOW = Date.parse('2026-11-23T12:00:00Z')

const BASE = read(readFileSync(join(GOLDEN, 'base.yaml'), 'utf8'), 'base.yaml')
const IN = '.in.yaml'
const OUT = '.out.yaml'

/** Of every `*.in.yaml` here and below, its path without the ending; and every `*.out.yaml` that has none. */
export function findCases(): { cases: string[]; orphans: string[] } {
  const files = readdirSync(GOLDEN, { recursive: true, encoding: 'utf8' }).sort()
  const cases = files.filter(file => file.endsWith(IN)).map(file => file.slice(0, -IN.length))
  const orphans = files.filter(file => file.endsWith(OUT) && !cases.includes(file.slice(0, -OUT.length)))
  return { cases, orphans }
}

export function readCase(path: string): GoldenCase {
  const file = join(GOLDEN, `${path}${IN}`)
  const { head, rest } = splitHead(readFileSync(file, 'utf8'))
  const own = pad(read(rest, `${path}${IN}`), head.pad)
  const documents = [...(head.base === 'none' ? [] : basis(own, head.without ?? [])), ...own]
  const planned = head.requests === undefined ? own.filter(isPlanned) : own.slice(-1)
  return { ...head, title: title(path), outFile: join(GOLDEN, `${path}${OUT}`), documents, planned }
}

/** A store with these documents, in which guards have been right since `guards`. */
export function factsOf({ documents, guards = 'ready' }: Head & Pick<GoldenCase, 'documents'>): FactStore {
  const config = documents.find(each => each.kind === 'PortcullisConfig')
  const parsed = config === undefined ? { value: defaultConfig() } : parseConfig(config)
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems))
  const store = new FactStore(parsed.value, guards === 'ready' ? undefined : new StoredCompanions(gateways, () => NOW))
  if (typeof guards === 'number') store.readySince = () => NOW - guards * 1000
  for (const each of documents) {
    if (each.kind === 'PortcullisConfig') continue
    const problems = store.put(each)
    if (problems.length > 0) throw new Error(`${nameOf(each)}: ${JSON.stringify(problems)}`)
  }
  return store
}

export function nameOf({ kind, metadata }: KubeObject): string {
  // A PortcullisConfig needs no metadata.
  return [kind, metadata?.namespace, metadata?.name].filter(each => each !== undefined).join('/')
}

function splitHead(text: string): { head: Head; rest: string } {
  const [first = '', ...others] = text.split(/^---\n/m)
  const value: unknown = parse(first, { merge: true })
  if (!isObject(value) || value.kind !== 'GoldenCase') return { head: {}, rest: text }
  const { kind: _, ...head } = value
  return { head: head as Head, rest: others.join('---\n') }
}

function read(text: string, file: string): KubeObject[] {
  const { documents, problems } = readDocuments(text, file)
  if (problems.length > 0) throw new Error(JSON.stringify(problems))
  return documents.map(each => each.object)
}

/** The facts of base.yaml but for those that a case has itself, or does without. */
function basis(own: readonly KubeObject[], without: readonly string[]): KubeObject[] {
  const unknown = without.filter(name => !BASE.some(each => nameOf(each) === name))
  if (unknown.length > 0) throw new Error(`not in base.yaml: ${unknown.join(', ')}`)
  const hidden = new Set([...own.map(nameOf), ...without])
  return BASE.filter(each => !hidden.has(nameOf(each)))
}

function isPlanned(document: KubeObject): boolean {
  if (routeKind(document) === undefined) return false
  const { labels, annotations } = document.metadata
  return object(labels)[PROTECT] !== undefined || object(annotations)[INJECTED] !== undefined
}

function pad(documents: KubeObject[], fill: Head['pad']): KubeObject[] {
  const last = documents.at(-1)
  if (fill === undefined || last === undefined) return documents
  const annotations = { ...object(last.metadata.annotations), [fill.annotation]: 'x'.repeat(fill.characters) }
  return [...documents.slice(0, -1), { ...last, metadata: { ...last.metadata, annotations } }]
}

function title(path: string): string {
  return `${dirname(path)}: ${basename(path).replaceAll('-', ' ')}`
}
