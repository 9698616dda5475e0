// What is measured of certificates and of the trial, by the replica that leads.
import { X509Certificate } from 'node:crypto'
import type { Registry } from 'prom-client'
import type { Told } from '../../certificates/keep-authorities.ts'
import { counter, gauge } from '../../http/metrics.ts'

export type CertificateMetrics = Told & {
  tried(result: string): void
  /** This replica leads no longer, and knows nothing of it. */
  forget(): void
}

export function certificateMetrics(registry: Registry, now: () => number): CertificateMetrics {
  let found = NOTHING
  const left = 'Until the authority ends that signs; said by the leader.'
  gauge(registry, 'portcullis_authority_expiry_seconds', left, () => (found.ends - now()) / 1000)
  const matches = '1: every entry of the webhook configurations has every authority; 0: it is being repaired.'
  gauge(registry, 'portcullis_ca_bundle_matches', matches, () => found.matches)
  const judged = '1: the last trial was refused by us; 0: it was not, or nobody is asked; -1: it says nothing about us.'
  gauge(registry, 'portcullis_trial_judged', judged, () => found.judged)
  const done = 'What was done with the shared Secret: create, rewrite, publish, promote, prune.'
  const changes = counter(registry, 'portcullis_authority_changes_total', done, ['step'])
  const written = 'Writes of caBundle, by kind and outcome.'
  const repairs = counter(registry, 'portcullis_ca_bundle_writes_total', written, ['kind', 'outcome'])
  const tried = 'Trials whether routes are judged, by result.'
  const trials = counter(registry, 'portcullis_trials_total', tried, ['result'])
  return {
    changed: step => changes.inc({ step }),
    repaired: (kind, { outcome }) => repairs.inc({ kind, outcome }),
    seen({ signing }, isRight) {
      const ends = new X509Certificate(signing.cert).validToDate.getTime()
      found = { ...found, ends, matches: Number(isRight) }
    },
    tried(result) {
      trials.inc({ result })
      found = { ...found, judged: RESULTS[result] ?? NOTHING.judged }
    },
    forget() {
      found = NOTHING
    },
  }
}

/** Not a number where nobody knows: what is compared with it raises no alarm. */
const NOTHING = { ends: Number.NaN, matches: Number.NaN, judged: -1 }
const RESULTS: Readonly<Record<string, number>> = { judged: 1, unjudged: 0, absent: 0 }
