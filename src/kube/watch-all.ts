// Watches of several kinds that fill one store, and whether the store is complete.
import type { KubeObject } from '../core/types.ts'
import type { Log } from '../log.ts'
import { type Clock, systemClock } from './clock.ts'
import type { Connection } from './connection.ts'
import { FACT_PATHS } from './kinds.ts'
import type { Limits } from './pace.ts'
import { watchKind } from './watch.ts'
import type { Watched } from './watched.ts'

/** What is wrong with a document; the store then keeps what it had. */
type Problems = readonly { readonly path: string; readonly message: string }[]

/** Such as the store of facts. */
export type Sink = {
  put(document: KubeObject): Problems
  remove(document: KubeObject): void
}

export type WatchAllOptions = {
  readonly log: Log
  /** Kind to the path of its list; without it, the kinds that are facts. */
  readonly paths?: Readonly<Record<string, string>>
  /** Kinds that nobody waits for once it is known that they may not be listed. */
  readonly optional?: readonly string[]
  readonly limits?: Partial<Limits>
  readonly clock?: Clock
  readonly random?: () => number
}

export type WatchedAll = {
  readonly kinds: ReadonlyMap<string, Watched>
  /** Every kind has been listed completely, or is not installed, or is optional and forbidden. Once true it stays: old knowledge is still knowledge. */
  ready(): boolean
  /** How long the server has said nothing about the kind of which that is longest. */
  ageMs(): number
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>
}

export function watchAll(connection: Connection, sink: Sink, options: WatchAllOptions): WatchedAll {
  const { log, paths = FACT_PATHS, optional = [], limits = {}, clock = systemClock, random = Math.random } = options
  const receive = (what: 'put' | 'remove', object: KubeObject) => {
    if (what === 'remove') return sink.remove(object)
    const problems = sink.put(object)
    if (problems.length > 0) logProblems(log, object, problems)
  }
  const watch = (kind: string, path: string) => {
    const onState = (state: 'synced' | 'absent') => log.info({ kind, state }, 'watch')
    return watchKind(connection, { path, receive, onState, clock, random, log, limits })
  }
  const kinds = new Map(Object.entries(paths).map(([kind, path]) => [kind, watch(kind, path)]))
  const all = [...kinds.values()]
  let complete = false
  return {
    kinds,
    ready() {
      complete ||= [...kinds].every(([kind, { synced, absent, trouble }]) => {
        return synced || absent || (optional.includes(kind) && trouble?.cause === 'forbidden')
      })
      return complete
    },
    ageMs: () => clock.now() - Math.min(...all.map(each => each.lastHeard)),
    stop: async () => {
      await Promise.all(all.map(each => each.stop()))
    },
  }
}

function logProblems(log: Log, { kind, metadata: { namespace, name } }: KubeObject, problems: Problems): void {
  log.warn({ kind, namespace, name, problems }, 'document is not valid, what it would replace stays')
}
