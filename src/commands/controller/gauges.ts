// What is measured of the controller: what it wrote, what waits, what it leaves alone, and whether it leads.
import prom, { type Registry } from 'prom-client'
import type { Passed } from '../../controller/pass.ts'
import { gauge } from '../../http/metrics.ts'
import { type CertificateMetrics, certificateMetrics } from './certificate-gauges.ts'

export type ControllerMetrics = {
  readonly registry: Registry
  readonly certificates: CertificateMetrics
  /** `what`: Protected, Repaired, … or a kind of companion that was made, changed or removed. */
  told(said: string): void
  wrote(kind: string, what: 'apply' | 'replace' | 'remove' | 'patch', outcome: string): void
  /** Of this kind, an object of ours was not as it was left. */
  drifted(kind: string): void
  passed(passed: Passed, seconds: number): void
}

export type ControllerMeasured = {
  readonly isLeader: () => boolean
  readonly depth: () => number
  readonly resting: () => number
  readonly isReady: () => boolean
  readonly isConfigurationGood: () => boolean
}

export function createControllerMetrics(measured: ControllerMeasured): ControllerMetrics {
  const registry = new prom.Registry()
  prom.collectDefaultMetrics({ register: registry })
  const registers = [registry]
  gauge(registry, 'portcullis_leader', '1: this replica leads.', () => Number(measured.isLeader()))
  gauge(registry, 'portcullis_queue_depth', 'Keys that wait or are under way.', measured.depth)
  gauge(registry, 'portcullis_resting_objects', 'Left alone for a while, because somebody undoes it.', measured.resting)
  gauge(registry, 'portcullis_ready', '1: ready.', () => Number(measured.isReady()))
  const good = '1: the configuration file is the one in use; 0: it is broken, and an older one is in use.'
  gauge(registry, 'portcullis_configuration_good', good, () => Number(measured.isConfigurationGood()))
  const events = new prom.Counter({
    name: 'portcullis_done_total',
    help: 'What was done or found, by what an Event says of it: Protected, Repaired, Released, Refused, …',
    labelNames: ['what'],
    registers,
  })
  const writes = new prom.Counter({
    name: 'portcullis_writes_total',
    help: 'Writes to the API server, by kind, how and outcome.',
    labelNames: ['kind', 'how', 'outcome'],
    registers,
  })
  const drift = new prom.Counter({
    name: 'portcullis_drift_total',
    help: 'Companions that somebody else changed or removed, and that are repaired, by kind.',
    labelNames: ['kind'],
    registers,
  })
  const orphans = new prom.Gauge({
    name: 'portcullis_orphans',
    help: 'Objects of ours that nothing wants and that stay, because something relies on them or facts are missing.',
    registers,
  })
  const swept = new prom.Counter({
    name: 'portcullis_swept_total',
    help: 'Objects of ours that were removed because nothing wants them.',
    registers,
  })
  const seconds = new prom.Gauge({
    name: 'portcullis_pass_seconds',
    help: 'The last full pass took so long.',
    registers,
  })
  const passes = new prom.Counter({
    name: 'portcullis_passes_total',
    help: 'Full passes, by whether everything could be read.',
    labelNames: ['complete'],
    registers,
  })
  const frozen = new prom.Gauge({
    name: 'portcullis_frozen_routes',
    help: 'Labelled routes that stay as they are because they cannot be planned, by reason, as of the last pass.',
    labelNames: ['code'],
    registers,
  })
  return {
    registry,
    certificates: certificateMetrics(registry, Date.now),
    told: what => events.inc({ what }),
    wrote: (kind, how, outcome) => writes.inc({ kind, how, outcome }),
    drifted: kind => drift.inc({ kind }),
    passed(passed, took) {
      passes.inc({ complete: String(passed.complete) })
      seconds.set(took)
      frozen.reset()
      for (const [code, routes] of passed.frozen) frozen.set({ code }, routes)
      if (!passed.complete) return
      orphans.set(passed.orphans)
      swept.inc(passed.swept)
    },
  }
}
