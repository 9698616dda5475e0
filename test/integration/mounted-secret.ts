// What a kubelet does about a Secret that a pod mounts and may do without: its data as files, exchanged all at once, some
// time after they have changed.
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type JsonObject, object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { type Api, pathOf } from './api.ts'

export type Mounted = { stop(): Promise<void> }

const LOOK_MS = 200

/** `delayMs`: a kubelet looks about once a minute at each of its pods, so it may be anything up to more than that. */
export function mountSecret(api: Api, secret: KubeObject, folder: string, delayMs: number): Mounted {
  let [stopped, turn, written] = [false, 0, '{}']
  mkdirSync(folder, { recursive: true })
  const read = async () => {
    const { status, body } = await api.send('GET', pathOf(secret))
    if (status !== 200 && status !== 404) throw new Error(`the Secret cannot be read: ${status}`)
    return object(body.data)
  }
  const look = async () => {
    if (JSON.stringify(await read()) === written) return
    await sleep(delayMs)
    const data = await read()
    exchange(folder, data, `..${turn++}`)
    written = JSON.stringify(data)
  }
  const run = async () => {
    // An API server that is away is no reason to take files away.
    for (; !stopped; await sleep(LOOK_MS)) await look().catch(() => {})
  }
  const running = run()
  return {
    stop() {
      stopped = true
      return running
    },
  }
}

/** Names in the folder are links through `..data`, which is all that changes: nobody sees half of a change. */
function exchange(folder: string, data: JsonObject, version: string): void {
  mkdirSync(join(folder, version))
  for (const [name, value] of Object.entries(data))
    writeFileSync(join(folder, version, name), Buffer.from(String(value), 'base64'))
  link(version, join(folder, '..data'))
  for (const name of Object.keys(data)) link(join('..data', name), join(folder, name))
  const gone = readdirSync(folder).filter(name => !name.startsWith('..') && !(name in data))
  for (const name of gone) rmSync(join(folder, name))
}

function link(to: string, path: string): void {
  const next = `${path}.new`
  rmSync(next, { force: true })
  symlinkSync(to, next)
  renameSync(next, path)
}
