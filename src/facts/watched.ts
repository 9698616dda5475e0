// Facts that watches bring: one store, built anew where the configuration changes, and used once it is complete.
import type { Config } from '../api/config.ts'
import type { GatewayKind } from '../core/types.ts'
import { StoredCompanions } from './companions.ts'
import { type Expiring, expiring, type Sink } from './expiry.ts'
import { FactStore } from './store.ts'

/** What fills a store. */
export type Feed = {
  /** All is there that there was when it began. Once true it stays. */
  ready(): boolean
  stop(): Promise<void>
}

export type WatchedOptions<F extends Feed> = {
  readonly config: Config
  readonly gateways: readonly GatewayKind[]
  /** Starts to fill a store. */
  readonly feed: (sink: Sink) => F
  /** ms since the epoch. */
  readonly now: () => number
  /** Never set back, as the time of day may be. */
  readonly clock: { now(): number }
  /** A store is built anew this much after the one before it, at least: it lists everything. */
  readonly rebuildEveryMs: number
}

type Filled<F> = { readonly store: FactStore; readonly sink: Expiring; readonly feed: F; readonly began: number }

export class WatchedFacts<F extends Feed> {
  readonly #options: WatchedOptions<F>
  #current: Filled<F>
  #next: Filled<F> | undefined
  #wanted: Config | undefined

  constructor(options: WatchedOptions<F>) {
    this.#options = options
    this.#current = this.#fill(options.config)
  }

  /** In force. */
  get store(): FactStore {
    return this.#current.store
  }

  /** Of the store in force. */
  get feed(): F {
    return this.#current.feed
  }

  ready(): boolean {
    return this.#current.feed.ready()
  }

  /** Until a store by this configuration is complete, the one before it answers. */
  use(config: Config): void {
    this.#wanted = config
    this.tick()
  }

  /** To be called every second: what is over ends, what is complete is used. */
  tick(): void {
    const { clock, rebuildEveryMs } = this.#options
    this.#current.sink.expire()
    this.#next?.sink.expire()
    const latest = this.#next ?? this.#current
    if (this.#wanted !== undefined && clock.now() - latest.began >= rebuildEveryMs) {
      void this.#next?.feed.stop()
      this.#next = this.#fill(this.#wanted)
      this.#wanted = undefined
    }
    if (this.#next?.feed.ready()) {
      void this.#current.feed.stop()
      this.#current = this.#next
      this.#next = undefined
    }
  }

  async stop(): Promise<void> {
    await Promise.all([this.#current.feed.stop(), this.#next?.feed.stop()])
  }

  #fill(config: Config): Filled<F> {
    const { gateways, feed, now, clock } = this.#options
    let filling: F | undefined
    const isCaughtUp = () => filling?.ready() ?? false
    const store = new FactStore(config, new StoredCompanions(gateways, now, isCaughtUp))
    const sink = expiring(store, now)
    filling = feed(sink)
    return { store, sink, feed: filling, began: clock.now() }
  }
}
