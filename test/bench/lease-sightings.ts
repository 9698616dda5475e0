// The controller's Lease, looked at again and again: how long it went without being renewed, and who held it.
import { setTimeout as sleep } from 'node:timers/promises'
import { object } from '../../src/core/json.ts'
import type { Connection } from '../../src/kube/connection.ts'

export type Sightings = {
  /** The longest time in seconds between two renewals since the last call, and how often somebody else held it. */
  take(): { readonly longestGap: number; readonly changes: number }
  stop(): Promise<void>
}

const PATH = '/apis/coordination.k8s.io/v1/namespaces/portcullis/leases/portcullis-controller'
const EVERY_MS = 200
const TIMEOUT_MS = 10_000

export function watchLease(connection: Connection): Sightings {
  let stopped = false
  let last: { readonly holder: string; readonly renewed: number } | undefined
  let longest = 0
  let changes = 0
  const look = async () => {
    const { status, body } = await connection.request({ path: PATH, timeoutMs: TIMEOUT_MS })
    if (status !== 200) return
    const { holderIdentity, renewTime } = object(object(JSON.parse(body)).spec)
    const seen = { holder: String(holderIdentity), renewed: Date.parse(String(renewTime)) }
    if (last !== undefined && seen.holder === last.holder) longest = Math.max(longest, seen.renewed - last.renewed)
    if (last !== undefined && seen.holder !== last.holder) changes++
    last = seen
  }
  const looking = (async () => {
    while (!stopped) {
      await look().catch(() => {})
      await sleep(EVERY_MS)
    }
  })()
  return {
    take() {
      const taken = { longestGap: longest / 1000, changes }
      longest = 0
      changes = 0
      return taken
    },
    stop() {
      stopped = true
      return looking
    },
  }
}
