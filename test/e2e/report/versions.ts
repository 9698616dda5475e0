// Which release of every part a run had, as the parts themselves say.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type PartName, partOf } from '../../parts/catalogue.ts'
import { programAt } from '../../parts/locate.ts'
import type { Version } from './model.ts'

const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  'envoy-gateway': ['version'],
  kubectl: ['version', '--client'],
  traefik: ['version'],
}

const RELEASE = /\d+\.\d+\.\d+(?:\.\d+)*/

export async function versionsOf(parts: Iterable<PartName>): Promise<Version[]> {
  const portcullis = { part: 'Portcullis', version: await commit() }
  const node = { part: 'Node', version: process.versions.node }
  const others = [...new Set(parts)].sort().map(async part => ({ part, version: await versionOf(part) }))
  return [portcullis, node, ...(await Promise.all(others))]
}

async function versionOf(name: PartName): Promise<string> {
  const part = partOf(name)
  if (part.kind === 'files') return part.version.replace(/^v/, '')
  const said = await output(programAt(name), ARGUMENTS[name] ?? ['--version'])
  return RELEASE.exec(said)?.[0] ?? 'unknown'
}

async function commit(): Promise<string> {
  const [short, changes] = await Promise.all([git('rev-parse', '--short', 'HEAD'), git('status', '--porcelain')])
  return `${short.trim()}${changes === '' ? '' : ', with changes'}`
}

const git = (...args: string[]) => output('git', ['-C', import.meta.dirname, ...args])

async function output(program: string, args: readonly string[]): Promise<string> {
  // A part that does not say what it is spoils no report.
  const { stdout, stderr } = await promisify(execFile)(program, args).catch(() => ({ stdout: '', stderr: '' }))
  return `${stdout}${stdout.trim() === '' ? stderr : ''}`
}
