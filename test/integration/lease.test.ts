// The Lease between real processes, on a real API server: one that is paused, killed, told to stop; one that is edited.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { object } from '../../src/core/json.ts'
import { type Connection, connect } from '../../src/kube/connection.ts'
import { readEvent } from '../../src/kube/read.ts'
import type { Writer } from '../../src/kube/write.ts'
import { createWriter } from '../../src/kube/writer.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { describeWithParts } from '../parts/require.ts'
import { until } from './api.ts'

const LEASE = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'default', name: 'portcullis' }
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
/** How long after the leader is gone without a word somebody else has to work. */
const TAKEN_OVER_MS = 20_000
const GIVEN_MS = 3000

type Said = { at: number; isLeader?: boolean; ended?: number; log?: string }
type Holder = { readonly name: string; readonly process: ChildProcess; readonly said: Said[]; leads(): boolean }
type Write = { readonly at: number; readonly by: string }

describeWithParts('a Lease on a real API server', controlPlaneParts, () => {
  let controlPlane: ControlPlane
  let connection: Connection
  let writer: Writer
  let writes: Write[] = []
  let watching = new AbortController()
  const holders: Holder[] = []

  beforeAll(async () => {
    controlPlane = await startControlPlane({ dir: mkdtempSync(join(tmpdir(), 'portcullis-')) })
    connection = await connect(controlPlane.kubeconfig, {})
    writer = createWriter(connection)
  }, 120_000)

  beforeEach(async () => {
    writes = []
    watching = new AbortController()
    await recordWrites(connection, writes, watching.signal)
  })

  afterEach(async () => {
    for (const { process } of holders.splice(0)) {
      process.kill('SIGKILL')
      if (process.exitCode === null && process.signalCode === null) await once(process, 'exit')
    }
    watching.abort()
    // Whoever begins next must not find what was left behind.
    const lease = await writer.get(LEASE)
    if (lease.outcome === 'done') await writer.remove(LEASE, String(lease.object.metadata.uid))
  })

  afterAll(async () => {
    connection?.close()
    await controlPlane?.stop()
  })

  const start = (name: string): Holder => {
    const holder = startHolder(controlPlane.kubeconfig, name)
    holders.push(holder)
    return holder
  }
  const workedAfter = (by: string, at: number) => writes.some(write => write.by === by && write.at > at)
  const untilWorks = (holder: Holder, at = 0) =>
    until(`${holder.name} works`, async () => holder.leads() && workedAfter(holder.name, at))
  /** Two that have begun, the first of which leads. */
  const two = async (): Promise<[Holder, Holder]> => {
    const first = start('first')
    await untilWorks(first)
    const second = start('second')
    await until('the second is there', async () => second.said.length > 0)
    // It has seen who leads.
    await sleep(3000)
    return [first, second]
  }
  const edit = async (value: object): Promise<void> => {
    const patch = JSON.stringify({ spec: value })
    const args = ['patch', 'lease', 'portcullis', '--type=merge', '-p', patch]
    expect(await controlPlane.kubectl(args)).toMatchObject({ code: 0 })
  }
  /** Who wrote, in order, without repetitions. */
  const order = () => writes.map(({ by }) => by).filter((by, i, all) => by !== all[i - 1])

  test('of three that begin at once one leads, and only that one works', async () => {
    const all = ['a', 'b', 'c'].map(start)
    await until('one works', async () => all.some(({ leads }) => leads()) && writes.length > 0)
    await sleep(8000)
    expect(all.filter(({ leads }) => leads()).length).toBe(1)
    expect(order()).toEqual(all.filter(({ leads }) => leads()).map(({ name }) => name))
  }, 90_000)

  test('a leader that is paused is followed within 20 s, and does nothing when it goes on', async () => {
    const [first, second] = await two()
    const pausedAt = Date.now()
    first.process.kill('SIGSTOP')
    await untilWorks(second, pausedAt)
    const took = firstAfter(writes, 'second', pausedAt) - pausedAt
    await sleep(Math.max(0, pausedAt + 30_000 - Date.now()))
    const continuedAt = Date.now()
    const [told] = [first.said.length]
    first.process.kill('SIGCONT')
    await until('the first knows that it leads no more', async () => !first.leads())
    await sleep(5000)
    const knew = (first.said.slice(told).find(({ isLeader }) => isLeader === false)?.at ?? 0) - continuedAt
    print(`paused: followed after ${took} ms; it knew ${knew} ms after it went on, ${writes.length} writes in all`)
    expect(took).toBeLessThan(TAKEN_OVER_MS)
    // One that was sent before the pause may have been stored in it, but none after somebody else began.
    expect(order()).toEqual(['first', 'second'])
    expect(second.leads()).toBe(true)
  }, 120_000)

  test('a leader that is killed is followed within 20 s', async () => {
    const [first, second] = await two()
    const killedAt = Date.now()
    first.process.kill('SIGKILL')
    await untilWorks(second, killedAt)
    const took = firstAfter(writes, 'second', killedAt) - killedAt
    print(`killed: followed after ${took} ms`)
    expect(took).toBeLessThan(TAKEN_OVER_MS)
    expect(order()).toEqual(['first', 'second'])
  }, 90_000)

  test('a leader that is told to stop is followed within 3 s, and nobody works beside it', async () => {
    let [leader, next] = await two()
    for (let round = 0; round < 3; round++) {
      const stoppedAt = Date.now()
      leader.process.kill('SIGTERM')
      await untilWorks(next, stoppedAt)
      const took = firstAfter(writes, next.name, stoppedAt) - stoppedAt
      if (leader.process.exitCode === null) await once(leader.process, 'exit')
      print(`told to stop: followed after ${took} ms, over after ${Date.now() - stoppedAt} ms at the latest`)
      expect(took).toBeLessThan(GIVEN_MS)
      expect(leader.process.exitCode).toBe(0)
      const fresh = start(`fresh-${round}`)
      await until('the next is there', async () => fresh.said.length > 0)
      await sleep(3000)
      ;[leader, next] = [next, fresh]
    }
    expect(order()).toEqual(['first', 'second', 'fresh-0', 'fresh-1'])
  }, 120_000)

  test('a Lease that is deleted, or emptied by hand, stays with the leader', async () => {
    const [first] = await two()
    await controlPlane.kubectl(['delete', 'lease', 'portcullis'])
    await sleep(8000)
    await edit({ holderIdentity: '' })
    await sleep(8000)
    await edit({ holderIdentity: null })
    await sleep(8000)
    const lease = await writer.get(LEASE)
    if (lease.outcome !== 'done') throw new Error(lease.outcome)
    expect(lease.object.spec).toMatchObject({ holderIdentity: 'first', leaseDurationSeconds: 15 })
    expect(first.said.filter(({ isLeader }) => isLeader === false)).toEqual([])
    expect(order()).toEqual(['first'])
  }, 90_000)

  test('a Lease that is given to somebody else by hand stops the leader, and is led again within 20 s', async () => {
    const [first, second] = await two()
    const editedAt = Date.now()
    await edit({ holderIdentity: 'nobody', leaseDurationSeconds: 100_000 })
    await until('the first stops', async () => !first.leads())
    const stopped = Date.now() - editedAt
    await until('one works', async () =>
      [first, second].some(each => each.leads() && workedAfter(each.name, Date.now() - 1000)),
    )
    print(`given to somebody else: stopped after ${stopped} ms, led again after ${Date.now() - editedAt} ms`)
    expect(stopped).toBeLessThan(GIVEN_MS + 2000)
    expect(Date.now() - editedAt).toBeLessThan(TAKEN_OVER_MS)
  }, 90_000)

  test('without an API server the leader stops before its Lease is over, and one leads when it is back', async () => {
    const [first, second] = await two()
    const awayAt = Date.now()
    await controlPlane.restartApiServer(async () => {
      await until('the first stops', async () => !first.leads())
      print(`API server away: stopped after ${Date.now() - awayAt} ms`)
      expect(Date.now() - awayAt).toBeLessThan(15_000)
    })
    await until('one leads', async () => first.leads() || second.leads())
    await sleep(5000)
    expect([first, second].filter(({ leads }) => leads()).length).toBe(1)
  }, 120_000)
})

function startHolder(kubeconfig: string, name: string): Holder {
  const program = join(import.meta.dirname, 'lease-holder.ts')
  const child = spawn(process.execPath, [program, kubeconfig, name], { stdio: ['ignore', 'pipe', 'inherit'] })
  const said: Said[] = []
  createInterface({ input: child.stdout }).on('line', line => said.push(JSON.parse(line)))
  const leads = () => said.findLast(({ isLeader }) => isLeader !== undefined)?.isLeader ?? false
  return { name, process: child, said, leads }
}

/** In the order in which the API server stored them. */
async function recordWrites(connection: Connection, writes: Write[], signal: AbortSignal): Promise<void> {
  const list = await connection.request({ path: CONFIG_MAPS, timeoutMs: 10_000 })
  const version = String(object(JSON.parse(list.body).metadata).resourceVersion)
  const path = `${CONFIG_MAPS}?watch=true&resourceVersion=${version}&timeoutSeconds=300`
  const stream = await connection.stream({ path, timeoutMs: 10_000, signal })
  if (!('chunks' in stream)) throw new Error(stream.body)
  const read = async () => {
    let rest = ''
    for await (const chunk of stream.chunks) {
      const lines = `${rest}${chunk}`.split('\n')
      rest = lines.pop() ?? ''
      for (const event of lines.map(readEvent)) {
        if (event?.type === 'put') writes.push({ at: Date.now(), by: String(object(event.object.data).by) })
      }
    }
  }
  read().catch(() => {})
}

function firstAfter(writes: readonly Write[], by: string, at: number): number {
  return writes.find(write => write.by === by && write.at > at)?.at ?? Number.NaN
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
