// What is measured of certificates and of the trial, by the replica that leads.
import { X509Certificate } from 'node:crypto'
import prom, { type Registry } from 'prom-client'
import type { Told } from '../../certificates/keep-authorities.ts'
import { gauge } from '../../http/metrics.ts'

export type CertificateMetrics = Told & {
  tried(result: string): void
  /** This replica leads no longer, and knows nothing of it. */
  forget(): void
}

export function certificateMetrics(registry: Registry, now: () => number): CertificateMetrics {
  const registers = [registry]
  let ends: number | undefined
  // Not a number where nobody knows: what is compared with it raises no alarm.
  const left = () => (ends === undefined ? Number.NaN : (ends - now()) / 1000)
  gauge(
    registry,
    'portcullis_authority_expiry_seconds',
    'Until the authority ends that signs; said by the leader.',
    left,
  )
  const matches = new prom.Gauge({
    name: 'portcullis_ca_bundle_matches',
    help: '1: every entry of the webhook configurations has every authority; 0: it is being repaired.',
    registers,
  })
  const judged = new prom.Gauge({
    name: 'portcullis_trial_judged',
    help: '1: the last trial was refused by us; 0: it was not; -1: it says nothing about us, or was not made.',
    registers,
  })
  const changes = new prom.Counter({
    name: 'portcullis_authority_changes_total',
    help: 'What was done with the shared Secret: create, rewrite, publish, promote, prune.',
    labelNames: ['step'],
    registers,
  })
  const repairs = new prom.Counter({
    name: 'portcullis_ca_bundle_writes_total',
    help: 'Writes of caBundle, by kind and outcome.',
    labelNames: ['kind', 'outcome'],
    registers,
  })
  const trials = new prom.Counter({
    name: 'portcullis_trials_total',
    help: 'Trials whether routes are judged, by result.',
    labelNames: ['result'],
    registers,
  })
  return {
    changed: step => changes.inc({ step }),
    repaired: (kind, { outcome }) => repairs.inc({ kind, outcome }),
    seen({ signing }, isRight) {
      ends = new X509Certificate(signing.cert).validToDate.getTime()
      matches.set(Number(isRight))
    },
    tried(result) {
      trials.inc({ result })
      judged.set(RESULTS[result] ?? -1)
    },
    forget() {
      ends = undefined
      matches.set(Number.NaN)
      judged.set(-1)
    },
  }
}

const RESULTS: Readonly<Record<string, number>> = { judged: 1, unjudged: 0 }
