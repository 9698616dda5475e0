// Builds of Portcullis as they ship: of these sources, or of another commit's.
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from './pods.ts'

const run = promisify(execFile)

/** Gives the path of the bundle. `commit`: instead of what is in the working tree. */
export async function build(dir: string, commit?: string): Promise<string> {
  const source = commit === undefined ? ROOT : await sourcesOf(commit, join(dir, 'sources'))
  const { scripts } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'))
  const out = join(dir, 'dist')
  const [, command] = String(scripts.build).split('rm -rf dist && ')
  const script = String(command).replace('--outdir=dist', `--outdir=${out}`)
  const path = `${join(ROOT, 'node_modules/.bin')}:${process.env.PATH}`
  await run('/bin/sh', ['-c', script], { cwd: source, env: { ...process.env, PATH: path } })
  return join(out, 'portcullis.js')
}

async function sourcesOf(commit: string, into: string): Promise<string> {
  mkdirSync(into, { recursive: true })
  const archive = join(into, 'sources.tar')
  await run('git', ['archive', '-o', archive, commit, 'src', 'package.json'], { cwd: ROOT })
  await run('tar', ['-xf', archive, '-C', into])
  symlinkSync(join(ROOT, 'node_modules'), join(into, 'node_modules'))
  return into
}
