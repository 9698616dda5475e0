// Companions and routes that somebody breaks, and how long each stays so.
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { object, strings } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import type { Connection } from '../../src/kube/connection.ts'
import { objectPath, refOf } from '../../src/kube/kinds.ts'

const EVERY_MS = 20
const AT_ONCE = 4
const TIMEOUT_MS = 10_000
const GIVE_UP_MS = 120_000

/** ms of each. Every second one is deleted, the others lose what they are about. */
export function repairCompanions(connection: Connection, companions: readonly KubeObject[]): Promise<number[]> {
  return timed(connection, companions, async (companion, index) => {
    const path = objectPath(refOf(companion))
    if (index % 2 === 0) await send(connection, 'DELETE', path)
    else await send(connection, 'PATCH', path, { spec: edited(companion) })
  })
}

/** ms of each: an Ingress loses its login and keeps the record, an HTTPRoute loses its record. */
export function repairRoutes(connection: Connection, routes: readonly KubeObject[]): Promise<number[]> {
  return timed(connection, routes, async route => {
    const login = route.kind === 'Ingress' ? /\/auth-/ : /^auth\.example\//
    const ours = Object.keys(strings(route.metadata.annotations)).filter(key => login.test(key))
    const annotations = Object.fromEntries(ours.map(key => [key, null]))
    await send(connection, 'PATCH', objectPath(refOf(route)), { metadata: { annotations } })
  })
}

function edited({ kind }: KubeObject): object {
  if (kind === 'SecurityPolicy') return { authorization: { defaultAction: 'Allow' } }
  return kind === 'Ingress' ? { rules: [{ host: 'elsewhere.example.com' }] } : { hostnames: ['elsewhere.example.com'] }
}

async function timed(
  connection: Connection,
  objects: readonly KubeObject[],
  break_: (object: KubeObject, index: number) => Promise<void>,
): Promise<number[]> {
  const times: number[] = []
  const left = [...objects.entries()].reverse()
  const work = async () => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      await break_(next[1], next[0])
      times.push(await untilSame(connection, next[1]))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return times
}

async function untilSame(connection: Connection, before: KubeObject): Promise<number> {
  const began = performance.now()
  for (;;) {
    const { status, body } = await connection.request({ path: objectPath(refOf(before)), timeoutMs: TIMEOUT_MS })
    const ms = performance.now() - began
    if ((status === 200 && isSame(object(JSON.parse(body)), before)) || ms > GIVE_UP_MS) return ms
    await sleep(EVERY_MS)
  }
}

/** When it was put right is written beside it. */
function isSame(now: ReturnType<typeof object>, { metadata, spec }: KubeObject): boolean {
  const annotations = (of: unknown) => ({ ...strings(object(of).annotations), 'auth.example/since': '' })
  return isDeepStrictEqual(now.spec, spec) && isDeepStrictEqual(annotations(now.metadata), annotations(metadata))
}

async function send(connection: Connection, method: 'DELETE' | 'PATCH', path: string, changes?: object): Promise<void> {
  const patch = { contentType: 'application/merge-patch+json', body: JSON.stringify(changes) }
  const { status, body } = await connection.request({
    method,
    path,
    timeoutMs: TIMEOUT_MS,
    ...(changes === undefined ? {} : patch),
  })
  if (status !== 200) throw new Error(`${method} ${path}: ${status} ${body.slice(0, 300)}`)
}
