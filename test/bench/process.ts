// Starts a server of the benchmark on one core, and ends it.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

export type Running = {
  readonly port: number
  /** Processor time so far; NaN where the system has no /proc. */
  cpuMs(): number
  stop(): Promise<void>
}

/** Linux counts it in hundredths of a second. */
const TICK_MS = 10

const READY_WITHIN_MS = 15_000

/** Whether client and server can have a core each. */
export const canPin = availableParallelism() > 1 && spawnSync('taskset', ['--version']).error === undefined

/** This process, with all its threads, on one core. */
export function pinSelf(core: number): void {
  if (canPin) spawnSync('taskset', ['-a', '-c', '-p', `${core}`, `${process.pid}`])
}

/** Ready when its output, which goes to a file as a container's does, has a line "ready: …<port>". */
export async function start(args: readonly string[], core: number, log: string): Promise<Running> {
  const output = openSync(log, 'w')
  const command = [process.execPath, ...args]
  const [first, ...rest] = canPin ? ['taskset', '-c', `${core}`, ...command] : command
  const child = spawn(first!, rest, { stdio: ['ignore', output, 'inherit'] })
  closeSync(output)
  const port = await portIn(log, child)
  return { port, cpuMs: () => cpuMs(child.pid), stop: () => stop(child) }
}

/** Of a process, so far; NaN where the system has no /proc. */
export function cpuMs(pid: number | undefined): number {
  try {
    // Behind the name, which may hold anything: the state is the first field, user and system time are the 12th and 13th.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS
  } catch {
    return Number.NaN
  }
}

async function portIn(log: string, child: ChildProcess): Promise<number> {
  const deadline = performance.now() + READY_WITHIN_MS
  while (performance.now() < deadline && child.exitCode === null) {
    const port = /^ready: (?:https:\/\/localhost:)?(\d+)/m.exec(readFileSync(log, 'utf8'))?.[1]
    if (port !== undefined) return Number(port)
    await sleep(50)
  }
  await stop(child)
  throw new Error(`${child.spawnargs.join(' ')} was not ready; its output: ${readFileSync(log, 'utf8').slice(0, 500)}`)
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}
