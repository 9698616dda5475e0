// Starts one real process for a test, waits until it is ready, and ends it again.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export type PartOptions = {
  /** Also the name of the log file in dir. */
  name: string
  command: string
  args: readonly string[]
  dir: string
  env?: Readonly<Record<string, string | undefined>>
  /** Asked again and again until it gives true; a rejection counts as "not yet". */
  ready: () => Promise<boolean>
  readyWithinMs?: number
}

export type RunningPart = {
  pid: number
  log: string
  hasEnded(): boolean
  /** A process that has not ended by itself by then is killed. */
  stop(signal?: NodeJS.Signals, withinMs?: number): Promise<void>
}

const pollEveryMs = 50
const killAfterMs = 5_000
const lastLines = 20

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

/**
 * Kills the process when this one ends in any way, also by SIGKILL or inside a jest sandbox, where no exit handler
 * runs: the kernel then closes the pipe that the shell reads.
 */
const guardAgainstOrphans = (pid: number): ChildProcess => {
  const guard = spawn('/bin/sh', ['-c', `read -r _; kill -9 ${pid}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // A group of its own: an interrupt from the keyboard must not end the guard first.
    detached: true,
  })
  guard.unref()
  return guard
}

const endOf = async (child: ChildProcess): Promise<void> => {
  if (!hasEnded(child)) await once(child, 'exit')
}

const end = async (child: ChildProcess, signal: NodeJS.Signals, withinMs = killAfterMs): Promise<void> => {
  if (hasEnded(child)) return
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), withinMs)
  await endOf(child)
  clearTimeout(timer)
}

const launch = async (options: PartOptions, log: string): Promise<ChildProcess> => {
  const output = openSync(log, 'w')
  try {
    const env = { ...process.env, ...options.env }
    const child = spawn(options.command, options.args, { cwd: options.dir, env, stdio: ['ignore', output, output] })
    await once(child, 'spawn')
    return child
  } finally {
    closeSync(output)
  }
}

const waitUntilReady = async (child: ChildProcess, options: PartOptions, log: string): Promise<void> => {
  const within = options.readyWithinMs ?? 60_000
  const deadline = performance.now() + within
  const failure = (what: string): Error => {
    const tail = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-lastLines).join('\n')
    return new Error(`${options.name} ${what}; the end of ${log}:\n${tail}`)
  }
  for (;;) {
    if (hasEnded(child)) throw failure(`ended with ${child.exitCode ?? child.signalCode} before it was ready`)
    if (await options.ready().catch(() => false)) return
    if (performance.now() > deadline) throw failure(`was not ready after ${within} ms`)
    await sleep(pollEveryMs)
  }
}

export const startPart = async (options: PartOptions): Promise<RunningPart> => {
  const log = join(options.dir, `${options.name}.log`)
  const child = await launch(options, log)
  const pid = child.pid as number
  const guard = guardAgainstOrphans(pid)
  // Ended before the process is reaped for good: the guard must never meet somebody else's process of the same pid.
  child.once('exit', () => guard.kill('SIGKILL'))
  try {
    await waitUntilReady(child, options, log)
  } catch (error) {
    await end(child, 'SIGKILL')
    throw error
  }
  return {
    pid,
    log,
    hasEnded: () => hasEnded(child),
    stop: (signal = 'SIGTERM', withinMs) => end(child, signal, withinMs),
  }
}
