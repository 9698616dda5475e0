// What is heard of a Lease that somebody else holds: who is heard to renew it need not be asked whether he does.
import type { KubeObject } from '../core/types.ts'
import type { Clock } from './clock.ts'
import type { Connection } from './connection.ts'
import { collectionPath } from './kinds.ts'
import { watchKind } from './watch.ts'
import type { WatchOptions } from './watched.ts'
import type { ObjectRef } from './write.ts'

export type Hearing = {
  /** Of a watch that hears nothing any more nobody knows why: then the Lease has to be read. */
  isFresh(): boolean
  /** Nothing is heard from then on. */
  end(): void
}

export type HearingOptions = Pick<WatchOptions, 'random' | 'log'> & {
  readonly connection: Connection
  readonly ref: ObjectRef
  readonly clock: Clock
  /** Longer than a leader leaves between two renewals. */
  readonly freshMs: number
  /** Undefined: it was deleted. */
  readonly hear: (lease: KubeObject | undefined) => void
}

export function hearLease({ connection, ref, clock, freshMs, hear, random, log }: HearingOptions): Hearing {
  let heardAt = Number.NEGATIVE_INFINITY
  let isOver = false
  const receive = (what: 'put' | 'remove', lease: KubeObject) => {
    if (isOver) return
    heardAt = clock.now()
    hear(what === 'put' ? lease : undefined)
  }
  const watched = watchKind(connection, { path: collectionPath(ref), name: ref.name, receive, clock, random, log })
  return {
    isFresh: () => clock.now() - heardAt < freshMs,
    end() {
      isOver = true
      void watched.stop()
    },
  }
}
