// Portcullis as it is shipped: bundled by the command that the image is built with, into a folder of the stage.
import { exec } from 'node:child_process'
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const ROOT = join(import.meta.dirname, '../../..')

/** Gives the file to run. */
export async function bundle(folder: string): Promise<string> {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  // Elsewhere than in dist, which others may be using at this moment.
  const command = String(scripts.build).replace('rm -rf dist && ', '').replace('--outdir=dist', '--outdir="$OUT"')
  const PATH = `${join(ROOT, 'node_modules/.bin')}:${process.env.PATH}`
  await promisify(exec)(command, { cwd: ROOT, env: { ...process.env, PATH, OUT: folder } })
  copyFileSync(join(ROOT, 'package.json'), join(folder, 'package.json'))
  return join(folder, 'portcullis.js')
}
