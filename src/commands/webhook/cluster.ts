// The webhook in a cluster: facts from watches, configuration and certificate from files that others write.
import { type AdmissionContext, admit } from '../../admission/admit.ts'
import type { Config } from '../../api/config.ts'
import { followConfig } from '../../facts/config-file.ts'
import { WatchedFacts } from '../../facts/watched.ts'
import { gateways } from '../../gateways/index.ts'
import type { Admit } from '../../http/admission.ts'
import { createMetrics } from '../../http/metrics.ts'
import { keepDialing } from '../../http/self-dial.ts'
import type { Serving } from '../../http/server.ts'
import { systemClock } from '../../kube/clock.ts'
import { watchAll } from '../../kube/watch-all.ts'
import { createLog, type Log } from '../../log.ts'
import { type Io, OK, USAGE } from '../io.ts'
import { readinessLog, withOurs } from '../missing.ts'
import { prepare, type Start } from '../start.ts'
import type { WebhookOptions } from '../webhook.ts'
import { followServing } from './certificates.ts'
import { measureCluster } from './gauges.ts'
import { listen } from './listen.ts'
import { missingOf, type Parts } from './readiness.ts'

const PORT = 10_250
const HEALTH_PORT = 8081
/** Everybody has heard by then that this replica goes. */
const DRAIN_DELAY_S = 15
const FILES_EVERY_MS = 10_000
const DIAL_EVERY_MS = 4_000
const REBUILD_EVERY_MS = 60_000
const TICK_MS = 1_000

export async function clusterWebhook(options: WebhookOptions, io: Io): Promise<number> {
  const start = await prepare(options, ', --standalone needs none')
  if ('problems' in start) {
    for (const problem of start.problems) io.err(`${problem}\n`)
    return USAGE
  }
  const log = createLog({ level: options.logLevel })
  const running = run(options, start, log)
  const listening = await listen(options, running, io)
  if (listening !== undefined) {
    const follow = await followFiles(options, start, running, listening.serving, log)
    await io.stopped()
    running.parts.stopping = true
    log.info({}, 'shutting down')
    follow.stop()
    await listening.close((options.drainDelay ?? DRAIN_DELAY_S) * 1000)
  }
  await running.facts.stop()
  start.connection.close()
  return listening === undefined ? USAGE : OK
}

/** Asks the API server, and can decide from then on. */
function run({ healthPort }: WebhookOptions, { config, connection }: Start, log: Log) {
  const facts = new WatchedFacts({
    config,
    gateways,
    feed: sink => withOurs(watchAll(connection, sink, { log })),
    now: connection.timeOfDay,
    clock: systemClock,
    rebuildEveryMs: REBUILD_EVERY_MS,
  })
  const parts: Parts = { stopping: false, feed: () => facts.feed }
  const missing = () => missingOf(parts)
  const metrics = createMetrics()
  const context: AdmissionContext = {
    get facts() {
      return facts.store
    },
    ...{ gateways, log, now: connection.timeOfDay, decided: metrics.decided },
  }
  const decide: Admit = (entry, body) => admit(entry, body, context)
  const health = { port: healthPort ?? HEALTH_PORT, missing, metrics }
  return { facts, parts, health, defaultPort: PORT, admit: decide, log, notReady: () => missing()[0] }
}

/** Certificate and configuration from now on, and what hangs on them. Where the certificate is from stays so. */
async function followFiles(
  options: WebhookOptions,
  start: Start,
  { facts, parts, health: { missing, metrics } }: ReturnType<typeof run>,
  { address, port, useKeyPair }: Serving,
  log: Log,
): Promise<{ stop(): void }> {
  const { config: file } = options
  const { config, connection } = start
  // API servers say whether the certificate is valid.
  const now = connection.timeOfDay
  const everyMs = FILES_EVERY_MS
  const certificate = await followServing(options, start, { use: useKeyPair, log, now })
  const dial = keepDialing({
    address,
    port,
    certificate: certificate.current,
    everyMs: DIAL_EVERY_MS,
    timeoutMs: DIAL_EVERY_MS,
  })
  const use = (next: Config) => facts.use(next)
  const configuration = file === undefined ? undefined : followConfig({ file, config, everyMs, use, log })
  const noteReadiness = readinessLog(missing, log)
  const timer = setInterval(() => {
    facts.tick()
    noteReadiness()
  }, TICK_MS)
  parts.certificate = certificate
  parts.dial = dial
  measureCluster(metrics.registry, {
    kinds: () => [...facts.feed.kinds, ...certificate.kinds],
    clock: systemClock,
    isReady: () => missing().length === 0,
    isConfigurationGood: () => (configuration?.problems() ?? []).length === 0,
    certificateEnds: () => certificate.current()?.validToDate.getTime(),
    now,
  })
  return {
    stop() {
      clearInterval(timer)
      for (const each of [certificate, dial, configuration]) each?.stop()
    },
  }
}
