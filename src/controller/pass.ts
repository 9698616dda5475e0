// The full pass: every key looked at, and every route read anew from the API server, whatever the watches have told. At
// its end what nobody wants any more is swept.
import { routeKind } from '../core/route.ts'
import type { KubeObject, RouteKind } from '../core/types.ts'
import type { Listed } from '../kube/list.ts'
import { take } from './companions.ts'
import { type Context, known } from './context.ts'
import type { Key } from './keys.ts'
import { orphans, type Sweep } from './orphans/orphans.ts'
import { referencesOf } from './orphans/references.ts'
import { canWait } from './queue/order.ts'
import type { Queue } from './queue/queue.ts'
import { lookAt, sayFrozen } from './route.ts'
import { allKeys, leftKeys } from './scopes.ts'
import { nextSteps } from './steps/steps.ts'

export type PassOptions = {
  readonly context: Context
  readonly queue: Pick<Queue<Key>, 'add' | 'depth'>
  /** Hands on every route of a kind, from the API server itself. */
  readonly list: (kind: RouteKind, receive: (route: KubeObject) => void) => Promise<Listed>
  readonly pause: (ms: number) => Promise<void>
  /** What sweeps have found to lack its facts for a while. */
  readonly before: Sweep
}

/** `orphans`: what nobody wants any more and is still there. */
export type Passed = {
  readonly complete: boolean
  readonly routes: number
  readonly queued: number
  readonly swept: number
  readonly orphans: number
  readonly sweep: Sweep
  /** Labelled routes that stay as they are, by the code of the first reason. */
  readonly frozen: ReadonlyMap<string, number>
}

/** How long a pass waits for what it has queued, before it sweeps: what is to be swept may still be in use. */
const SETTLE_MS = 20_000
const LOOK_AGAIN_MS = 250
/** So many keys are looked at before others have their turn. */
const TURN = 100

export async function pass(options: PassOptions): Promise<Passed> {
  const { context, queue, before } = options
  const references = new Set<string>()
  const frozen = new Map<string, number>()
  const counts = { routes: 0, queued: 0, frozen }
  const add = (key: Key) => {
    counts.queued++
    queue.add(key, 0, canWait(key, context))
  }
  const receive = (route: KubeObject) => {
    const kind = routeKind(route)
    if (kind === undefined) return
    const ref = { kind, namespace: String(route.metadata.namespace), name: String(route.metadata.name) }
    counts.routes++
    for (const each of referencesOf(route)) references.add(each)
    const look = lookAt(route, ref, context)
    if (look.hasWork) add({ of: 'route', route: ref })
    if (look.frozen === undefined) return
    const code = look.frozen[0]?.code ?? ''
    frozen.set(code, (frozen.get(code) ?? 0) + 1)
    sayFrozen(route, ref, look.frozen, context)
  }
  const incomplete = () => ({ ...counts, complete: false, swept: 0, orphans: 0, sweep: before })
  await lookAtScopes(options, add)
  const lists = [await options.list('Ingress', receive), await options.list('HTTPRoute', receive)]
  if (lists.some(({ outcome }) => outcome === 'failed')) return incomplete()
  for (let waited = 0; queue.depth > 0 && waited < SETTLE_MS; waited += LOOK_AGAIN_MS)
    await options.pause(LOOK_AGAIN_MS)
  const swept = await sweepUp(options, references)
  return swept === undefined ? incomplete() : { ...counts, complete: true, ...swept }
}

/** Guards, before the routes that rely on them; routes are looked at as they are read. */
async function lookAtScopes({ context, pause }: PassOptions, add: (key: Key) => void): Promise<void> {
  let looked = 0
  const { facts, owned } = context
  for (const key of [...leftKeys(facts(), owned()), ...allKeys(facts())]) {
    if (key.of === 'route') break
    if (++looked % TURN === 0) await pause(0)
    // With the key of a team its status is looked at.
    if (key.of === 'team' || nextSteps(key, known(context)).length > 0) add(key)
  }
}

/** undefined: meanwhile the facts were exchanged for others, by another configuration. */
async function sweepUp({ context, before, pause }: PassOptions, references: ReadonlySet<string>) {
  const { facts, owned, gateways, isAbsent } = context
  const began = facts()
  const sweeping = orphans(began, owned(), gateways, { references, isAbsent, before }, TURN)
  let next = sweeping.next()
  for (; next.done !== true; next = sweeping.next()) await pause(0)
  if (facts() !== began) return undefined
  const found = next.value
  let swept = 0
  for (const object of found.remove) {
    if ((await take({ do: 'remove', object }, context)) === undefined) swept++
  }
  return { swept, orphans: found.kept.length + found.remove.length - swept, sweep: found.sweep }
}
