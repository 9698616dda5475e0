// The controller's queue: each key at most once, none by two workers, and again after growing pauses while it fails.
// What can wait is taken up when nothing else is due.
import type { Clock } from '../../kube/clock.ts'

/** What came of looking at a key. */
export type Outcome =
  | { readonly outcome: 'settled' }
  /** Nothing is wrong; look again then. */
  | { readonly outcome: 'later'; readonly afterMs: number }
  /** Again after a pause that grows each time; `afterMs`: not before that. */
  | { readonly outcome: 'failed'; readonly afterMs?: number }

export const SETTLED: Outcome = { outcome: 'settled' }

export type QueueOptions<K> = {
  /** The same text for the same key. */
  readonly text: (key: K) => string
  readonly work: (key: K) => Promise<Outcome>
  /** What `work` throws: a fault of ours, which counts as failed. */
  readonly fault: (error: unknown, key: K) => void
  readonly workers: number
  readonly clock: Clock
  /** At least 0, less than 1. */
  readonly random: () => number
}

type Entry<K> = {
  readonly key: K
  canWait: boolean
  failures: number
  /** Waiting until then by the clock; undefined: not waiting. */
  at?: number
  cancel?: () => void
  running: boolean
}

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 60_000

export class Queue<K> {
  readonly #options: QueueOptions<K>
  readonly #entries = new Map<string, Entry<K>>()
  /** Texts of keys that are due, in the order in which they became so. */
  readonly #due = new Set<string>()
  /** Of those, the ones that can wait. */
  readonly #patient = new Set<string>()
  #running = 0
  #stopped = false
  #waiting: (() => void)[] = []

  constructor(options: QueueOptions<K>) {
    this.#options = options
  }

  /** Keys that are waiting, due or under way. */
  get depth(): number {
    return this.#entries.size
  }

  /**
   * Due after that; what is due earlier already stays so. While the key is under way: once more when it is done.
   * `canWait`: while others are due that cannot. What cannot wait once does not until it is settled.
   */
  add(key: K, afterMs = 0, canWait = false): void {
    if (this.#stopped) return
    const text = this.#options.text(key)
    const entry = this.#entries.get(text) ?? { key, failures: 0, running: false, canWait }
    this.#entries.set(text, entry)
    entry.canWait &&= canWait
    this.#schedule(text, entry, afterMs)
    if (!entry.canWait && this.#patient.delete(text)) this.#isDue(text)
  }

  /** Nothing begins any more; resolves when nothing is under way. */
  stop(): Promise<void> {
    this.#stopped = true
    for (const { cancel } of this.#entries.values()) cancel?.()
    this.#entries.clear()
    this.#due.clear()
    this.#patient.clear()
    return this.#running === 0 ? Promise.resolve() : new Promise(resolve => this.#waiting.push(resolve))
  }

  #schedule(text: string, entry: Entry<K>, afterMs: number): void {
    const { clock } = this.#options
    const at = clock.now() + afterMs
    if (entry.at !== undefined && entry.at <= at) return
    entry.cancel?.()
    entry.at = at
    if (afterMs > 0) {
      entry.cancel = clock.after(afterMs, () => this.#isDue(text))
      return
    }
    this.#isDue(text)
  }

  #isDue(text: string): void {
    const due = this.#entries.get(text)?.canWait ? this.#patient : this.#due
    due.add(text)
    this.#next()
  }

  #next(): void {
    for (const due of [this.#due, this.#patient]) {
      for (const text of due) {
        if (this.#running >= this.#options.workers) return
        const entry = this.#entries.get(text)
        // Under way: looked at again when it is done.
        if (entry?.running) continue
        due.delete(text)
        if (entry !== undefined) void this.#run(text, entry)
      }
    }
  }

  async #run(text: string, entry: Entry<K>): Promise<void> {
    const { work, fault } = this.#options
    delete entry.at
    delete entry.cancel
    entry.running = true
    this.#running++
    const outcome = await work(entry.key).catch((error: unknown): Outcome => {
      fault(error, entry.key)
      return { outcome: 'failed' }
    })
    entry.running = false
    this.#running--
    if (this.#stopped) {
      if (this.#running === 0) for (const resolve of this.#waiting) resolve()
      return
    }
    this.#conclude(text, entry, outcome)
    this.#next()
  }

  #conclude(text: string, entry: Entry<K>, outcome: Outcome): void {
    entry.failures = outcome.outcome === 'failed' ? entry.failures + 1 : 0
    if (outcome.outcome === 'later') this.#schedule(text, entry, outcome.afterMs)
    else if (outcome.outcome === 'failed') {
      this.#schedule(text, entry, Math.max(this.#pause(entry.failures), outcome.afterMs ?? 0))
    } else if (entry.at === undefined) this.#entries.delete(text)
  }

  #pause(failures: number): number {
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 20))
    return pause * (0.5 + 0.5 * this.#options.random())
  }
}
