// The controller put together: what it watches, the lease by which it leads, and the work while it does.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../../api/config.ts'
import type { Context, Said } from '../../controller/context.ts'
import { isOurs } from '../../controller/owned.ts'
import { changeOf } from '../../controller/queue/affected.ts'
import { type LoopGuard, loopGuard } from '../../controller/queue/loop-guard.ts'
import { keepEvents } from '../../controller/told/events.ts'
import { startWork, teamsBehind, type Work } from '../../controller/work.ts'
import { identity } from '../../core/companions.ts'
import { WatchedFacts } from '../../facts/watched.ts'
import { gateways } from '../../gateways/index.ts'
import { systemClock } from '../../kube/clock.ts'
import type { Connection } from '../../kube/connection.ts'
import { listPath } from '../../kube/kinds.ts'
import { type KeptLease, keepLease } from '../../kube/lease.ts'
import { listAll } from '../../kube/list.ts'
import type { Term } from '../../kube/term.ts'
import type { WatchedObjects } from '../../kube/watch-objects.ts'
import type { Watched } from '../../kube/watched.ts'
import { createWriter } from '../../kube/writer.ts'
import type { Log } from '../../log.ts'
import { leadCertificates } from './certificates.ts'
import type { ControllerMetrics } from './gauges.ts'
import { Refusals } from './refusals.ts'
import { settleTeamStatus } from './team-status.ts'
import { aboutConfiguration, keepTrying, type Trials } from './trials.ts'
import { type Observe, type Watching, watchCluster } from './watching.ts'

export type RunOptions = {
  readonly config: Config
  readonly connection: Connection
  /** Renewals of the lease go over a connection of their own, so that no work is in their way. */
  readonly leaseConnection: Connection
  /** Of this process and no other. */
  readonly identity: string
  readonly configurationProblems: () => readonly string[]
  readonly metrics: () => ControllerMetrics
  readonly log: Log
}

export type RunningController = {
  readonly facts: WatchedFacts<Watching>
  readonly lease: KeptLease
  readonly loops: LoopGuard
  /** All that run, by kind. */
  watches(): Iterable<readonly [string, Watched]>
  /** Keys that wait or are under way. */
  depth(): number
  /** To be called every second. */
  tick(): void
  use(config: Config): void
  stop(): Promise<void>
}

/** Also the name of the Lease. */
const NAME = 'portcullis-controller'
const REBUILD_EVERY_MS = 60_000
const READY_EVERY_MS = 200
const DONE: ReadonlySet<Said['said']> = new Set(['Protected', 'Repaired', 'Released'])

export function runController(options: RunOptions): RunningController {
  const { config, connection, leaseConnection, log } = options
  // What is stored has its times from API servers.
  const now = connection.timeOfDay
  const loops = loopGuard(systemClock)
  const leading: Leads = {}
  const facts: WatchedFacts<Watching> = new WatchedFacts({
    config,
    gateways,
    feed: sink => {
      const observe: Observe = (what, document) => {
        // Of a store that is not in force yet everything is looked at once it is.
        const { work } = leading
        if (work === undefined || watching !== facts.feed) return () => undefined
        const owned = watching.owned.get(identity(document))
        const change = { ...changeOf(what, document, facts.store), ...(owned === undefined ? {} : { owned }) }
        return () => work.changed(change)
      }
      const watching: Watching = watchCluster(connection, sink, observe, log)
      return watching
    },
    now,
    clock: systemClock,
    rebuildEveryMs: REBUILD_EVERY_MS,
  })
  const lease = keepLease({
    connection: leaseConnection,
    namespace: config.namespace,
    name: NAME,
    identity: options.identity,
    work: term => lead(term, { ...options, config: () => inUse, facts, loops, leading }),
    log,
  })
  let inUse = config
  let inForce = facts.feed
  let problems = ''
  let missing = ''
  return {
    facts,
    lease,
    loops,
    watches: () => [...facts.feed.kinds, ...(leading.certificates?.kinds ?? [])],
    depth: () => leading.work?.depth ?? 0,
    tick() {
      facts.tick()
      const services = facts.feed.services()
      const unseen = typeof services === 'string' ? services : undefined
      const wrong = [...options.configurationProblems(), leading.trials?.problem(), unseen].join()
      const absent = absentKinds(facts.feed)
      if (facts.feed === inForce && wrong === problems && absent === missing) return
      inForce = facts.feed
      // Steps that wait until a kind is known are told of nothing else.
      missing = absent
      // It is part of the status of every team.
      problems = wrong
      leading.work?.passSoon()
    },
    use(next) {
      inUse = next
      facts.use(next)
    },
    async stop() {
      await lease.stop()
      await facts.stop()
    },
  }
}

function absentKinds({ kinds }: Watching): string {
  return [...kinds].flatMap(([kind, { absent }]) => (absent ? [kind] : [])).join()
}

type Leads = { certificates?: WatchedObjects; work?: Work; trials?: Trials }

type Leading = Omit<RunOptions, 'config'> & {
  readonly config: () => Config
  readonly facts: WatchedFacts<Watching>
  readonly loops: LoopGuard
  readonly leading: Leads
}

/** One term: certificates at once, since without them nothing else comes into being, and the rest once facts are complete. */
async function lead(term: Term, options: Leading): Promise<void> {
  const certificates = leadCertificates(term, options)
  options.leading.certificates = certificates
  await leadWork(term, options)
  delete options.leading.certificates
  await certificates.stop()
}

async function leadWork(term: Term, options: Leading): Promise<void> {
  const { facts, leading } = options
  while (!facts.ready()) {
    if (!term.holds()) return
    await sleep(READY_EVERY_MS)
  }
  const over = new Promise<void>(resolve => {
    if (term.signal.aborted) resolve()
    else term.signal.addEventListener('abort', () => resolve(), { once: true })
  })
  const { work, trials, stop } = begin(term, options)
  Object.assign(leading, { work, trials })
  await over
  delete leading.work
  delete leading.trials
  await stop()
}

function begin(term: Term, options: Leading): { work: Work; trials: Trials; stop(): Promise<void> } {
  const { config, facts, connection, identity, loops, metrics, log, configurationProblems } = options
  const now = connection.timeOfDay
  const writer = createWriter(connection, { signal: term.signal, mayWrite: term.holds })
  const events = keepEvents({ writer, instance: identity, log, now })
  const refusals = new Refusals(now)
  const tell = (teams: readonly string[]) => {
    for (const team of teams) work.statusSoon(team)
  }
  const say = (said: Said) => {
    if (said.said === 'NotOurs') tell(refusals.noteTaken(said.about, said.team === undefined ? [] : [said.team]))
    const isNew = events.say(said)
    // What stands is found again by each pass: once an hour is enough. What was done counts each time.
    if (!isNew && !DONE.has(said.said)) return
    metrics().told(said.said)
    log.info(said, 'said')
  }
  const context: Context = {
    facts: () => facts.store,
    owned: () => facts.feed.owned,
    gateways,
    isAbsent: kind => facts.feed.kinds.get(kind)?.absent ?? false,
    writer,
    loops,
    say,
    wrote(how, object, written) {
      metrics().wrote(object.kind, how, written.outcome)
      if (isOurs(object)) tell(refusals.note(object, written, teamsBehind(object, facts.store)))
    },
    drifted: object => metrics().drifted(object.kind),
    clock: systemClock,
    now,
  }
  const status = {
    store: () => facts.store,
    watching: () => facts.feed,
    writer,
    configurationProblems,
    unjudged: () => trials.problem(),
    now,
    log,
  }
  const trials = keepTrying({
    ...{ connection, writer, namespace: config().namespace, clock: systemClock, signal: term.signal, log },
    tried: result => metrics().certificates.tried(result),
    failed: (configuration, message) =>
      events.say({ said: 'NotAsked', about: aboutConfiguration(configuration), message }),
  })
  const work = startWork({
    context,
    async list(kind, receive) {
      const listed = await listAll(connection, listPath(kind), receive)
      if (listed.outcome === 'failed') log.warn({ kind, message: listed.message }, 'routes could not be read')
      return listed
    },
    settleTeam: team => settleTeamStatus(team, { ...status, refusals: refusals.of }),
    passed(passed, seconds) {
      metrics().passed(passed, seconds)
      const { frozen, sweep: _, ...counts } = passed
      log.info({ ...counts, frozen: Object.fromEntries(frozen), seconds }, 'looked at everything')
    },
    log,
    random: Math.random,
  })
  const stop = async () => {
    await Promise.all([work.stop(), trials.ended])
    await events.stop()
  }
  return { work, trials, stop }
}
