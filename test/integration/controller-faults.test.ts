// The controller while things break: replicas that are paused, a Lease that is edited, an API server that refuses, stalls
// or dies. In the end everything is right, nobody wrote twice, and nothing was asked for in a hurry.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import type { KubeObject } from '../../src/core/types.ts'
import { describeWithParts } from '../parts/require.ts'
import { until } from './api.ts'
import { answered, apiFaults } from './api-faults.ts'
import { httpRoute, ingress, namespace, team } from './cluster-objects.ts'
import { type ControllerCluster, controllerParts, hasRecord, startControllerCluster } from './controller-cluster.ts'
import { logged, untilLeads } from './controller-pod.ts'
import { controllerReplicas, type Replica } from './controller-replicas.ts'
import { applied, succeeds } from './objects.ts'
import { print } from './print.ts'

const TAKEN_OVER_MS = 20_000
const GRACE_MS = 30_000

describeWithParts('the controller among faults', controllerParts, () => {
  let cluster: ControllerCluster
  const replicas = controllerReplicas(() => cluster)
  const { breaks, start, writes, writtenIn, renewals } = replicas

  beforeAll(async () => {
    cluster = await startControllerCluster()
    await cluster.withoutAdmission()
  }, 240_000)

  afterEach(() => replicas.end(), 120_000)

  afterAll(() => cluster?.stop(), 60_000)

  const two = async (): Promise<[Replica, Replica]> => {
    const first = await start('first')
    await untilLeads(first.pod)
    const second = await start('second')
    await second.pod.ready()
    // It has seen who leads.
    await sleep(3000)
    return [first, second]
  }
  const isReady = async (names: readonly string[]): Promise<boolean> => {
    const conditions = await Promise.all(names.map(each => cluster.ready(each)))
    // In these tests nobody is to be asked, which is said once nothing else is in the way.
    return conditions.every(({ status, reason }) => status === 'True' || reason === 'NotAsked')
  }
  const untilReady = async (names: readonly string[], withinMs: number) => {
    await until('all teams are ready', () => isReady(names), withinMs).catch(async error => {
      const conditions = await Promise.all(names.map(each => cluster.ready(each)))
      const teams = names.map((each, i) => `${each}: ${String(conditions[i]?.message)}`).join('\n')
      throw new Error(`${error.message}\n${teams}\n${replicas.log()}`)
    })
  }
  const several = (prefix: string, count: number) => {
    const names = Array.from({ length: count }, (_, i) => `${prefix}${i}`)
    const documents = names.flatMap(name => [namespace(name), team(name, name, `${name}.example.com`)])
    return { names, documents }
  }
  /** How often each object was made, as the API server has it. */
  const made = (of: readonly string[]) => {
    const counts = new Map<string, number>()
    for (const { resource, namespace: where, name, code } of cluster.audit.writes()) {
      if (code === 201 && of.includes(where) && !resource.startsWith('events')) {
        const id = `${resource} ${where}/${name}`
        counts.set(id, (counts.get(id) ?? 0) + 1)
      }
    }
    return counts
  }

  test('of two that start at once one leads and writes, and each object is made once', async () => {
    const { names, documents } = several('once', 5)
    await applied(cluster.controlPlane, ...documents)
    await Promise.all([start('a'), start('b')])
    await untilReady(names, 90_000)
    const by = new Set(writes().map(each => each.by))
    const counts = [...made(names).values()]
    print(`two at once: ${by.size} wrote, ${counts.length} objects, made ${Math.max(...counts)} time(s) at most`)
    expect(by.size).toBe(1)
    expect(counts.length).toBe(10)
    expect(Math.max(...counts)).toBe(1)
  }, 180_000)

  test('a leader that is paused between read and write writes nothing more once another leads', async () => {
    const [first, second] = await two()
    const { names, documents } = several('paused', 8)
    const held: (() => Promise<void>)[] = []
    breaks.set('first', ({ method, path }, response) => {
      if (method !== 'GET' || !path.includes('/namespaces/paused')) return false
      held.push(async () => {
        const { status, text } = await cluster.api.read(path)
        response.writeHead(status, { 'content-type': 'application/json' }).end(text)
      })
      return true
    })
    await applied(cluster.controlPlane, ...documents, inNamespace(ingress('old', 'old.paused0.example.com'), 'paused0'))
    await until('the first has read', () => held.length >= 3)
    const pausedAt = Date.now()
    process.kill(first.pod.part.pid, 'SIGSTOP')
    // They say "not there" to the first, which hears of it only when it goes on.
    for (const answer of held) await answer()
    await until('the second works', () => writtenIn('paused0', 'second').length > 0, 60_000)
    const took = (writtenIn('paused0', 'second')[0]?.at ?? 0) - pausedAt
    // Work for whoever leads: it is deleted, and made again. Not of one team all the time, which would be a fight.
    for (const name of names.slice(2)) {
      await succeeds(cluster.controlPlane, ['delete', 'securitypolicies', '--all', '-n', name])
      await sleep(3000)
    }
    await sleep(Math.max(0, pausedAt + 30_000 - Date.now()))
    breaks.clear()
    const continuedAt = Date.now()
    process.kill(first.pod.part.pid, 'SIGCONT')
    await until('the first knows', async () => (await first.pod.metric('portcullis_leader')) === 0)
    const knew = Date.now() - continuedAt
    await succeeds(cluster.controlPlane, ['delete', 'securitypolicies', '--all', '-n', 'paused1'])
    await sleep(5000)
    await untilReady(names, 60_000)
    const late = writes().filter(each => each.by === 'first' && each.at >= pausedAt)
    print(
      `paused for 30 s: followed after ${took} ms, it knew ${knew} ms after it went on; ` +
        `writes of the first since: ${late.length}, of the second: ${writes().filter(each => each.by === 'second').length}`,
    )
    expect(took).toBeLessThan(TAKEN_OVER_MS + 5000)
    expect(late).toEqual([])
    expect(await second.pod.metric('portcullis_leader')).toBe(1)
    expect(Math.max(...made(['paused0']).values())).toBe(1)
  }, 240_000)

  test('a Lease that is deleted stays with the leader, and one that is given to nobody is led again', async () => {
    const [first] = await two()
    await succeeds(cluster.controlPlane, ['delete', 'lease', 'portcullis-controller', '-n', 'portcullis'])
    await sleep(6000)
    expect(await first.pod.metric('portcullis_leader')).toBe(1)
    expect(logged(first.pod, 'leads no longer')).toEqual([])
    const editedAt = Date.now()
    const spec = JSON.stringify({ spec: { holderIdentity: 'nobody', leaseDurationSeconds: 100_000 } })
    await succeeds(cluster.controlPlane, [
      'patch',
      'lease',
      'portcullis-controller',
      '-n',
      'portcullis',
      '--type=merge',
      '-p',
      spec,
    ])
    await until('the first stops', async () => (await first.pod.metric('portcullis_leader')) === 0)
    const stopped = Date.now() - editedAt
    const { names, documents } = several('edited', 1)
    await applied(cluster.controlPlane, ...documents)
    await untilReady(names, 60_000)
    const by = new Set(writtenIn('edited0').map(each => each.by))
    print(`Lease edited: stopped after ${stopped} ms, somebody worked again after ${Date.now() - editedAt} ms`)
    expect(by.size).toBe(1)
    expect(Date.now() - editedAt).toBeLessThan(TAKEN_OVER_MS + 10_000)
  }, 180_000)

  test('errors of every kind are overcome, without a hot loop and without a lapse of the Lease', async () => {
    const faults = apiFaults(cluster.controlPlane)
    const kinds = Object.keys(faults)
    const names = [...kinds, 'broken'].map(each => `with-${each}`)
    const documents = names.flatMap(name => [
      namespace(name),
      team(name, name, `${name}.example.com`),
      inNamespace(ingress('old', `old.${name}.example.com`), name),
      httpRoute('cart', name, `cart.${name}.example.com`),
    ])
    const left = new Map(kinds.map(kind => [kind, faults[kind]?.times ?? 0]))
    let isBroken = true
    breaks.set('only', ({ method, path }, response, request, proxy) => {
      const kind = /\/namespaces\/with-([a-z0-9]+)\//.exec(path)?.[1] ?? ''
      if (kind === 'broken' && isBroken && method !== 'GET') return answered(response, 500)
      const times = left.get(kind) ?? 0
      const fault = faults[kind]
      if (fault === undefined || times === 0 || (method === 'GET') !== (times % 4 === 0)) return false
      left.set(kind, times - 1)
      return fault.does(response, request, proxy)
    })
    const only = await start('only')
    await untilLeads(only.pod)
    const began = Date.now()
    await applied(cluster.controlPlane, ...documents)
    const right = names.filter(name => name !== 'with-broken')
    const isRight = async () => {
      const routes = [...(await cluster.all('ingresses', '-A')), ...(await cluster.all('httproutes', '-A'))]
      const recorded = routes.filter(hasRecord).map(each => `${each.kind} ${String(each.metadata.namespace)}`)
      return (
        right.every(name => recorded.includes(`Ingress ${name}`) && recorded.includes(`HTTPRoute ${name}`)) &&
        isReady(right)
      )
    }
    await until('everything is right', isRight, 240_000).catch(error => {
      throw new Error(`${error.message}\n${JSON.stringify([...left])}\n${only.pod.log().slice(-6000)}`)
    })
    const took = Date.now() - began
    await sleep(Math.max(0, began + 60_000 - Date.now()))
    const inMinute = writtenIn('with-broken').filter(each => each.at < began + 60_000).length
    const counts = Object.fromEntries(names.map(name => [name, writtenIn(name).length]))
    const gaps = renewals('only').map(({ at }, i, all) => at - (all[i - 1]?.at ?? at))
    print(`faults: all right after ${took} ms; writes ${JSON.stringify(counts)}; left ${JSON.stringify([...left])}`)
    print(
      `always refused: ${inMinute} writes in a minute; Lease renewed ${gaps.length} times, longest gap ${Math.max(...gaps)} ms`,
    )
    expect([...left.values()].every(each => each === 0)).toBe(true)
    expect(Math.max(...gaps)).toBeLessThan(8000)
    expect(logged(only.pod, 'leads no longer')).toEqual([])
    for (const name of right) expect(counts[name]).toBeLessThan(60)
    expect(inMinute).toBeLessThan(150)
    isBroken = false
    await until('the last is right', () => isReady(['with-broken']), 90_000)
  }, 420_000)

  test('an API server that dies while it is written to, and comes back, ends up with everything', async () => {
    const only = await start('only')
    await untilLeads(only.pod)
    const { names, documents } = several('restart', 15)
    await applied(cluster.controlPlane, ...documents)
    await until('it writes', () => writes().length > 8)
    const killedAt = Date.now()
    await cluster.controlPlane.restartApiServer(() => sleep(3000))
    const backAt = Date.now()
    await untilReady(names, 120_000)
    const away = replicas.sent.filter(({ at }) => at > killedAt && at < backAt).length
    print(
      `API server away for ${backAt - killedAt} ms: ${away} requests meanwhile, all right ${Date.now() - backAt} ms later`,
    )
    expect(Math.max(...made(names).values())).toBe(1)
  }, 240_000)

  test('a leader that is told to end in the middle of its work gives the Lease back, and the other finishes', async () => {
    const [first, second] = await two()
    const { names, documents } = several('ending', 15)
    await applied(cluster.controlPlane, ...documents)
    await until('it writes', () => writes().length > 5)
    const endedAt = Date.now()
    const before = writes().length
    await first.pod.terminate()
    const took = Date.now() - endedAt
    await until('the other works', () => writes().some(each => each.by === 'second'))
    const followed = (writes().find(each => each.by === 'second')?.at ?? 0) - endedAt
    await untilReady(names, 90_000)
    const last = writes().findLast(each => each.by === 'first')?.at ?? 0
    print(`told to end after ${before} writes: ended after ${took} ms, followed after ${followed} ms`)
    expect(took).toBeLessThan(GRACE_MS)
    expect(logged(first.pod, 'shutting down').length).toBe(1)
    expect(followed).toBeLessThan(took + 3000)
    expect(writes().every(each => each.by === 'first' || each.at > last)).toBe(true)
    expect(Math.max(...made(names).values())).toBe(1)
    expect(await second.pod.metric('portcullis_leader')).toBe(1)
  }, 240_000)
})

function inNamespace({ metadata, ...rest }: KubeObject, of: string): KubeObject {
  return { ...rest, metadata: { ...metadata, namespace: of } }
}
