// What the leader does: keys are worked off, changes are taken up, and every few minutes everything is looked at again.
import { routeKind } from '../core/route.ts'
import type { KubeObject, RouteKind } from '../core/types.ts'
import type { Clock } from '../kube/clock.ts'
import type { Listed } from '../kube/list.ts'
import type { Log } from '../log.ts'
import { settleCompanions } from './companions.ts'
import { type Context, known } from './context.ts'
import { type Key, keyText } from './keys.ts'
import type { Sweep } from './orphans/orphans.ts'
import { isOurs, keyOfOwned, teamOfOwned } from './owned.ts'
import { type Passed, pass } from './pass.ts'
import { affected, type Change } from './queue/affected.ts'
import { canWait } from './queue/order.ts'
import { type Outcome, Queue } from './queue/queue.ts'
import { lookAt, sayFrozen, settleRoute } from './route.ts'
import type { ClusterFacts } from './scopes.ts'
import { nextSteps } from './steps/steps.ts'

export type WorkOptions = {
  readonly context: Context
  readonly list: (kind: RouteKind, receive: (route: KubeObject) => void) => Promise<Listed>
  /** Brings the status of a team in line. */
  readonly settleTeam: (team: string) => Promise<Outcome>
  readonly passed: (passed: Passed, seconds: number) => void
  readonly log: Log
  /** At least 0, less than 1. */
  readonly random: () => number
}

export type Work = {
  readonly depth: number
  /** Something is stored otherwise than before. */
  changed(change: Change): void
  /** Everything is looked at again soon: more has changed than is told. */
  passSoon(): void
  /** More is to be said of a team than is stored. */
  statusSoon(team: string): void
  /** Resolves when nothing is under way. */
  stop(): Promise<void>
}

const WORKERS = 8
/** Changes of facts are taken up together: each new or edited policy is a change of a listener, which cuts connections. */
const TOGETHER_MS = 2_000
const STATUS_MS = 3_000
const PASS_EVERY_MS = 5 * 60_000
const PASS_SOON_MS = 5_000
/** Facts that are missing for so long are gone. */
const MISSING_MS = 4 * 60_000
const RETURNING: ReadonlySet<string> = new Set(['AuthTeam', 'Gateway'])
const PASS_AGAIN_MS = 30_000
/** More than that a change affects: read in pages they cost less than one by one. */
const MOST_ROUTES = 2_000

export function startWork(options: WorkOptions): Work {
  const { context, log, random } = options
  const { clock } = context
  const queue = new Queue<Key>({
    text: keyText,
    work: key => settle(key, options),
    fault: (error, key) => log.error({ err: error, key: keyText(key) }, 'a key could not be looked at'),
    workers: WORKERS,
    clock,
    random,
  })
  const passes = keepPassing(options, queue)
  return {
    get depth() {
      return queue.depth
    },
    changed(change) {
      takeUp(change, context, queue, passes.soon)
      // What comes may be what was missing, and go again before it is looked at.
      if (change.what === 'put' && RETURNING.has(change.document.kind) && change.before === undefined) passes.doubt()
    },
    passSoon: passes.soon,
    statusSoon: team => queue.add({ of: 'team', team }, STATUS_MS, true),
    async stop() {
      await Promise.all([passes.stop(), queue.stop()])
    },
  }
}

async function settle(key: Key, { context, settleTeam }: WorkOptions): Promise<Outcome> {
  if (key.of === 'route') return settleRoute(key.route, context)
  const settled = await settleCompanions(key, context)
  if (key.of !== 'team') return settled
  const told = await settleTeam(key.team)
  return settled.outcome === 'settled' ? told : settled
}

function takeUp(change: Change, context: Context, queue: Queue<Key>, passSoon: () => void): void {
  const { facts } = context
  const { document } = change
  const ours = oursOf(change)
  if (ours !== undefined) {
    const key = keyOfOwned(ours)
    for (const team of teamsBehind(ours, facts())) queue.add({ of: 'team', team }, STATUS_MS, true)
    // Somebody else's doing is repaired at once; our own leaves nothing to do.
    if (key !== undefined && nextSteps(key, known(context)).length > 0) {
      context.drifted(ours)
      queue.add(key)
    }
  } else if (routeKind(document) !== undefined) {
    takeUpRoute(change, context, queue)
  }
  const concerned = affected(change, facts())
  if (concerned === 'everything') {
    passSoon()
    return
  }
  let routes = 0
  for (const key of concerned) {
    if (key.of === 'route' && ++routes > MOST_ROUTES) {
      passSoon()
      return
    }
    queue.add(key, key.of === 'team' ? STATUS_MS : TOGETHER_MS, canWait(key, context))
  }
}

/** Whose status it decides: the net is that of every team in its namespace. */
export function teamsBehind(ours: KubeObject, facts: ClusterFacts): readonly string[] {
  const team = teamOfOwned(ours)
  if (team !== undefined) return [team]
  const key = keyOfOwned(ours)
  if (key?.of !== 'namespace') return []
  return facts.teamsIn(key.namespace).admitted.map(({ name }) => name)
}

/** What says whose it is: the object itself, or, where that was taken from it or only its name is left, what it was. */
function oursOf({ document, owned }: Change): KubeObject | undefined {
  return isOurs(document) && keyOfOwned(document) !== undefined ? document : owned
}

function takeUpRoute({ what, document }: Change, context: Context, queue: Queue<Key>): void {
  const kind = routeKind(document)
  if (kind === undefined) return
  const ref = { kind, namespace: String(document.metadata.namespace), name: String(document.metadata.name) }
  const key: Key = { of: 'route', route: ref }
  if (what === 'remove') {
    if (context.owned().ofKey(keyText(key)).length > 0) queue.add(key)
    return
  }
  const { hasWork, frozen } = lookAt(document, ref, context)
  if (hasWork) queue.add(key)
  if (frozen !== undefined) sayFrozen(document, ref, frozen, context)
}

type Passes = {
  soon(): void
  /** What sweeps have found to be missing is counted anew. */
  doubt(): void
  stop(): Promise<void>
}

function keepPassing(options: WorkOptions, queue: Queue<Key>): Passes {
  const { context, random, log } = options
  const { clock } = context
  const state = { stopped: false, cancel: () => {}, due: 0, running: Promise.resolve(), wanted: false, busy: false }
  const missing = new Missing(clock)
  const pause = (ms: number) => new Promise<void>(resolve => clock.after(ms, resolve))
  const run = async () => {
    state.busy = true
    state.wanted = false
    const began = clock.now()
    try {
      const passed = await pass({ ...options, queue, before: missing.long(), pause })
      if (passed.complete) missing.note(passed.sweep)
      options.passed(passed, (clock.now() - began) / 1000)
      schedule(passed.complete ? PASS_EVERY_MS * (0.9 + 0.2 * random()) : PASS_AGAIN_MS)
    } catch (error) {
      log.error({ err: error }, 'a pass could not be finished')
      schedule(PASS_AGAIN_MS)
    }
    state.busy = false
    if (state.wanted) schedule(PASS_SOON_MS)
  }
  const schedule = (ms: number) => {
    state.cancel()
    if (state.stopped) return
    state.due = clock.now() + ms
    state.cancel = clock.after(ms, () => {
      state.running = run()
    })
  }
  schedule(0)
  return {
    soon() {
      if (state.busy) state.wanted = true
      else if (state.due > clock.now() + PASS_SOON_MS) schedule(PASS_SOON_MS)
    },
    doubt: () => missing.note(new Set()),
    async stop() {
      state.stopped = true
      state.cancel()
      await state.running
    },
  }
}

/** What a sweep finds to be wanted by facts that are missing, and since when: passes may follow each other at once. */
class Missing {
  readonly #clock: Pick<Clock, 'now'>
  #since = new Map<string, number>()

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  note(sweep: Sweep): void {
    this.#since = new Map([...sweep].map(id => [id, this.#since.get(id) ?? this.#clock.now()]))
  }

  /** Long enough for the next sweep to believe it. */
  long(): Sweep {
    const since = this.#clock.now() - MISSING_MS
    return new Set([...this.#since].filter(([, at]) => at <= since).map(([id]) => id))
  }
}
