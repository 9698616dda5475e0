// Where a part is on this machine, or that it is not there. Nothing is built here.
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type Part, type PartName, type Program, partOf } from './catalogue.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export const moduleFolder = (part: Program): string => join(import.meta.dirname, 'go', part.module)

export const buildFlags = (part: Program): string[] => {
  const variables = Object.entries(part.variables).map(([name, value]) => `-X ${name}=${value}`)
  return ['-trimpath', '-buildvcs=false', '-mod=readonly', '-ldflags', ['-s', '-w', ...variables].join(' ')]
}

/** Everything that decides a part's contents: another release or another flag is another folder. */
const fingerprint = (part: Part): string => {
  const hash = createHash('sha256')
  if (part.kind === 'files') {
    return hash.update(JSON.stringify({ ...part, pattern: part.pattern.source })).digest('hex')
  }
  for (const file of ['go.mod', 'go.sum']) hash.update(readFileSync(join(moduleFolder(part), file)))
  const target = [process.platform, process.arch]
  return hash.update(JSON.stringify([part.package, buildFlags(part), target])).digest('hex')
}

export const cacheRoot = (env: Environment): string =>
  env.PORTCULLIS_PARTS || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'portcullis', 'parts')

export const cacheFolder = (name: PartName, env: Environment): string =>
  join(cacheRoot(env), `${name}-${fingerprint(partOf(name)).slice(0, 16)}`)

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** A program that somebody else has put on this machine. */
export const findElsewhere = (name: PartName, env: Environment): string | undefined => {
  const part = partOf(name)
  if (part.kind === 'files') return undefined
  const folders = part.elsewhere.flatMap(variable => (env[variable] ?? '').split(delimiter).filter(Boolean))
  return folders.map(folder => join(folder, name)).find(isProgram)
}

export const findCached = (name: PartName, env: Environment): string | undefined => {
  const folder = cacheFolder(name, env)
  if (partOf(name).kind === 'files') return existsSync(folder) ? folder : undefined
  const program = join(folder, name)
  return isProgram(program) ? program : undefined
}

/** The path of a program, or of a folder of files. */
export const locate = (name: PartName, env: Environment = process.env): string | undefined =>
  findElsewhere(name, env) ?? findCached(name, env)
