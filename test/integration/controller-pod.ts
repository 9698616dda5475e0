// A controller that runs: what a test has it do, waits for, and reads of it.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { object } from '../../src/core/json.ts'
import type { ControlPlane } from '../parts/control-plane.ts'
import { type Api, until } from './api.ts'
import type { Pod } from './pods.ts'

const IDLE_MS = 2_000
/** Some of what waits does so for what never comes. */
const QUIET_MS = 8_000

export function untilLeads(pod: Pod): Promise<void> {
  return until('it leads', async () => (await pod.metric('portcullis_leader')) === 1)
}

/** Nothing has waited in its queue for a while, or what waits leads to no write. */
export async function untilAtRest(pod: Pod): Promise<void> {
  let [idle, quiet, written] = [performance.now(), performance.now(), 0]
  await until('nothing is written', async () => {
    const { text } = await pod.health('/metrics')
    const now = performance.now()
    if (sum(text, 'portcullis_queue_depth') > 0) idle = now
    if (sum(text, 'portcullis_writes_total') !== written) quiet = now
    written = sum(text, 'portcullis_writes_total')
    return now - idle > IDLE_MS || now - quiet > QUIET_MS
  })
}

/** Has a full pass made, sweep and all, and waits for it. */
export async function lookedAtEverything({ api }: { readonly api: Api }, leader: Pod): Promise<void> {
  const passes = async () => (await leader.metric('portcullis_passes_total{complete="true"}')) || 0
  const before = await passes()
  // One more class may concern every route.
  const metadata = { generateName: 'other-' }
  const spec = { controller: 'example.com/nobody' }
  await api.create({ apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata, spec })
  await until('everything is looked at again', async () => (await passes()) > before)
}

/** Writes what is mounted as the configuration of this pod; it looks every few seconds. */
export function reconfigure(controlPlane: ControlPlane, { host }: Pod, config: object): void {
  writeFileSync(join(controlPlane.dir, `portcullis-controller-${host}`, 'config.yaml'), stringify(config))
}

/** Lines of the log with this message. */
export function logged(pod: Pod, message: string): readonly object[] {
  return pod
    .log()
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => object(JSON.parse(line)))
    .filter(line => line.msg === message)
}

/** Of a metric, whatever its labels. */
function sum(text: string, name: string): number {
  const values = text.split('\n').filter(line => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
  return values.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0)
}
