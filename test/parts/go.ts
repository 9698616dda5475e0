// Parts that come from Go modules: programs that are built, and files that are copied.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Files, Overlay, Program } from './catalogue.ts'
import { type CommandResult, runCommand } from './command.ts'
import { buildFlags, type Environment, moduleFolder } from './locate.ts'

type Download = { kind: 'done'; folder: string } | Extract<CommandResult, { kind: 'failed' }>

const absent =
  'Go is not on the PATH. The real parts are built from source: install Go 1.26 or newer, or set ' +
  'KUBEBUILDER_ASSETS to a folder that holds kube-apiserver, etcd and kubectl.'

const go = (args: readonly string[], cwd: string, env: Environment): Promise<CommandResult> =>
  runCommand({
    program: 'go',
    args,
    cwd,
    env: { ...env, CGO_ENABLED: '0', GOWORK: 'off' },
    title: `go ${args[0]}`,
    absent,
  })

/** `outside` is a folder of no module: there only the module itself is fetched, none of its dependencies. */
const download = async (part: Files | Overlay, outside: string, env: Environment): Promise<Download> => {
  const result = await go(['mod', 'download', '-json', `${part.module}@${part.version}`], outside, env)
  if (result.kind === 'failed') return result
  const { Dir, Sum } = JSON.parse(result.stdout) as { Dir: string; Sum: string }
  if (Sum !== part.sum) return { kind: 'failed', reason: `${part.module} has checksum ${Sum}, expected ${part.sum}` }
  return { kind: 'done', folder: Dir }
}

/** Go reads each file on the left from the place on the right; it lets nobody exchange files of its own cache. */
const replacements = async (overlay: Overlay, source: string, beside: string): Promise<Record<string, string>> => {
  const into = join(beside, overlay.folder)
  const replaced: Record<string, string> = {}
  for (const file of await readdir(source, { recursive: true })) {
    if (/(^|\/)go\.mod$|\.go$/.test(file)) replaced[join(into, file)] = join(source, file)
  }
  for (const [file, other] of Object.entries(overlay.exchanged)) replaced[join(into, file)] = join(beside, other)
  return replaced
}

export const buildProgram = async (
  program: Program,
  output: string,
  scratch: string,
  env: Environment,
): Promise<CommandResult> => {
  const folder = moduleFolder(program)
  const flags = buildFlags(program)
  if (program.overlay) {
    const source = await download(program.overlay, scratch, env)
    if (source.kind === 'failed') return source
    const file = join(scratch, 'overlay.json')
    await writeFile(file, JSON.stringify({ Replace: await replacements(program.overlay, source.folder, folder) }))
    flags.push('-overlay', file)
  }
  return go(['build', ...flags, '-o', output, program.package], folder, env)
}

export const copyFiles = async (
  part: Files,
  into: string,
  scratch: string,
  env: Environment,
): Promise<CommandResult> => {
  const result = await download(part, scratch, env)
  if (result.kind === 'failed') return result
  const source = join(result.folder, part.folder)
  const files = (await readdir(source, { recursive: true })).filter(file => part.pattern.test(basename(file)))
  if (files.length === 0) return { kind: 'failed', reason: `${part.module} has no such files in ${part.folder}` }
  for (const file of files) await writeFile(join(into, basename(file)), await readFile(join(source, file)))
  return { kind: 'done', stdout: '' }
}
