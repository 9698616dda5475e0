// `portcullis render`: does offline what admission and the controller would do, and prints what would be stored.
import { resolve } from 'node:path'
import { buffer } from 'node:stream/consumers'
import type { Doc, FileProblem } from '../api/documents.ts'
import { describe, readFolder, storeOf } from '../facts/documents.ts'
import type { FactStore } from '../facts/store.ts'
import { gateways } from '../gateways/index.ts'
import { diffOf } from '../render/diff.ts'
import { inNamespace, readInput, STDIN, unreadable } from '../render/input.ts'
import { jsonText } from '../render/json.ts'
import { remarkLine, unclear } from '../render/remarks.ts'
import { type RenderedObject, render as renderAll } from '../render/render.ts'
import type { Source } from '../render/source.ts'
import { parse } from '../render/yaml.ts'
import { type Io, OK, REFUSED, USAGE } from './io.ts'

export type RenderOptions = {
  /** Files and folders; `-` is standard input. */
  readonly file: readonly string[]
  readonly facts?: string
  readonly namespace?: string
  readonly diff?: boolean
  readonly output: 'yaml' | 'json'
}

export type Terminal = {
  stdin(): Promise<Uint8Array>
  /** Whether what is printed may have colours. */
  readonly colour: boolean
}

export async function render(options: RenderOptions, io: Io, terminal: Terminal = ofProcess()): Promise<number> {
  if (options.diff && options.output === 'json') {
    io.err('--diff shows text, not objects; leave it or -o json out\n')
    return USAGE
  }
  const read = await readAll(options, terminal)
  if ('problems' in read) {
    io.err(read.problems.map(problem => `${describe(problem)}\n`).join(''))
    return USAGE
  }
  const { objects, refused, warnings } = renderAll(read.sources, read.store, gateways)
  if (options.diff) io.out(objects.map(object => diffOf(object, terminal.colour)).join(''))
  else io.out(options.output === 'json' ? asList(objects) : objects.map(({ text }) => text).join('---\n'))
  for (const warning of warnings) io.err(`${remarkLine(warning, 'warning')}\n`)
  for (const refusal of refused) io.err(`${remarkLine(refusal, 'refused')}\n`)
  return refused.length === 0 ? OK : REFUSED
}

type Read = { readonly sources: readonly Source[]; readonly store: FactStore }

/** Everything that is wrong comes at once. */
async function readAll(options: RenderOptions, terminal: Terminal): Promise<Read | { problems: FileProblem[] }> {
  const input = await readInput(options.file, terminal.stdin)
  const sources = input.sources.map(source => inNamespace(source, options.namespace ?? 'default'))
  const facts = await readFacts(options.facts, input.files)
  // What is in the input counts, where the facts know an older state of it.
  const { store, problems } = storeOf([...facts.documents, ...sources.map(source => source.doc)])
  const all = [...input.problems, ...facts.problems, ...problems, ...unclear(sources)]
  if (sources.length === 0 && all.length === 0) {
    all.push({
      file: options.file.map(file => (file === '-' ? STDIN : file)).join(', '),
      path: '',
      message: 'there is no object in it',
    })
  }
  // A file of ours, not an object of the cluster.
  return all.length > 0 ? { problems: all } : { store, sources: sources.filter(each => !isConfig(each.doc)) }
}

async function readFacts(
  directory: string | undefined,
  inInput: ReadonlySet<string>,
): Promise<{ documents: Doc[]; problems: FileProblem[] }> {
  if (directory === undefined) return { documents: [], problems: [] }
  try {
    const { documents, problems } = await readFolder(directory)
    const isNew = ({ file }: { file: string }) => !inInput.has(resolve(file))
    return { documents: documents.filter(isNew), problems: problems.filter(isNew) }
  } catch (error) {
    return { documents: [], problems: [unreadable(error)] }
  }
}

function isConfig({ object }: Doc): boolean {
  return object.kind === 'PortcullisConfig'
}

/** Of the texts, so that it says what they say. */
function asList(objects: readonly RenderedObject[]): string {
  const items = objects.map(({ text }) => parse(text).toJS({ mapAsMap: true }) as unknown)
  return `${jsonText({ apiVersion: 'v1', kind: 'List', items }, '  ')}\n`
}

function ofProcess(): Terminal {
  return {
    stdin: () => buffer(process.stdin),
    colour: process.stdout.isTTY === true && process.stdout.hasColors(),
  }
}
