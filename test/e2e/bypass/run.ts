// Tries ways around a login: writes what each row says, asks for a while, and says what came of it.
import { setTimeout as sleep } from 'node:timers/promises'
import { object } from '../../../src/core/json.ts'
import type { KubeObject } from '../../../src/core/types.ts'
import { type Api, pathOf, type Reply } from '../../integration/api.ts'
import { labelled, made, patiently } from './ground.ts'
import type { Scene, State, Step, Way } from './way.ts'
import { isRefusal, refuser, send, standsAsWritten } from './write.ts'

export type Outcome = {
  /** fault: the row is wrong, or its ground. */
  readonly state: State | 'fault'
  /** With refused. */
  readonly by?: string
  readonly happened: string
}

export type Tried = { readonly way: Way; readonly scene: Scene }

/** What differs from what the row says has this long to come about, even by lot; what does not is watched for this long. */
const LONGEST_MS = 60_000
const WATCHED_MS = 5_000
const EVERY_MS = 400

/** As the protected route is stored before anything is tried; undefined: the row has none. */
function protectedRoute({ way, scene }: Tried): KubeObject | undefined {
  const route = way.route === undefined ? scene.route : way.route(scene.route, scene)
  return route === undefined ? undefined : labelled(route)
}

/** Gives what is wrong with whom. */
export async function protect(api: Api, tried: readonly Tried[]): Promise<Map<Tried, Outcome>> {
  const faults = new Map<Tried, Outcome>()
  const attempt = async (each: Tried, work: () => Promise<void>) => {
    if (faults.has(each)) return
    await work().catch((error: Error) => faults.set(each, { state: 'fault', happened: error.message }))
  }
  for (const each of tried) {
    await attempt(each, async () => {
      const route = protectedRoute(each)
      if (route !== undefined) await made(api, route)
    })
  }
  for (const each of tried) await attempt(each, () => untilClosed(each))
  return faults
}

async function untilClosed({ way, scene }: Tried): Promise<void> {
  if (protectedRoute({ way, scene }) === undefined) return
  const deadline = performance.now() + LONGEST_MS
  for (;;) {
    const { status } = await scene.ask(scene.url())
    const who = way.asks === undefined || way.standing ? undefined : await way.asks(scene)
    if (status === 302 && who === undefined) return
    if (performance.now() > deadline) throw new Error(`not closed before anything is tried: ${status} ${who ?? ''}`)
    await sleep(EVERY_MS)
  }
}

/** `shake` makes the gateway build its configuration anew, for those that draw lots each time. */
export async function tryTogether(
  api: Api,
  tried: readonly Tried[],
  shake: (round: number) => Promise<void>,
): Promise<Map<Way, Outcome>> {
  const watched = await Promise.all(tried.map(each => begin(api, each)))
  const begun = performance.now()
  for (let round = 0; ; round++) {
    await shake(round)
    await Promise.all(watched.map(look))
    const spent = performance.now() - begun
    if (spent > LONGEST_MS) break
    const outcomes = await Promise.all(watched.map(each => outcomeOf(api, each)))
    const isDone = (outcome: Outcome, index: number) => {
      const each = watched[index] as Watched
      return isExpected(outcome, each) && (spent > WATCHED_MS || isFinal(outcome, each))
    }
    if (outcomes.every(isDone)) break
    await sleep(EVERY_MS)
  }
  return new Map(await Promise.all(watched.map(async each => [each.way, await outcomeOf(api, each)] as const)))
}

type Watched = Tried & {
  readonly written: readonly Step[]
  readonly refusal: Reply | undefined
  readonly fault?: string
  readonly seen: { who: string | undefined; last: string | undefined; failed: string | undefined }
}

async function begin(api: Api, { way, scene }: Tried): Promise<Watched> {
  const watched = { way, scene, refusal: undefined, seen: { who: undefined, last: undefined, failed: undefined } }
  const written: Step[] = []
  try {
    for (const step of await way.steps(scene)) {
      const reply = await patiently(() => send(api, step))
      // Whoever repairs may have put another in its place already.
      const isGone = step.does === 'removes' && reply.status === 404
      if (reply.status >= 300 && !isGone) {
        if (!isRefusal(reply)) throw new Error(`${reply.status} ${reply.message}`)
        return { ...watched, written, refusal: reply }
      }
      written.push(step)
    }
    return { ...watched, written }
  } catch (error) {
    return { ...watched, written, fault: (error as Error).message }
  }
}

async function look({ way, scene, seen }: Watched): Promise<void> {
  try {
    seen.last = await (way.asks ?? plainly)(scene)
    seen.who ??= seen.last
    seen.failed = undefined
  } catch (error) {
    // A connection that fails lets nobody through.
    seen.last = undefined
    seen.failed = (error as Error).message
  }
}

async function plainly(scene: Scene): Promise<string | undefined> {
  return (await scene.ask(scene.url())).reached?.application
}

function isExpected({ state, by }: Outcome, { way, scene }: Watched): boolean {
  return scene.portcullis ? state === way.with && by === way.by : state === way.without
}

/** Nothing was written, or nobody is there who would repair. */
function isFinal({ state }: Outcome, { scene }: Watched): boolean {
  return state === 'refused' || (state === 'open' && !scene.portcullis)
}

async function outcomeOf(api: Api, watched: Watched): Promise<Outcome> {
  const { refusal, seen, written, fault, scene } = watched
  if (fault !== undefined) return { state: 'fault', happened: fault }
  const answered = `${seen.who} answered`
  if (refusal !== undefined) {
    const by = refuser(refusal.message)
    if (seen.last !== undefined) return { state: 'open', happened: `${answered} though it was refused by ${by}` }
    return { state: 'refused', by, happened: `refused: ${by}` }
  }
  const stands = (await Promise.all(written.map(step => standsAsWritten(api, step)))).every(each => each)
  if (!stands && seen.last === undefined) {
    // Without anybody who repairs, it was never written.
    return {
      state: scene.portcullis ? 'repaired' : 'closed',
      happened: seen.who === undefined ? 'undone at once' : `undone after ${answered}`,
    }
  }
  if (seen.who !== undefined) return { state: 'open', happened: answered }
  return { state: 'closed', happened: `${seen.failed ?? scene.status() ?? 'nothing'} and no application answered` }
}

/** One at a time, and everything as it was before the next. */
export async function tryAlone(api: Api, tried: Tried, shake: (round: number) => Promise<void>): Promise<Outcome> {
  await untilClosed(tried)
  const { way, scene } = tried
  const steps = await way.steps(scene)
  const objects = steps.flatMap(step => (step.does === 'acts' ? [] : [step.object]))
  const before = await Promise.all(objects.map(each => api.send('GET', pathOf(each))))
  const again: Tried = { way: { ...way, steps: () => steps }, scene }
  const [outcome] = (await tryTogether(api, [again], shake)).values()
  for (const step of steps) if (step.does === 'acts') await step.after?.()
  for (const [index, each] of objects.entries()) {
    const { status, body } = before[index] as Reply
    await restored(api, each, status === 200 ? (body as unknown as KubeObject) : undefined)
  }
  return outcome as Outcome
}

async function restored(api: Api, object_: KubeObject, before: KubeObject | undefined): Promise<void> {
  const now = await api.send('GET', pathOf(object_))
  if (now.status === 200 && object(now.body.metadata).resourceVersion === before?.metadata.resourceVersion) return
  if (now.status === 200) await api.remove(object_)
  if (before === undefined) return
  const { apiVersion, kind, metadata, spec } = before
  const { name, namespace, labels, annotations } = metadata
  await api.create({ apiVersion, kind, metadata: { name, namespace, labels, annotations }, spec } as KubeObject)
}
