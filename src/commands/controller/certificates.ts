// The leader's part in certificates: where nobody else issues them, it keeps the shared Secret and the caBundle.
import type { Config } from '../../api/config.ts'
import { keepAuthorities } from '../../certificates/keep-authorities.ts'
import { systemClock } from '../../kube/clock.ts'
import type { Connection } from '../../kube/connection.ts'
import type { Term } from '../../kube/term.ts'
import { type WatchedObjects, watchObjects } from '../../kube/watch-objects.ts'
import { createWriter } from '../../kube/writer.ts'
import type { Log } from '../../log.ts'
import { rotationTimes } from '../certificates.ts'
import type { ControllerMetrics } from './gauges.ts'

export type CertificatesOptions = {
  readonly config: () => Config
  readonly connection: Connection
  readonly metrics: () => ControllerMetrics
  readonly log: Log
}

/** For one term. */
export function leadCertificates(term: Term, options: CertificatesOptions): WatchedObjects {
  const { config, connection, metrics, log } = options
  const { namespace, certificates } = config()
  if (certificates.mode !== 'self') return { kinds: new Map(), stop: async () => {} }
  const told = metrics().certificates
  const [clock, random] = [systemClock, Math.random]
  const kept = keepAuthorities({
    writer: createWriter(connection, { signal: term.signal, mayWrite: term.holds }),
    ...{ namespace, now: connection.timeOfDay, clock, random, signal: term.signal, log, told },
    times: () => rotationTimes(config()),
    watch: (refs, changed) => watchObjects(connection, refs, changed, { clock, random, log }),
  })
  return {
    kinds: kept.kinds,
    async stop() {
      await kept.stop()
      told.forget()
    },
  }
}
