// What Portcullis asks of the API server while nothing happens, as its audit log has it: two controllers and three webhooks
// with certificates of their own.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { array, object } from '../../src/core/json.ts'
import { one } from '../manifests/documents.ts'
import { describeWithParts } from '../parts/require.ts'
import { until } from './api.ts'
import type { Asked } from './audit.ts'
import { auditedParts } from './audited-cluster.ts'
import { TEAM } from './faults.ts'
import { type SelfCluster, startSelfCluster } from './self-cluster.ts'

const WINDOW_S = 60
/** Nothing has been written for so long but the Lease, and trials. */
const REST_MS = 15_000
const TRIAL = 'create ingresses.networking.k8s.io'
const RENEWAL = 'patch leases.coordination.k8s.io'

describeWithParts('Portcullis at rest', auditedParts, () => {
  let cluster: SelfCluster

  beforeAll(async () => {
    cluster = await startSelfCluster()
    const { installed, api } = cluster
    const pods = await Promise.all([
      ...[0, 1, 2].map(() => installed.start()),
      ...[0, 1].map(() => installed.startController()),
    ])
    await Promise.all(pods.map(each => each.ready()))
    await until('a team is admitted', async () => (await api.create(TEAM)).status === 201)
    await cluster.serves()
    const isAtRest = () => {
      const busy = cluster.audit.asked().filter(each => !CONSTANT.has(what(each)))
      return Date.now() - Math.max(...busy.map(({ at }) => at)) > REST_MS
    }
    await until('nothing happens any more', isAtRest, 120_000)
  }, 300_000)

  afterAll(() => cluster?.stop(), 60_000)

  test(`asks less than once a second: two controllers and three webhooks, counted for ${WINDOW_S} seconds`, async () => {
    const from = Date.now()
    await sleep(WINDOW_S * 1000)
    const asked = cluster.audit.asked().filter(({ at }) => at >= from)
    const counts = new Map<string, number>()
    for (const each of asked) counts.set(what(each), (counts.get(what(each)) ?? 0) + 1)
    const most = [...counts].sort((a, b) => b[1] - a[1]).map(([kind, count]) => `${count} ${kind}`)
    process.stdout.write(`at rest for ${WINDOW_S} s: ${asked.length} requests: ${most.join(', ')}\n`)
    expect(asked.length).toBeLessThan(WINDOW_S)
    const count = (kind: string) => counts.get(kind) ?? 0
    // Only who leads renews; who waits hears of it.
    expect(count(RENEWAL)).toBeLessThanOrEqual(WINDOW_S / 2 + 1)
    expect(count('get leases.coordination.k8s.io')).toBeLessThanOrEqual(WINDOW_S / 10)
    // Each replica of the webhook and the leader: once in 45 seconds at most.
    expect(count('get secrets.')).toBeLessThanOrEqual(4 * Math.ceil(WINDOW_S / 45))
    for (const kind of ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'])
      expect(count(`get ${kind}.admissionregistration.k8s.io`)).toBeLessThanOrEqual(Math.ceil(WINDOW_S / 45))
    // A trial is there to be refused.
    expect(asked.filter(each => each.code >= 400 && what(each) !== TRIAL)).toEqual([])
  }, 120_000)

  test('has used each right to read by name that the webhook has', () => {
    const used = new Set(
      cluster.audit.asked().map(({ user, verb, resource, name }) => `${user} ${verb} ${resource} ${name}`),
    )
    const [rule] = array(one('Role', 'portcullis-webhook').rules).map(object)
    const user = 'system:serviceaccount:portcullis:portcullis-webhook'
    const given = array(rule?.verbs).map(verb => `${user} ${verb} secrets. portcullis-ca`)
    expect(given.length).toBe(3)
    expect(given.filter(each => !used.has(each))).toEqual([])
  })
})

const CONSTANT: ReadonlySet<string> = new Set([TRIAL, RENEWAL])

function what({ verb, resource }: Asked): string {
  return `${verb} ${resource}`
}
