// Kills the API server of a control plane and starts it again, on the same port and with the same etcd.
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type RunningPart, startPart } from '../parts/process.ts'

/** Nothing but the process that was started with this folder for its certificates. */
function findApiServer(dir: string): { pid: number; command: string; args: string[] } {
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    const [command = '', ...args] = readArguments(pid)
    if (command.endsWith('kube-apiserver') && args.includes(`--cert-dir=${dir}`)) {
      return { pid: Number(pid), command, args: args.filter(each => each !== '') }
    }
  }
  throw new Error(`no API server runs in ${dir}`)
}

function readArguments(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}

/** `whileAway` runs when it is gone. The part that is given back has to be stopped before the control plane is. */
export async function restartApiServer(
  dir: string,
  isReady: () => Promise<boolean>,
  whileAway: () => Promise<void>,
): Promise<RunningPart> {
  const { pid, command, args } = findApiServer(dir)
  process.kill(pid, 'SIGKILL')
  while (isThere(pid)) await sleep(20)
  await whileAway()
  return startPart({ name: 'kube-apiserver-again', command, args, dir, ready: isReady })
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
