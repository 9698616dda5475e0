// Everything that becomes of some kinds of object, event by event, as the API server's own watches tell it.
import type { IncomingMessage } from 'node:http'
import { Agent, get } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { identity } from '../../src/core/companions.ts'
import { array, object, string } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import type { ControlPlane } from '../parts/control-plane.ts'
import { type Api, credentials } from './api.ts'

export type Recorded = {
  readonly type: 'put' | 'remove'
  readonly object: KubeObject
  readonly version: bigint
  /** When it was heard of, in ms since the epoch. */
  readonly at: number
}

export type Recorder = {
  /** Events of all kinds so far. */
  readonly count: number
  /** All that has happened until now, in the order in which it did: of one etcd, versions are one sequence. */
  upToNow(): Promise<readonly Recorded[]>
  stop(): void
}

/** What there is already comes first. `paths`: of lists. `hear` is told of what comes after that, at once. */
export async function record(
  controlPlane: ControlPlane,
  api: Api,
  paths: readonly string[],
  hear: (event: Recorded) => void = () => {},
): Promise<Recorder> {
  const { authorization, ca } = credentials(controlPlane)
  const agent = new Agent({ keepAlive: true, ca })
  const events: Recorded[] = []
  const faults: string[] = []
  const streams: IncomingMessage[] = []
  const receive = (line: string) => {
    const { type, object: found } = JSON.parse(line) as { type: string; object: KubeObject }
    if (type === 'ERROR') {
      faults.push(line)
      return
    }
    const event = recorded(type === 'DELETED' ? 'remove' : 'put', found)
    events.push(event)
    hear(event)
  }
  for (const path of paths) {
    const { items, version } = await listed(api, path)
    events.push(...items.map(each => recorded('put', each)))
    const address = `${controlPlane.server}${path}?watch=1&resourceVersion=${version}&timeoutSeconds=3600`
    streams.push(await follow(address, { agent, headers: { authorization } }, receive))
  }
  return {
    get count() {
      return events.length
    },
    async upToNow() {
      const now = await Promise.all(paths.map(path => listed(api, path)))
      for (;;) {
        if (faults.length > 0) throw new Error(faults.join('\n'))
        const ordered = [...events].sort((a, b) => (a.version < b.version ? -1 : 1))
        if (isComplete(ordered, now)) return ordered
        await sleep(50)
      }
    },
    stop() {
      for (const stream of streams) stream.destroy()
      agent.destroy()
    },
  }
}

type Listed = { readonly items: readonly KubeObject[]; readonly version: string }

async function listed(api: Api, path: string): Promise<Listed> {
  const { status, body, message } = await api.send('GET', path)
  if (status !== 200) throw new Error(`${path}: ${message}`)
  const apiVersion = String(body.apiVersion)
  const kind = String(body.kind).replace(/List$/, '')
  const items = array(body.items).map(each => ({ ...object(each), apiVersion, kind }) as KubeObject)
  return { items, version: string(object(body.metadata).resourceVersion) ?? '' }
}

/** Whether the events lead to what the API server has, or beyond. */
function isComplete(events: readonly Recorded[], now: readonly Listed[]): boolean {
  const latest = new Map(events.map(event => [identity(event.object), event]))
  const there = new Map(now.flatMap(({ items }) => items.map(each => [identity(each), each] as const)))
  const isKnown = [...there].every(([id, each]) => (latest.get(id)?.version ?? 0n) >= versionOf(each))
  const isGone = [...latest].every(([id, { type, version }]) => {
    return type === 'remove' || there.has(id) || now.every(list => version > BigInt(list.version))
  })
  return isKnown && isGone
}

function recorded(type: 'put' | 'remove', found: KubeObject): Recorded {
  return { type, object: found, version: versionOf(found), at: Date.now() }
}

function versionOf({ metadata }: KubeObject): bigint {
  return BigInt(String(metadata.resourceVersion))
}

/** Resolves once the watch has begun. */
function follow(
  address: string,
  options: { readonly agent: Agent; readonly headers: { readonly authorization: string } },
  receive: (line: string) => void,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(address, options, response => {
      if (response.statusCode !== 200) reject(new Error(`${address}: ${response.statusCode}`))
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        const lines = (text + chunk).split('\n')
        text = lines.pop() ?? ''
        for (const line of lines) receive(line)
      })
      response.on('error', () => {})
      resolve(response)
    }).on('error', reject)
  })
}
