// Networks that go silent between us and the API server: no end, no reset, nothing arrives. Whoever leads stops before
// another begins, the webhook answers from what it knows, and what has changed meanwhile is known soon after.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Link, openLink } from '../parts/link.ts'
import { describeWithParts } from '../parts/require.ts'
import { until } from './api.ts'
import { namespace, team } from './cluster-objects.ts'
import { untilLeads } from './controller-pod.ts'
import type { Replica } from './installed.ts'
import { followLiveness } from './liveness.ts'
import type { Pod } from './pods.ts'
import { startWhole, type WholeCluster, wholeParts } from './whole-cluster.ts'

/** A Lease lasts 15 s, and is looked at every two. */
const FOLLOWED_WITHIN_MS = 25_000
/** What says nothing for 90 s is given up, and tried again after 15 s at most; then a list is due within a minute. */
const KNOWN_WITHIN_MS = 180_000
const SILENT_MS = 20_000
const MOMENT_MS = 3_000

describeWithParts('a network that goes silent', wholeParts, () => {
  let cluster: WholeCluster
  let replica: Replica
  const links = new Map<Pod, Link>()

  const behindLink = async <P extends Pod>(account: string, start: (args: readonly string[]) => Promise<P>) => {
    const { dir, server } = cluster.controlPlane
    const link = await openLink(Number(new URL(server).port))
    const file = join(dir, `kubeconfig-link-${link.port}`)
    const text = readFileSync(join(dir, `kubeconfig-${account}`), 'utf8')
    writeFileSync(file, text.replace(server, `https://127.0.0.1:${link.port}`), { mode: 0o600 })
    const pod = await start([`--kubeconfig=${file}`])
    links.set(pod, link)
    return pod
  }
  const linkOf = (pod: Pod) => links.get(pod) as Link
  const teams = () => replica.metric('portcullis_facts{kind="AuthTeam"}')
  const addTeam = async (name: string) => {
    expect(await cluster.api.create(namespace(name))).toMatchObject({ status: 201 })
    expect(await cluster.api.create(team(name, name, `${name}.example.com`))).toMatchObject({ status: 201 })
  }

  beforeAll(async () => {
    cluster = await startWhole(1)
    const { installed, controllers } = cluster
    const [firstReplica, firstController] = [installed.replicas[0] as Replica, controllers[0] as Pod]
    replica = await behindLink('portcullis-webhook', args => installed.start({ args }))
    await replica.ready()
    for (let made = 0; made < 2; made++)
      controllers.push(await behindLink('portcullis-controller', args => installed.startController({ args })))
    controllers.shift()
    await Promise.all([...controllers.map(each => each.ready()), firstReplica.terminate(), firstController.terminate()])
    await until('a route with the label is admitted', cluster.isServed)
  }, 300_000)

  afterAll(async () => {
    for (const link of links.values()) await link.close()
    await cluster?.stop()
  }, 60_000)

  test('around the leader: another leads in time, never beside it, and it waits for its turn when it is back', async () => {
    const [one, two] = cluster.controllers as [Pod, Pod]
    await until('one leads', async () => (await Promise.all([one, two].map(leads))).some(Boolean))
    const [leader, other] = (await leads(one)) ? [one, two] : [two, one]
    const liveness = followLiveness(() => cluster.controllers)
    const began = performance.now()
    linkOf(leader).silence()
    await until('the other leads', () => leads(other), FOLLOWED_WITHIN_MS)
    process.stdout.write(`led by the other after ${Math.round(performance.now() - began)} ms of silence\n`)
    expect(await leads(leader)).toBe(false)
    linkOf(leader).heal()
    await sleep(MOMENT_MS)
    await liveness.stop()
    expect(await leads(other)).toBe(true)
    expect(liveness.mostLeaders).toBe(1)
    expect([...liveness.answers.keys()]).toEqual([200])
    // It can lead again: nothing of it hangs on what was dead.
    await other.terminate()
    await untilLeads(leader)
  }, 120_000)

  test('around the only webhook: it stays ready, routes are served, and what was missed is known afterwards', async () => {
    const before = await teams()
    linkOf(replica).silence()
    await addTeam('missed')
    await sleep(SILENT_MS)
    expect(await teams()).toBe(before)
    expect(await replica.health('/readyz')).toMatchObject({ status: 200 })
    expect(await cluster.isServed()).toBe(true)
    const began = performance.now()
    linkOf(replica).heal()
    await until('the team is known', async () => (await teams()) === before + 1, KNOWN_WITHIN_MS)
    process.stdout.write(
      `a team was known ${Math.round(performance.now() - began)} ms after ${SILENT_MS} ms of silence\n`,
    )
  }, 260_000)

  test('on old connections alone: they are given up without anybody ending them', async () => {
    const before = await teams()
    linkOf(replica).silence('open')
    const began = performance.now()
    await addTeam('unheard')
    await until('the team is known', async () => (await teams()) === before + 1, KNOWN_WITHIN_MS)
    process.stdout.write(`a team was known ${Math.round(performance.now() - began)} ms after connections had died\n`)
    expect(await replica.health('/readyz')).toMatchObject({ status: 200 })
    expect(await cluster.isServed()).toBe(true)
    expect(await cluster.open()).toEqual([])
  }, 260_000)
})

async function leads(pod: Pod): Promise<boolean> {
  return (await pod.metric('portcullis_leader')) === 1
}
