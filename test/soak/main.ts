// `npm run soak`: Portcullis as it ships on a real API server, for an hour, with routes, labels and teams that come and go,
// guards and caBundles that are broken, authorities that follow each other, pods and the API server that are restarted.
// --minutes: for how long; --svg FILE: what its processes held, drawn. Fails on any route that got in without its login, any
// request that failed, anything that was not repaired, and where no authority followed another.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { object, string } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { shippedWith } from '../bench/shipped.ts'
import { until } from '../integration/api.ts'
import { CONFIG, ENVOY, GATEWAY, namespace } from '../integration/cluster-objects.ts'
import { labelled, unlabelled } from '../integration/faults.ts'
import type { Start } from '../integration/installed.ts'
import { failed, notYet, type Sent, startLoad, unprotected } from '../integration/load.ts'
import { applied } from '../integration/objects.ts'
import { ROOT } from '../integration/pods.ts'
import { startWhole, type WholeCluster } from '../integration/whole-cluster.ts'
import { type Churned, churnRoutes, churnTeams } from './churn.ts'
import { type Gate, gateUntil } from './gate.ts'
import { lateByOthers } from './late.ts'
import { breakThings, guards, type Repairs } from './repairs.ts'
import { OURS, report } from './report.ts'
import { type Restarts, restartApiServer, restartPods } from './restarts.ts'
import { sample } from './sample.ts'
import { draw, type Series } from './svg.ts'

const MINUTE_MS = 60_000
const PER_SECOND = 20
const SAMPLES = 240
const ROTATIONS = 10
const AUTHORITIES = '/api/v1/namespaces/portcullis/secrets/portcullis-ca'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    svg: { type: 'string', default: 'soak.svg' },
    bundle: { type: 'string', default: join(ROOT, 'dist/portcullis.js') },
  },
})
const minutes = Number(values.minutes)
if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes} is no number of minutes`)
/** Of which two thirds pass until the next one is published. */
const authoritySeconds = Math.ceil(Math.max(45, (minutes * 60 * 1.5) / ROTATIONS) / 9) * 9
const certificates = {
  mode: 'self',
  authoritySeconds,
  leafSeconds: authoritySeconds / 3,
  // Less than goes by between two caBundles that are overwritten.
  overlapSeconds: Math.min(10, authoritySeconds / 9),
}
const { flags, env } = shippedWith(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'))
const start: Start = { config: { ...CONFIG, certificates } as unknown as KubeObject, bundle: values.bundle, flags, env }

const cluster = await startWhole(2, start)
try {
  await applied(cluster.controlPlane, namespace('gateways'), ENVOY, GATEWAY)
  await until('there are guards', async () => (await guards(cluster.api)).length > 0, MINUTE_MS)
  process.exitCode = await soak(cluster)
} finally {
  await cluster.stop()
}

async function soak(all: WholeCluster): Promise<number> {
  const gate = gateUntil(performance.now() + minutes * MINUTE_MS)
  const churned: Churned = { made: 0, changed: 0, removed: 0, teams: 0, again: 0, failed: [], unprotected: [] }
  const repairs: Repairs = { guards: [], bundles: [], missed: [] }
  const restarts: Restarts = { webhooks: 0, controllers: 0, apiServer: 0 }
  const sent: Sent[] = []
  const open = new Set<string>()
  const signed = new Set<string>()
  const everyMs = Math.max(30_000, (minutes * MINUTE_MS) / 20)
  const [series] = await Promise.all([
    watch(all, gate),
    ask(all, gate, sent),
    churnRoutes(all.api, gate, churned),
    churnTeams(all.api, gate, churned),
    breakThings(all.api, gate, repairs),
    restartPods(all, start, everyMs, gate, restarts),
    restartApiServer(all, Math.max(MINUTE_MS, everyMs * 4), gate, restarts),
    lookForOpen(all, gate, open),
    lookWhoSigns(all, gate, signed),
  ])
  // The others hold so much more that nothing would be seen.
  const ours = series.filter(({ name }) => OURS.includes(name))
  writeFileSync(values.svg, draw(`Portcullis for ${minutes} minutes`, ours))
  const requests = {
    sent: sent.length,
    failed: failed(sent),
    late: lateByOthers([...failed(sent), ...churned.failed], sent),
    notYet: notYet(sent).length,
    unprotected: unprotected(sent),
  }
  return report({
    minutes,
    series,
    churned,
    repairs,
    restarts,
    // The first one followed nobody.
    authorities: signed.size - 1,
    requests,
    open: [...open],
    svg: values.svg,
  })
}

/** Of the processes that stay. */
async function watch({ installed, controllers, controlPlane }: WholeCluster, gate: Gate): Promise<Series[]> {
  const began = performance.now()
  const stay = [
    { name: 'webhook', pid: () => webhook?.part.pid },
    { name: 'controller', pid: () => controller?.part.pid },
    { name: 'API server', pid: () => controlPlane.processes().apiServer.pid },
    { name: 'etcd', pid: () => controlPlane.processes().etcd.pid },
  ]
  const [webhook, controller] = [installed.replicas[0], controllers[0]]
  const series = stay.map(({ name }) => ({ name, samples: [] as Series['samples'][number][] }))
  while (!gate.isOver()) {
    const hours = (performance.now() - began) / (60 * MINUTE_MS)
    for (const [i, { pid }] of stay.entries()) {
      const one = sample(pid() ?? 0, hours)
      if (one !== undefined) series[i]?.samples.push(one)
    }
    await sleep(Math.max(1_000, (minutes * MINUTE_MS) / SAMPLES))
  }
  return series
}

/** Asks at a steady rate, but for when the API server is away. */
async function ask({ controlPlane }: WholeCluster, gate: Gate, sent: Sent[]): Promise<void> {
  const untilItCloses = async (part: number) => {
    const load = startLoad(controlPlane, {
      perSecond: PER_SECOND,
      route: turn => (turn % 2 === 0 ? labelled : unlabelled)(`asked-${part}-${turn}`),
      isDryRun: () => true,
    })
    while (!gate.isOver() && !gate.isClosed()) await sleep(100)
    sent.push(...(await load.stop()))
  }
  for (let part = 0; !gate.isOver(); part++) await gate.during(() => untilItCloses(part))
}

/** By what is stored, not by what was answered. */
async function lookForOpen({ open }: WholeCluster, gate: Gate, found: Set<string>): Promise<void> {
  while (!gate.isOver()) {
    for (const name of await gate.during(() => open().catch(() => []))) found.add(name)
    await sleep(1_000)
  }
}

async function lookWhoSigns({ api }: WholeCluster, gate: Gate, found: Set<string>): Promise<void> {
  while (!gate.isOver()) {
    const { body } = await gate.during(() => api.send('GET', AUTHORITIES).catch(() => ({ body: {} })))
    const cert = string(object(object(body).data)['signing.crt'])
    if (cert !== undefined) found.add(cert)
    await sleep(1_000)
  }
}
