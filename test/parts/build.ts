// Makes a part that is not on this machine yet, once, into the cache.
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type Files, type PartName, type Program, partOf } from './catalogue.ts'
import {
  buildFlags,
  cacheFolder,
  cacheRoot,
  type Environment,
  findCached,
  findElsewhere,
  moduleFolder,
} from './locate.ts'

export type Outcome =
  | { kind: 'elsewhere' | 'cached'; path: string }
  | { kind: 'built'; seconds: number }
  | { kind: 'failed'; reason: string }

type GoResult = { kind: 'done'; stdout: string } | { kind: 'failed'; reason: string }

const noGo =
  'Go is not on the PATH. The real parts are built from source: install Go 1.26 or newer, or set ' +
  'KUBEBUILDER_ASSETS to a folder that holds kube-apiserver, etcd and kubectl.'

const go = (args: string[], cwd: string, env: Environment): Promise<GoResult> =>
  new Promise((resolve, reject) => {
    const settings = { ...env, CGO_ENABLED: '0', GOWORK: 'off' }
    const child = spawn('go', args, { cwd, env: settings, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', chunk => {
      stdout += chunk
    })
    child.stderr.setEncoding('utf8').on('data', chunk => {
      stderr += chunk
    })
    child.on('error', error =>
      'code' in error && error.code === 'ENOENT' ? resolve({ kind: 'failed', reason: noGo }) : reject(error),
    )
    child.on('close', code => {
      if (code === 0) return resolve({ kind: 'done', stdout })
      // "go mod download -json" writes its errors to stdout.
      const said = (stderr.trim() || stdout.trim()).split('\n').slice(-15).join('\n')
      resolve({ kind: 'failed', reason: `go ${args[0]} ended with ${code}:\n${said}` })
    })
  })

const buildProgram = async (name: PartName, part: Program, into: string, env: Environment): Promise<GoResult> =>
  go(['build', ...buildFlags(part), '-o', join(into, name), part.package], moduleFolder(part), env)

const copyFiles = async (part: Files, into: string, env: Environment): Promise<GoResult> => {
  // Run in the cache folder, outside any module: there only the module itself is fetched, none of its dependencies.
  const result = await go(['mod', 'download', '-json', `${part.module}@${part.version}`], into, env)
  if (result.kind === 'failed') return result
  const { Dir, Sum } = JSON.parse(result.stdout) as { Dir: string; Sum: string }
  if (Sum !== part.sum) return { kind: 'failed', reason: `${part.module} has checksum ${Sum}, expected ${part.sum}` }
  const source = join(Dir, part.folder)
  const files = (await readdir(source, { recursive: true })).filter(file => part.pattern.test(basename(file)))
  if (files.length === 0) return { kind: 'failed', reason: `${part.module} has no such files in ${part.folder}` }
  for (const file of files) await writeFile(join(into, basename(file)), await readFile(join(source, file)))
  return result
}

/** Another run may have made the same part meanwhile: then its folder is as good as this one. */
const publish = async (staging: string, folder: string): Promise<void> => {
  try {
    await rename(staging, folder)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
  }
}

const make = async (name: PartName, env: Environment): Promise<Outcome> => {
  const started = performance.now()
  const part = partOf(name)
  await mkdir(cacheRoot(env), { recursive: true })
  // Made beside its place and moved there in one step: a build that was interrupted is never taken for a part.
  const staging = await mkdtemp(join(cacheRoot(env), '.staging-'))
  try {
    const result =
      part.kind === 'program' ? await buildProgram(name, part, staging, env) : await copyFiles(part, staging, env)
    if (result.kind === 'failed') return result
    await publish(staging, cacheFolder(name, env))
    return { kind: 'built', seconds: (performance.now() - started) / 1000 }
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

export const build = async (name: PartName, env: Environment): Promise<Outcome> => {
  const elsewhere = findElsewhere(name, env)
  if (elsewhere) return { kind: 'elsewhere', path: elsewhere }
  const cached = findCached(name, env)
  return cached ? { kind: 'cached', path: cached } : make(name, env)
}
