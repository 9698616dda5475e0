// Single objects watched by their names: that one of them has changed is told, not to what.
import type { Connection } from './connection.ts'
import { collectionPath } from './kinds.ts'
import { watchKind } from './watch.ts'
import type { Watched, WatchOptions } from './watched.ts'
import type { ObjectRef } from './write.ts'

/** Of each kind there is one object at most. */
export type WatchedObjects = {
  readonly kinds: ReadonlyMap<string, Watched>
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>
}

type Options = Pick<WatchOptions, 'clock' | 'random' | 'log'>

/** A list of one object costs little more than the object, so that what a watch has missed is made up for at once. */
const LIMITS = { relistEveryMs: 5_000, relistJitterMs: 1_000 }

export function watchObjects(
  connection: Connection,
  refs: readonly ObjectRef[],
  changed: () => void,
  options: Options,
): WatchedObjects {
  const watch = (ref: ObjectRef): [string, Watched] => {
    const { kind, name } = ref
    const of = { path: collectionPath(ref), name, receive: () => changed(), limits: LIMITS }
    return [kind, watchKind(connection, { ...options, ...of })]
  }
  const kinds = new Map(refs.map(watch))
  return {
    kinds,
    async stop() {
      await Promise.all([...kinds.values()].map(each => each.stop()))
    },
  }
}
