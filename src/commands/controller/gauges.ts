// What is measured of the controller: what it wrote, what waits, what it leaves alone, and whether it leads.
import prom, { type Registry } from 'prom-client'
import type { Passed } from '../../controller/pass.ts'
import { counter, gauge } from '../../http/metrics.ts'
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
  /** For API servers, in ms since the epoch. */
  readonly timeOfDay: () => number
}

export function createControllerMetrics(measured: ControllerMeasured): ControllerMetrics {
  const registry = new prom.Registry()
  prom.collectDefaultMetrics({ register: registry })
  gauge(registry, 'portcullis_leader', '1: this replica leads.', () => Number(measured.isLeader()))
  gauge(registry, 'portcullis_queue_depth', 'Keys that wait or are under way.', measured.depth)
  gauge(registry, 'portcullis_resting_objects', 'Left alone for a while, because somebody undoes it.', measured.resting)
  gauge(registry, 'portcullis_ready', '1: ready.', () => Number(measured.isReady()))
  const good = '1: the configuration file is the one in use; 0: it is broken, and an older one is in use.'
  gauge(registry, 'portcullis_configuration_good', good, () => Number(measured.isConfigurationGood()))
  const what = 'What was done or found, by what an Event says of it: Protected, Repaired, Released, Refused, …'
  const events = counter(registry, 'portcullis_done_total', what, ['what'])
  const how = 'Writes to the API server, by kind, how and outcome.'
  const writes = counter(registry, 'portcullis_writes_total', how, ['kind', 'how', 'outcome'])
  const repaired = 'Companions that somebody else changed or removed, and that are repaired, by kind.'
  const drift = counter(registry, 'portcullis_drift_total', repaired, ['kind'])
  return {
    registry,
    certificates: certificateMetrics(registry, measured.timeOfDay),
    told: what => events.inc({ what }),
    wrote: (kind, how, outcome) => writes.inc({ kind, how, outcome }),
    drifted: kind => drift.inc({ kind }),
    passed: passMetrics(registry),
  }
}

function passMetrics(registry: Registry): ControllerMetrics['passed'] {
  let last = { seconds: 0, orphans: 0, frozen: new Map() as Passed['frozen'] }
  const left =
    'Objects of ours that nothing wants and that stay, because something relies on them or facts are missing.'
  gauge(registry, 'portcullis_orphans', left, () => last.orphans)
  const removed = 'Objects of ours that were removed because nothing wants them.'
  const swept = counter(registry, 'portcullis_swept_total', removed)
  gauge(registry, 'portcullis_pass_seconds', 'The last full pass took so long.', () => last.seconds)
  const whole = 'Full passes, by whether everything could be read.'
  const passes = counter(registry, 'portcullis_passes_total', whole, ['complete'])
  const stuck = 'Labelled routes that stay as they are because they cannot be planned, by reason, as of the last pass.'
  const frozen = () => [...last.frozen].map(([code, routes]) => [{ code }, routes] as const)
  gauge(registry, 'portcullis_frozen_routes', stuck, frozen, ['code'])
  return (passed, seconds) => {
    passes.inc({ complete: String(passed.complete) })
    last = { seconds, orphans: passed.complete ? passed.orphans : last.orphans, frozen: passed.frozen }
    if (passed.complete) swept.inc(passed.swept)
  }
}
