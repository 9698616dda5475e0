// The files of src/ as the parity tests read them: text, imports, text without comments.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

export type Import = {
  /** From the root for a file of ours, such as src/core/keys.ts; else the package. */
  readonly from: string
  /** Nothing is left of it at run time. */
  readonly typeOnly: boolean
  readonly names: readonly string[]
}

export type Source = {
  /** From the root, such as src/core/keys.ts. */
  readonly file: string
  /** `core` of src/core/keys.ts, `log` of src/log.ts. */
  readonly folder: string
  readonly text: string
  readonly imports: readonly Import[]
}

const SRC = join(ROOT, 'src')
/** A clause holds names only: no `=`, no bracket of a call, no quote. */
const STATEMENT = /^(?:import|export) (?:(type) )?(?:([^;'"()=]*?) ?from )?'([^']+)'/gm
const DYNAMIC = /\bimport\('([^']+)'\)/g

export function readSources(): Source[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts'))
    .sort()
    .map(file => readSource(join('src', file).split(sep).join('/')))
}

function readSource(file: string): Source {
  const text = readFileSync(join(ROOT, file), 'utf8')
  const stated = [...text.matchAll(STATEMENT)].map(([, type, clause = '', from = '']) => ({
    from: resolve(from, file),
    typeOnly: type !== undefined,
    names: clause
      .replace(/[{}\s]+/g, ' ')
      .split(',')
      .map(name => name.trim())
      .filter(name => name !== ''),
  }))
  const dynamic = [...text.matchAll(DYNAMIC)].map(([, from = '']) => ({
    from: resolve(from, file),
    typeOnly: false,
    names: [],
  }))
  return { file, folder: folderOf(file) ?? '', text, imports: [...stated, ...dynamic] }
}

function resolve(from: string, file: string): string {
  if (!from.startsWith('.')) return from
  return relative('.', normalize(join(dirname(file), from)))
    .split(sep)
    .join('/')
}

/** undefined for what is not in src/. */
export function folderOf(file: string): string | undefined {
  return /^src\/([^/.]+)/.exec(file)?.[1]
}

/** Comments would count as what they speak of. A `//` in a string is taken for one, which hides what follows it in its line. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:])\/\/.*$/gm, '$1')
}
