// `npm run bench:scale:controller`: two replicas of the shipped controller in a large cluster: how long until all is in
// line, memory, how fast a change of a team and repairs are, whether the Lease is renewed meanwhile, and idle traffic.
// --ingresses, --httproutes, --teams: how many, each route labelled; --shared: of them, how many one team has in ten
// namespaces; --repairs; --seconds: how long it is watched idle; --bundle FILE: another bundle; --profile DIR: of the CPU.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { stringify } from 'yaml'
import { ensureCertificates, LOCAL_NAMES } from '../../src/certificates/files.ts'
import { isNet } from '../../src/controller/steps/team-policies.ts'
import { strings } from '../../src/core/json.ts'
import { INJECTED, MANAGED_BY, MANAGER } from '../../src/core/keys.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { listPath } from '../../src/kube/kinds.ts'
import { listAll } from '../../src/kube/list.ts'
import { CONFIG } from '../integration/cluster-objects.ts'
import { MANIFESTS } from '../manifests/documents.ts'
import { freePorts } from '../parts/ports.ts'
import { watchLease } from './lease-sightings.ts'
import { repairCompanions, repairRoutes } from './repairs.ts'
import { requests } from './requests.ts'
import { type Cluster, startCluster } from './scale-cluster.ts'
import { bareClusterOf, LARGE_TEAM } from './scale-objects.ts'
import { startWebhook } from './scale-webhook.ts'
import { type Shipped, startShipped } from './shipped.ts'
import { percentile, sum } from './statistics.ts'

type Replica = Shipped & { readonly token: string }
type Row = { readonly what: string; readonly target: string; readonly figure: string }

const { values } = parseArgs({
  options: {
    ingresses: { type: 'string', default: '12000' },
    httproutes: { type: 'string', default: '12000' },
    teams: { type: 'string', default: '500' },
    shared: { type: 'string', default: '1000' },
    repairs: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '60' },
    profile: { type: 'string' },
    bundle: { type: 'string', default: join(import.meta.dirname, '../../dist/portcullis.js') },
  },
})
const size = {
  teams: Number(values.teams),
  ingresses: Number(values.ingresses),
  httpRoutes: Number(values.httproutes),
}
const labelled = size.ingresses + size.httpRoutes
const dir = mkdtempSync(join(tmpdir(), 'portcullis-scale-'))
const ends: (() => Promise<void>)[] = []
const rows: Row[] = []
let number = 0
let told = 0
try {
  await run()
} finally {
  console.table(rows)
  for (const end of ends.reverse()) await end()
  rmSync(dir, { recursive: true, force: true })
}

async function run(): Promise<void> {
  await ensureCertificates(join(dir, 'certs'), LOCAL_NAMES, new Date())
  writeFileSync(join(dir, 'config.yaml'), stringify(CONFIG))
  const users = ['controller', 'webhook'].map(each => `system:serviceaccount:portcullis:portcullis-${each}`)
  const audit = requests(dir, users)
  const began = performance.now()
  const cluster = await startCluster(join(dir, 'cluster'), bareClusterOf(size, Number(values.shared) / 2), audit.args)
  ends.push(cluster.stop)
  console.log(`${JSON.stringify(size)}, filled in ${seconds(began)} s`)
  const installed = ['namespace.yaml', 'controller/rbac.yaml', 'webhook/rbac.yaml'].map(file => join(MANIFESTS, file))
  await cluster.controlPlane.apply(...installed)
  const lease = watchLease(cluster.connection)
  ends.push(lease.stop)
  const renewed = (while_: string) => {
    const { longestGap, changes } = lease.take()
    row(
      `longest time between renewals, ${while_}`,
      '< 10 s',
      `${longestGap.toFixed(1)} s, ${changes} changes of holder`,
    )
  }

  const fresh = await startBoth(cluster)
  await inLine(cluster, fresh)
  renewed('meanwhile')
  await Promise.all(fresh.map(each => each.stop('SIGTERM')))

  const [leader, standby] = await firstPass(cluster)
  lease.take()
  await changeTeam(cluster, leader)
  renewed('meanwhile')
  await repairs(cluster)
  renewed('meanwhile')
  memory('standby', standby)
  await idle(cluster, [leader, standby], audit)
  renewed('idle')
  memory('leader at the end', leader)
  memory('standby at the end', standby)
  for (const each of [leader, standby]) await each.stop('SIGTERM')
}

async function startController(cluster: Cluster, leads: boolean): Promise<Replica> {
  const token = await tokenOf(cluster, 'portcullis-controller')
  const [healthPort] = (await freePorts(1)) as [number]
  const profile = values.profile !== undefined && leads ? ['--cpu-prof', `--cpu-prof-dir=${values.profile}`] : []
  const kubeconfig = kubeconfigWith(cluster, token)
  const args = ['controller', '--kubeconfig', kubeconfig, '--config', join(dir, 'config.yaml')]
  const log = join(dir, `controller-${number}.log`)
  const shipped = await startShipped({ bundle: values.bundle, args, flags: profile, healthPort, log })
  ends.push(() => shipped.stop())
  return { ...shipped, token }
}

/** The leader first. */
async function startBoth(cluster: Cluster): Promise<[Replica, Replica]> {
  const leader = await startController(cluster, true)
  await until(async () => (await leader.metric('portcullis_leader')) === 1)
  return [leader, await startController(cluster, false)]
}

/** From bare routes. */
async function inLine(cluster: Cluster, [leader]: readonly [Replica, Replica]): Promise<void> {
  const began = performance.now() - leader.readyMs
  await until(async () => {
    const patched = await leader.metric('portcullis_done_total', 'what="Protected"')
    const made = await leader.metric('portcullis_writes_total', 'how="apply",outcome="done"')
    const depth = await leader.metric('portcullis_queue_depth')
    progress(`${patched} routes protected, ${made} companions made, ${depth} waiting`)
    return patched >= labelled && depth === 0
  })
  row(`${labelled} bare labelled routes: all in line`, 'as is', `${seconds(began)} s from the start of the process`)
  const { routes, companions } = await counted(cluster)
  row('routes protected, companions', `${labelled}, -`, `${routes}, ${companions}`)
  memory('leader when all is in line', leader)
}

async function counted({ connection }: Cluster): Promise<{ routes: number; companions: number }> {
  const count = { routes: 0, companions: 0 }
  for (const kind of ['Ingress', 'HTTPRoute', 'SecurityPolicy', 'ClientTrafficPolicy', 'ReferenceGrant']) {
    await listAll(connection, listPath(kind), ({ metadata }) => {
      if (strings(metadata.labels)[MANAGED_BY] === MANAGER) count.companions++
      else if (strings(metadata.annotations)[INJECTED] !== undefined) count.routes++
    })
  }
  return count
}

async function firstPass(cluster: Cluster): Promise<[Replica, Replica]> {
  const began = performance.now()
  const [leader, standby] = await startBoth(cluster)
  memory('leader, all lists read', leader)
  await until(async () => (await leader.metric('portcullis_passes_total')) > 0)
  row('first pass where all is right', '< 60 s', `${seconds(began)} s from the start of the process`)
  row('  of it, until ready', '-', `${Math.round(leader.readyMs) / 1000} s`)
  row('  of it, the pass', '-', `${(await leader.metric('portcullis_pass_seconds')).toFixed(1)} s`)
  await untilQuiet(leader)
  row('  until its queue is empty', '-', `${seconds(began)} s`)
  row('  writes', '0', String(await leader.metric('portcullis_writes_total')))
  memory('leader after it', leader)
  return [leader, standby]
}

async function changeTeam({ connection }: Cluster, leader: Replica): Promise<void> {
  const began = performance.now()
  const spec = { proxy: { pathPrefix: '/elsewhere' } }
  await connection.request({
    method: 'PATCH',
    path: `${listPath('AuthTeam')}/${LARGE_TEAM}`,
    contentType: 'application/merge-patch+json',
    body: JSON.stringify({ spec }),
    timeoutMs: 10_000,
  })
  const wanted = Number(values.shared)
  let found = 0
  await until(async () => {
    found = 0
    for (const kind of ['Ingress', 'HTTPRoute']) {
      await listAll(
        connection,
        listPath(kind).replace(kind.toLowerCase(), `namespaces/${LARGE_TEAM}/${kind.toLowerCase()}`),
        each => {
          if (JSON.stringify(each.spec).includes('/elsewhere/')) found++
        },
      )
    }
    return found >= wanted && (await leader.metric('portcullis_queue_depth')) === 0
  })
  row(`change of a team with ${wanted} routes done`, '< 60 s', `${seconds(began)} s`)
  memory('leader after it', leader)
}

async function repairs({ connection }: Cluster): Promise<void> {
  const count = Number(values.repairs)
  const companions: KubeObject[] = []
  const routes: KubeObject[] = []
  for (const kind of ['Ingress', 'HTTPRoute', 'SecurityPolicy']) {
    await listAll(connection, listPath(kind), each => {
      // A net that is gone is followed by one of another name.
      if (isNet(each)) return
      if (strings(each.metadata.labels)[MANAGED_BY] === MANAGER) companions.push(each)
      else if (kind !== 'SecurityPolicy') routes.push(each)
    })
  }
  const some = (of: readonly KubeObject[]) =>
    Array.from({ length: count }, (_, index) => of[Math.floor((index * of.length) / count)]!)
  const told = (what: string, times: readonly number[]) =>
    row(
      what,
      'p99 < 5 s',
      `p99 ${Math.round(percentile(times, 0.99))} ms, median ${Math.round(percentile(times, 0.5))} ms`,
    )
  // Routes first: where a guard has just been put right, a route waits until it counts.
  told(`${count} repairs of routes`, await repairRoutes(connection, some(routes)))
  told(`${count} repairs of companions`, await repairCompanions(connection, some(companions)))
}

async function idle(
  cluster: Cluster,
  controllers: readonly [Replica, Replica],
  audit: ReturnType<typeof requests>,
): Promise<void> {
  const webhooks: Replica[] = []
  for (const index of [0, 1, 2]) {
    const token = await tokenOf(cluster, 'portcullis-webhook')
    const files = {
      certs: join(dir, 'certs'),
      config: join(dir, 'config.yaml'),
      log: join(dir, `webhook-${index}.log`),
    }
    const webhook = await startWebhook(values.bundle, { ...files, kubeconfig: kubeconfigWith(cluster, token) })
    ends.push(() => webhook.stop())
    webhooks.push({ ...webhook, token })
  }
  await untilQuiet(controllers[0])
  const passes = await controllers[0].metric('portcullis_passes_total')
  const mark = audit.mark()
  await sleep(Number(values.seconds) * 1000)
  const over = (await controllers[0].metric('portcullis_passes_total')) - passes
  const all = [...controllers, ...webhooks]
  const counts = all.map(({ token }) => audit.since(mark, token))
  const names = ['the leader', 'the other replica', 'webhook 1', 'webhook 2', 'webhook 3']
  const perSecond = (of: readonly ReadonlyMap<string, number>[]) =>
    (sum(of, each => sum([...each.values()], Number)) / Number(values.seconds)).toFixed(2)
  for (const [index, count] of counts.entries()) {
    row(`requests a second of ${names[index]}, idle`, '< 1', `${perSecond([count])}: ${inWords(count)}`)
  }
  row('  all together', '-', `${perSecond(counts)}; ${over} full passes among it`)
}

function inWords(counts: ReadonlyMap<string, number>): string {
  const most = [...counts].sort((a, b) => b[1] - a[1])
  return most
    .map(([what, count]) => `${count} ${what}`)
    .slice(0, 4)
    .join(', ')
}

async function tokenOf({ controlPlane }: Cluster, name: string): Promise<string> {
  const { code, stdout, stderr } = await controlPlane.kubectl([
    'create',
    'token',
    name,
    '-n',
    'portcullis',
    '--duration=24h',
  ])
  if (code !== 0) throw new Error(stderr)
  return stdout.trim()
}

function kubeconfigWith({ controlPlane }: Cluster, token: string): string {
  const file = join(dir, `kubeconfig-${number++}`)
  const admin = JSON.parse(readFileSync(controlPlane.kubeconfig, 'utf8'))
  writeFileSync(file, JSON.stringify({ ...admin, users: [{ name: 'admin', user: { token } }] }), { mode: 0o600 })
  return file
}

async function untilQuiet(leader: Replica): Promise<void> {
  let quiet = 0
  await until(async () => {
    quiet = (await leader.metric('portcullis_queue_depth')) === 0 ? quiet + 1 : 0
    return quiet > 4
  })
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 1_200_000
  while (!(await holds().catch(() => false))) {
    if (performance.now() > deadline) throw new Error('not after twenty minutes')
    await sleep(1_000)
  }
}

function memory(what: string, { memory: of }: Shipped): void {
  const { rss, peak } = of()
  row(`MB of the ${what}`, '< 150', `${Math.round(rss)} (at most ${Math.round(peak)})`)
}

function row(what: string, target: string, figure: string): void {
  console.log(`${what}: ${figure} (${target})`)
  rows.push({ what, target, figure })
}

function progress(line: string): void {
  if (performance.now() - told < 10_000) return
  told = performance.now()
  console.log(line)
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1)
}
