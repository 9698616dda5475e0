// What a watch is given, and what it lets others see.
import type { Log } from '../log.ts'
import type { Clock } from './clock.ts'
import type { EventCounts } from './history.ts'
import type { Receive } from './known.ts'
import type { Limits } from './pace.ts'
import type { Cause, Setback } from './setback.ts'

export type WatchOptions = {
  /** Where the kind is listed, such as `/apis/networking.k8s.io/v1/ingresses`. */
  readonly path: string
  /** Of the one object that is wanted; absent: all of them. */
  readonly name?: string
  /**
   * Gets every object of a list that is new or has changed, and every change. Of an object that a re-list no longer
   * finds, it gets type and name.
   */
  readonly receive: Receive
  /** A list is complete; or the kind is not installed (any more), which says nothing about objects received before. */
  readonly onState?: (state: 'synced' | 'absent') => void
  readonly clock: Clock
  /** At least 0, less than 1. */
  readonly random: () => number
  readonly log: Log
  readonly limits?: Partial<Limits>
}

export type Counts = EventCounts & {
  /** Asked for. */
  readonly lists: number
  /** Those that have come to their end. */
  readonly complete: number
  readonly pages: number
  readonly watches: number
  readonly setbacks: Readonly<Record<Cause, number>>
}

export type Watched = {
  readonly path: string
  /** Listed completely at least once. */
  readonly synced: boolean
  /** The kind is not installed: nothing is missing. */
  readonly absent: boolean
  /** What it met last that is out of the ordinary, until a watch says something again. */
  readonly trouble: Pick<Setback, 'cause' | 'detail'> | undefined
  /** When the server last said something about this kind, by the clock. */
  readonly lastHeard: number
  /** How many objects are known. */
  readonly size: number
  readonly counts: Counts
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>
}
