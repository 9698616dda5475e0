// Brings the companions of a key in line, a batch of steps at a time, until there is nothing left to do.
import { identity } from '../core/companions.ts'
import { string } from '../core/json.ts'
import type { KubeObject } from '../core/types.ts'
import type { ObjectRef, Written } from '../kube/write.ts'
import { type Context, known } from './context.ts'
import type { Key } from './keys.ts'
import { type Answer, isOurs, teamOfOwned } from './owned.ts'
import type { Outcome } from './queue/queue.ts'
import { SETTLED } from './queue/queue.ts'
import { netWaitsMs } from './steps/namespace-steps.ts'
import { generation, NET_NAMES, named } from './steps/net.ts'
import { nextSteps, type Seen, type Step } from './steps/steps.ts'
import { isNet } from './steps/team-policies.ts'

/** More than any key needs: a few batches for a namespace that moves between teams. */
const MOST_BATCHES = 12
/** A quota, a right or a definition may come; nobody tells us. */
const REFUSED_AGAIN_MS = 60_000
/** Without a guard nothing may close a route, so somebody who removes it again and again is not given in to for long. */
const MISSING_GUARD_MS = 10_000
/** The object of somebody else's may go. */
const TAKEN: Outcome = { outcome: 'later', afterMs: 60_000 }

/** `seen`: of a route key, what the API server just said of the route. */
export async function settleCompanions(key: Key, context: Context, seen?: Seen): Promise<Outcome> {
  // What can't be written now: without it the rest is done as far as it stays safe.
  const blocked = new Map<string, Outcome>()
  for (let batch = 0; batch < MOST_BATCHES; batch++) {
    const steps = nextSteps(key, known(context), new Set(blocked.keys()), seen)
    if (steps.length === 0) return blocked.size === 0 ? waiting(key, context) : worst(blocked.values())
    for (const step of steps) {
      const stopped = await take(step, context, seen?.route)
      if (stopped === undefined) continue
      for (const id of alike(step.object, stopped)) blocked.set(id, stopped)
    }
  }
  return { outcome: 'failed' }
}

/** Identities of what cannot be written either: a net has another name where one is taken, and for no other reason. */
function alike(object: KubeObject, stopped: Outcome): string[] {
  if (!isNet(object) || stopped === TAKEN) return [identity(object)]
  return Array.from({ length: NET_NAMES }, (_, ahead) => identity(named(object, generation(object) + ahead)))
}

/** A net may be followed by another only so often. */
function waiting(key: Key, { owned, now }: Context): Outcome {
  const afterMs =
    key.of === 'namespace' ? netWaitsMs({ namespace: key.namespace, owned: owned(), now: now() }) : undefined
  return afterMs === undefined ? SETTLED : { outcome: 'later', afterMs: afterMs + 1 }
}

/** undefined: done, or to be looked at again at once. `owner`: a route, with which what lives beside it goes. */
export async function take(step: Step, context: Context, owner?: KubeObject): Promise<Outcome | undefined> {
  const { loops, owned } = context
  const id = identity(step.object)
  if (!loops.mayWrite(id)) return { outcome: 'later', afterMs: loops.restsFor(id) }
  const isMissing = owned().get(id) === undefined
  const answer = owned().answerAbout(id)
  try {
    return await write(step, { context, answer, isMissing, owner })
  } finally {
    answer.end()
  }
}

type Writing = {
  readonly context: Context
  readonly answer: Answer
  /** As far as was known before. */
  readonly isMissing: boolean
  readonly owner: KubeObject | undefined
}

async function write(step: Step, writing: Writing): Promise<Outcome | undefined> {
  const { context, answer, isMissing, owner } = writing
  const { loops, writer, say, wrote } = context
  const ref = refOf(step.object)
  if (step.do === 'remove') {
    const removed = await writer.remove(ref, string(step.object.metadata.uid) ?? '')
    wrote(step.do, step.object, removed)
    if (removed.outcome !== 'done' || removed.object.metadata.deletionTimestamp !== undefined)
      return unlessDone(removed, step.object, writing)
    answer.remove(step.object)
    return undefined
  }
  if (isMissing) {
    const there = await look(step.object, ref, writing)
    if (there !== 'free') return there
  }
  const written =
    step.do === 'apply'
      ? await writer.apply(withOwner(step.object, owner))
      : await writer.patch(ref, step.version, step.operations)
  wrote(step.do, step.object, written)
  const restMs = isMissing && step.guards ? MISSING_GUARD_MS : undefined
  const isLoop = written.outcome === 'done' && loops.wrote(identity(step.object), step.object.spec, restMs)
  if (isLoop) say({ said: 'LoopGuard', about: ref })
  return unlessDone(written, step.object, writing)
}

/** What has the name of an object that is to be made; undefined: ours, which is known from now on. */
async function look(object: KubeObject, ref: ObjectRef, writing: Writing): Promise<Outcome | undefined | 'free'> {
  const { context, answer } = writing
  const there = await context.writer.get(ref)
  if (there.outcome === 'gone') return 'free'
  if (there.outcome !== 'done') return unlessDone(there, object, writing)
  if (isOurs(there.object)) {
    answer.put(there.object)
    return undefined
  }
  const team = teamOfOwned(object)
  context.say({ said: 'NotOurs', about: ref, ...(team === undefined ? {} : { team }) })
  return TAKEN
}

async function unlessDone(written: Written, object: KubeObject, writing: Writing): Promise<Outcome | undefined> {
  const { answer } = writing
  const { writer, say } = writing.context
  switch (written.outcome) {
    case 'done':
      answer.put(written.object)
      return undefined
    case 'conflict': {
      const there = await writer.get(refOf(object))
      if (there.outcome === 'done') answer.put(there.object)
      return { outcome: 'failed' }
    }
    case 'gone':
      answer.remove(object)
      return undefined
    case 'exists':
      return { outcome: 'failed' }
    // It goes by itself, or comes with a change that we hear of.
    case 'nowhere':
    case 'absent':
      return { outcome: 'later', afterMs: REFUSED_AGAIN_MS }
    case 'refused':
      say({ said: 'Refused', about: refOf(object), message: written.message })
      return { outcome: 'failed', afterMs: REFUSED_AGAIN_MS }
    case 'later':
      return { outcome: 'failed', ...(written.afterMs === undefined ? {} : { afterMs: written.afterMs }) }
  }
}

function refOf({ apiVersion, kind, metadata }: KubeObject): ObjectRef {
  const namespace = string(metadata.namespace)
  return { apiVersion, kind, name: String(metadata.name), ...(namespace === undefined ? {} : { namespace }) }
}

/** The one that has to be looked at first. */
function worst(outcomes: Iterable<Outcome>): Outcome {
  let result: Outcome = SETTLED
  for (const each of outcomes) {
    if (result.outcome === 'settled' || each.outcome === 'failed') result = each
  }
  return result
}

function withOwner(object: KubeObject, owner: KubeObject | undefined): KubeObject {
  if (owner === undefined || object.metadata.namespace !== owner.metadata.namespace) return object
  const { apiVersion, kind, metadata } = owner
  const ownerReferences = [{ apiVersion, kind, name: metadata.name, uid: metadata.uid }]
  return { ...object, metadata: { ...object.metadata, ownerReferences } }
}
