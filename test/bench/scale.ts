// `npm run bench:scale`: the shipped webhook in a large cluster beside one in a small cluster: memory, start, traffic, speed.
// --ingresses, --httproutes, --teams: how many; --passthroughs: with a passthrough route for each protected HTTPRoute, as
// the controller makes them; --bundle FILE: another bundle; --seconds: how long it is watched idle.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { stringify } from 'yaml'
import { ensureCertificates, LOCAL_NAMES } from '../../src/certificates/files.ts'
import { CONFIG } from '../integration/cluster-objects.ts'
import { ingress, review, teamName } from './inputs.ts'
import { load } from './load.ts'
import { type Cluster, startCluster } from './scale-cluster.ts'
import { clusterOf, type Size } from './scale-objects.ts'
import { type ShippedWebhook, startWebhook } from './scale-webhook.ts'
import type { Memory, Shipped } from './shipped.ts'

const SMALL: Size = { teams: 1, ingresses: 5, httpRoutes: 5 }
const WARM_UP_MS = 4_000
const BATCH_MS = 500
const BATCHES = 15

type Observed = { readonly ready: Memory; readonly half: Memory; readonly end: Memory; readonly perSecond: number }
type Measured = Observed & { readonly shipped: ShippedWebhook; readonly cluster: Cluster; readonly size: Size }

const { values } = parseArgs({
  options: {
    ingresses: { type: 'string', default: '12000' },
    httproutes: { type: 'string', default: '12000' },
    teams: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '60' },
    passthroughs: { type: 'boolean', default: false },
    bundle: { type: 'string', default: join(import.meta.dirname, '../../dist/portcullis.js') },
  },
})
const large: Size = {
  teams: Number(values.teams),
  ingresses: Number(values.ingresses),
  httpRoutes: Number(values.httproutes),
}
const dir = mkdtempSync(join(tmpdir(), 'portcullis-scale-'))
const ends: (() => Promise<void>)[] = []
try {
  const { ca } = await ensureCertificates(join(dir, 'certs'), LOCAL_NAMES, new Date())
  writeFileSync(join(dir, 'config.yaml'), stringify(CONFIG))
  const measured = [await measure('small', SMALL), await measure('large', large)]
  const micros = await decisionTimes(measured, ca)
  console.log(`${measured[1]!.cluster.bytes} bytes an object; idle for ${values.seconds} s`)
  console.table(measured.map((each, i) => row(each, micros[i]!, micros[0]!)))
} finally {
  for (const end of ends.reverse()) await end()
  rmSync(dir, { recursive: true, force: true })
}

async function measure(name: string, size: Size): Promise<Measured> {
  const began = performance.now()
  const cluster = await startCluster(join(dir, name), clusterOf(size, values.passthroughs))
  ends.push(cluster.stop)
  console.log(`${name}: ${JSON.stringify(size)}, filled in ${Math.round((performance.now() - began) / 1000)} s`)
  const files = { certs: join(dir, 'certs'), config: join(dir, 'config.yaml'), log: join(dir, `${name}.log`) }
  const { kubeconfig } = cluster.controlPlane
  const shipped = await startWebhook(values.bundle, { ...files, kubeconfig })
  ends.push(shipped.stop)
  return { ...(await observe(shipped, cluster)), shipped, cluster, size }
}

async function observe({ memory }: Shipped, cluster: Cluster): Promise<Observed> {
  const ready = memory()
  const ms = Number(values.seconds) * 1000
  const before = await cluster.requests()
  await sleep(ms / 2)
  const half = memory()
  await sleep(ms / 2)
  return { ready, half, end: memory(), perSecond: (((await cluster.requests()) - before) * 1000) / ms }
}

/** µs that the webhook itself counts from the headers of a request to its answer; in turns, the median of the batches. */
async function decisionTimes(measured: readonly Measured[], ca: string): Promise<number[]> {
  const body = review(ingress('measured', teamName(0), `measured.${teamName(0)}.example.com`))
  const target = ({ shipped: { port } }: Measured) => ({ port, ca, path: '/mutate', body })
  for (const each of measured) await load(target(each), 1, WARM_UP_MS)
  const times: number[][] = measured.map(() => [])
  for (let batch = 0; batch < BATCHES; batch++) {
    for (const [i, each] of measured.entries()) {
      const counted = () =>
        Promise.all(['sum', 'count'].map(of => each.shipped.metric(`portcullis_admission_duration_seconds_${of}`)))
      const [sumBefore, countBefore] = (await counted()) as [number, number]
      await load(target(each), 1, BATCH_MS)
      const [sum, count] = (await counted()) as [number, number]
      times[i]!.push(((sum - sumBefore) * 1e6) / (count - countBefore))
    }
  }
  return times.map(each => each.sort((a, b) => a - b)[Math.floor(BATCHES / 2)]!)
}

function row({ size, shipped, ready, half, end, perSecond }: Measured, micros: number, smallest: number) {
  const mb = ({ rss, peak }: Memory) => `${Math.round(rss)} (at most ${Math.round(peak)})`
  return {
    routes: size.ingresses + size.httpRoutes,
    teams: size.teams,
    'up s': Math.round(shipped.upMs) / 1000,
    'ready s': Math.round(shipped.readyMs) / 1000,
    'MB at ready': mb(ready),
    'MB half way': mb(half),
    'MB at the end': mb(end),
    'requests/s': Math.round(perSecond * 100) / 100,
    'decision µs': Math.round(micros),
    'of small': `${(micros / smallest).toFixed(2)} x`,
  }
}
