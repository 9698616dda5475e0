// Where a part is on this machine, or that it is not there. Nothing is built here.
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type Part, type PartName, type Program, partOf, type System } from './catalogue.ts'

/** A part that has its place in the cache. */
export type Made = Exclude<Part, System>

export type Environment = Readonly<Record<string, string | undefined>>

export const moduleFolder = (part: Program): string => join(import.meta.dirname, 'go', part.module)

export const buildFlags = (part: Program): string[] => {
  const variables = Object.entries(part.variables).map(([name, value]) => `-X ${name}=${value}`)
  return ['-trimpath', '-buildvcs=false', '-mod=readonly', '-ldflags', ['-s', '-w', ...variables].join(' ')]
}

/** Everything that decides a part's contents: another release or another flag is another folder. */
const fingerprint = (part: Made): string => {
  const hash = createHash('sha256')
  const target = [process.platform, process.arch]
  if (part.kind === 'files') {
    return hash.update(JSON.stringify({ ...part, pattern: part.pattern.source })).digest('hex')
  }
  if (part.kind === 'wheel') return hash.update(JSON.stringify([part, target])).digest('hex')
  const files = ['go.mod', 'go.sum', ...(part.sources ?? [])]
  for (const file of files) hash.update(readFileSync(join(moduleFolder(part), file)))
  const overlay = part.overlay ? [part.overlay] : []
  return hash.update(JSON.stringify([part.package, buildFlags(part), target, ...overlay])).digest('hex')
}

export const cacheRoot = (env: Environment): string =>
  env.PORTCULLIS_PARTS || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'portcullis', 'parts')

export const cacheFolder = (name: PartName, env: Environment): string => {
  const part = partOf(name)
  if (part.kind === 'system') throw new Error(`${name} is never made, and has no place in the cache`)
  return join(cacheRoot(env), `${name}-${fingerprint(part).slice(0, 16)}`)
}

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

const findIn = (variables: readonly string[], names: readonly string[], env: Environment): string | undefined => {
  const folders = variables.flatMap(variable => (env[variable] ?? '').split(delimiter).filter(Boolean))
  return names.flatMap(name => folders.map(folder => join(folder, name))).find(isProgram)
}

/** A program that somebody else has put on this machine. */
export const findElsewhere = (name: PartName, env: Environment): string | undefined => {
  const part = partOf(name)
  if (part.kind === 'system') return findIn(['PATH'], part.names, env)
  return part.kind === 'program' ? findIn(part.elsewhere, [name], env) : undefined
}

export const findCached = (name: PartName, env: Environment): string | undefined => {
  const { kind } = partOf(name)
  if (kind === 'system') return undefined
  const folder = cacheFolder(name, env)
  if (kind === 'files') return existsSync(folder) ? folder : undefined
  const program = join(folder, name)
  return isProgram(program) ? program : undefined
}

/** The path of a program, or of a folder of files. */
export const locate = (name: PartName, env: Environment = process.env): string | undefined =>
  findElsewhere(name, env) ?? findCached(name, env)

/** What somebody who misses these parts can do. */
export const absence = (names: readonly PartName[]): string => {
  const made = names.filter(name => partOf(name).kind !== 'system')
  const packages = names.map(partOf).flatMap(part => (part.kind === 'system' ? [part.debian] : []))
  const others = names.filter(name => !made.includes(name))
  return [
    ...(made.length > 0 ? [`${made.join(', ')} not on this machine; "npm run parts" builds what is missing`] : []),
    ...(others.length > 0
      ? [`${others.join(', ')} not on the PATH; Debian: apt-get install ${packages.join(' ')}`]
      : []),
  ].join('; ')
}

/** For what is about to be started: that it is missing is a fault there. */
export const programAt = (name: PartName, env: Environment = process.env): string => {
  const program = locate(name, env)
  if (!program) throw new Error(absence([name]))
  return program
}
