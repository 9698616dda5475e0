// What is measured of a webhook in a cluster besides admission: watches, facts, certificate, configuration, readiness.
import type { Registry } from 'prom-client'
import { gauge } from '../../http/metrics.ts'
import type { Clock } from '../../kube/clock.ts'
import { type Kinds, measureWatches } from '../watch-gauges.ts'

export type Measured = {
  readonly kinds: Kinds
  /** The watches'. */
  readonly clock: Pick<Clock, 'now'>
  readonly isReady: () => boolean
  readonly isConfigurationGood: () => boolean
  /** ms since the epoch; undefined: there is no certificate. */
  readonly certificateEnds: () => number | undefined
  /** ms since the epoch. */
  readonly now: () => number
}

export function measureCluster(registry: Registry, measured: Measured): void {
  const { kinds, clock, isReady, isConfigurationGood, certificateEnds, now } = measured
  measureWatches(registry, kinds, clock)
  gauge(registry, 'portcullis_ready', '1: ready.', () => Number(isReady()))
  const good = '1: the configuration file is the one in use; 0: it is broken, and an older one is in use.'
  gauge(registry, 'portcullis_configuration_good', good, () => Number(isConfigurationGood()))
  const left = 'Until the serving certificate ends; none: 0.'
  gauge(registry, 'portcullis_certificate_expiry_seconds', left, () => ((certificateEnds() ?? now()) - now()) / 1000)
}
