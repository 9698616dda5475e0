// `portcullis controller`: of all replicas one leads, and keeps what protects routes the way it has to be.
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { type Following, followConfig } from '../facts/config-file.ts'
import { type Health, serveHealth } from '../http/health.ts'
import { systemClock } from '../kube/clock.ts'
import { connect } from '../kube/connection.ts'
import { createLog, type Log, type LogLevel } from '../log.ts'
import { createControllerMetrics } from './controller/gauges.ts'
import { type RunningController, runController } from './controller/run.ts'
import { failure, type Io, OK, USAGE } from './io.ts'
import { cannotListen } from './listening.ts'
import { missingFacts, readinessLog } from './missing.ts'
import { prepare, type Start } from './start.ts'
import { measureWatches } from './watch-gauges.ts'

export type ControllerOptions = {
  readonly kubeconfig?: string
  readonly config?: string
  readonly healthPort?: number
  readonly host?: string
  readonly logLevel: LogLevel
}

const HEALTH_PORT = 8081
const FILES_EVERY_MS = 10_000
const TICK_MS = 1_000

export async function controller(options: ControllerOptions, io: Io): Promise<number> {
  const start = await prepare(options)
  if ('problems' in start) {
    for (const problem of start.problems) io.err(`${problem}\n`)
    return USAGE
  }
  const log = createLog({ level: options.logLevel })
  const serving = await serve(start, options, log, io)
  if (serving !== undefined) {
    await io.stopped()
    log.info({}, 'shutting down')
    await serving.stop()
  }
  start.connection.close()
  return serving === undefined ? USAGE : OK
}

/** undefined: it can't listen, and has been said. */
async function serve(
  start: Start,
  options: ControllerOptions,
  log: Log,
  io: Io,
): Promise<{ stop(): Promise<void> } | undefined> {
  const { config: file, kubeconfig } = options
  let configuration: Following | undefined
  const problems = () => configuration?.problems() ?? []
  const leaseConnection = await connect(kubeconfig)
  const running: RunningController = runController({
    ...start,
    leaseConnection,
    // Of this process alone: the one that has its name after it must not take its lease for its own.
    identity: `${process.env.POD_NAME ?? hostname()}_${randomUUID()}`,
    configurationProblems: problems,
    metrics: () => metrics,
    log,
  })
  const missing = () => missingFacts(running.facts.feed)
  const metrics = createControllerMetrics({
    isLeader: () => running.lease.isLeader(),
    depth: running.depth,
    resting: () => running.loops.resting,
    isReady: () => missing().length === 0,
    isConfigurationGood: () => problems().length === 0,
    timeOfDay: start.connection.timeOfDay,
  })
  measureWatches(metrics.registry, running.watches, systemClock)
  const health = await listen(options, missing, metrics.registry, io)
  if (health === undefined) {
    await running.stop()
    leaseConnection.close()
    return undefined
  }
  if (file !== undefined) {
    const { config } = start
    configuration = followConfig({ file, config, everyMs: FILES_EVERY_MS, use: running.use, log })
  }
  const noteReadiness = readinessLog(missing, log)
  const timer = setInterval(() => {
    running.tick()
    noteReadiness()
  }, TICK_MS)
  return {
    async stop() {
      clearInterval(timer)
      configuration?.stop()
      await running.stop()
      leaseConnection.close()
      await health.close()
    },
  }
}

async function listen(
  { host, healthPort: port = HEALTH_PORT }: ControllerOptions,
  missing: () => readonly string[],
  registry: Parameters<typeof serveHealth>[0]['registry'],
  io: Io,
): Promise<Health | undefined> {
  try {
    return await serveHealth({ port, host, missing, registry })
  } catch (error) {
    const problem = cannotListen(failure(error).code, '--health-port', port, host)
    if (problem === undefined) throw error
    io.err(`${problem}\n`)
    return undefined
  }
}
