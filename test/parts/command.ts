// Runs one command to its end: what it said, or why it failed.
import { spawn } from 'node:child_process'
import type { Environment } from './locate.ts'

export type CommandResult = { kind: 'done'; stdout: string } | { kind: 'failed'; reason: string }

export type Command = {
  program: string
  args: readonly string[]
  cwd: string
  env: Environment
  /** What the failure is called after. */
  title: string
  /** Said when there is no such program. */
  absent: string
}

export const runCommand = ({ program, args, cwd, env, title, absent }: Command): Promise<CommandResult> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', chunk => {
      stdout += chunk
    })
    child.stderr.setEncoding('utf8').on('data', chunk => {
      stderr += chunk
    })
    child.on('error', error =>
      'code' in error && error.code === 'ENOENT' ? resolve({ kind: 'failed', reason: absent }) : reject(error),
    )
    child.on('close', code => {
      if (code === 0) return resolve({ kind: 'done', stdout })
      // "go mod download -json" writes its errors to stdout.
      const said = (stderr.trim() || stdout.trim()).split('\n').slice(-15).join('\n')
      resolve({ kind: 'failed', reason: `${title} ended with ${code}:\n${said}` })
    })
  })
