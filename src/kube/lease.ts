// Of several processes one does the work: the one that holds the Lease. It stops before anybody else can begin.
import type { KubeObject } from '../core/types.ts'
import type { Log } from '../log.ts'
import { type Clock, sleep, systemClock } from './clock.ts'
import type { Connection } from './connection.ts'
import { type Hearing, hearLease } from './lease-hearing.ts'
import { LeaseObject, type Read } from './lease-object.ts'
import { holderOf, isReleased, LEASE_TIMES, type LeaseTimes, Sighting } from './lease-record.ts'
import { type OpenTerm, openTerm, type Term } from './term.ts'
import type { Written } from './write.ts'
import { createWriter } from './writer.ts'

export type LeaseOptions = {
  /** For nothing else: renewals must not wait behind the work. */
  readonly connection: Connection
  readonly namespace: string
  readonly name: string
  /** Of this process and no other, not even of the one that had its name before. */
  readonly identity: string
  /**
   * Runs while this process leads, never twice at a time, and has to end when the term does. When it ends before, the
   * Lease is given up.
   */
  readonly work: (term: Term) => Promise<void>
  readonly log: Log
  readonly onChange?: (isLeader: boolean) => void
  readonly times?: Partial<LeaseTimes>
  readonly clock?: Clock
  /** The time of day, for people who read the Lease. */
  readonly date?: () => Date
  readonly random?: () => number
}

export type KeptLease = {
  /** By the clock, each time. */
  isLeader(): boolean
  /** As last read; empty: nobody. */
  holder(): string
  /** Waits for the work to end, and lets others have the Lease at once. */
  stop(): Promise<void>
}

export function keepLease(options: LeaseOptions): KeptLease {
  const stop = new AbortController()
  const candidate = new Candidate(options)
  const running = candidate.run(stop.signal)
  return {
    isLeader: () => candidate.isLeader,
    holder: () => candidate.holder,
    stop() {
      stop.abort()
      candidate.endTerm('shutting down')
      return running
    },
  }
}

// Of the pause between two attempts, as long as the server may ask to be left alone.
const LONGEST_WISH = 2.5
// In such pauses: renewals come with each, some later than others.
const FRESH = 2

class Candidate {
  readonly #options: LeaseOptions
  readonly #times: LeaseTimes
  readonly #clock: Clock
  readonly #object: LeaseObject
  readonly #sighting: Sighting
  /** What was read or written last, while nothing says that it is otherwise by now. */
  #read: Read | undefined
  /** As last read or heard of. */
  #lease: KubeObject | undefined
  /** While somebody else leads. */
  #hearing: Hearing | undefined
  #wake = () => {}
  #term: OpenTerm | undefined
  #working: Promise<void> | undefined
  #isTroubled = false

  constructor(options: LeaseOptions) {
    const { connection, identity, times, clock = systemClock, date = () => new Date() } = options
    this.#options = options
    this.#times = { ...LEASE_TIMES, ...times }
    this.#clock = clock
    const writer = createWriter(connection, { timeoutMs: this.#times.answerMs })
    this.#object = new LeaseObject(writer, options, identity, date)
    this.#sighting = new Sighting(clock, this.#times)
  }

  get isLeader(): boolean {
    return this.#term?.holds() ?? false
  }

  get holder(): string {
    return holderOf(this.#lease)
  }

  endTerm(why: string): void {
    this.#term?.end(why)
  }

  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const pauseMs = await this.#round(stop)
      await this.#rest(pauseMs, stop)
    }
    this.#deafen()
    await this.#retire()
  }

  /** Ends early when the Lease is heard to be anybody's. */
  async #rest(ms: number, stop: AbortSignal): Promise<void> {
    const over = new AbortController()
    this.#wake = () => over.abort()
    stop.addEventListener('abort', this.#wake, { once: true })
    if (!stop.aborted) await sleep(this.#clock, ms, over.signal)
    stop.removeEventListener('abort', this.#wake)
  }

  /** Gives how long until the next. */
  async #round(stop: AbortSignal): Promise<number> {
    const startedAt = this.#clock.now()
    // The work of a term that is over has not ended yet: somebody else may lead meanwhile, we may not.
    if (this.#working !== undefined && !this.isLeader) return this.#times.retryMs
    if (this.#isHeardOfOthers()) return this.#times.retryMs
    // The Lease changed while we were about to write it: at once again, but not forever.
    for (let turn = 0; turn < 3 && !stop.aborted; turn++) {
      const read = await this.#look()
      if ('outcome' in read) return this.#pause(startedAt, read)
      const waitMs = this.#waitMs(read)
      if (waitMs > 0) {
        this.#listen()
        return Math.min(waitMs, this.#pause(startedAt))
      }
      const written = await this.#claim(read, stop)
      const isAnother = ['conflict', 'exists', 'gone'].includes(written.outcome)
      if (!isAnother) return this.#pause(startedAt, written)
    }
    return this.#pause(startedAt)
  }

  #isHeardOfOthers(): boolean {
    if (this.#hearing?.isFresh() !== true || holderOf(this.#lease) === this.#options.identity) return false
    return this.#sighting.waitMs(this.#lease) > 0
  }

  /** Of others' renewals. Nothing is written by what was heard: before that, the Lease is read. */
  #listen(): void {
    const { connection, log, random = Math.random } = this.#options
    this.#hearing ??= hearLease({
      ...{ connection, ref: this.#object.ref, clock: this.#clock, random, log },
      freshMs: FRESH * this.#times.retryMs,
      hear: lease => {
        this.#see(lease)
        if (this.#sighting.waitMs(lease) === 0) this.#wake()
      },
    })
  }

  #deafen(): void {
    this.#hearing?.end()
    this.#hearing = undefined
  }

  /** The leader knows what it wrote; all others read. */
  async #look(): Promise<Read | Written> {
    if (this.#read !== undefined && this.isLeader) return this.#read
    const read = await this.#object.read()
    if (!('outcome' in read)) this.#note(read)
    return read
  }

  #note(read: Read): void {
    this.#read = read
    this.#see(read.lease)
  }

  #see(lease: KubeObject | undefined): void {
    this.#lease = lease
    this.#sighting.see(lease)
  }

  /** 0: it is ours, or may be taken. */
  #waitMs({ lease }: Read): number {
    const holder = holderOf(lease)
    if (holder === this.#options.identity) return 0
    // Deleted, or emptied by hand: others wait for so long that nobody has led in between.
    if (this.isLeader && holder === '' && !isReleased(lease)) return 0
    this.endTerm(holder === '' ? 'the Lease was released' : `the Lease is held by ${holder}`)
    return this.#sighting.waitMs(lease)
  }

  async #claim(read: Read, stop: AbortSignal): Promise<Written> {
    // For others it begins once this is stored, which is later: our term is over before theirs can begin.
    const endsAt = this.#clock.now() + this.#times.deadlineMs
    const written = await this.#object.hold(read, this.#times)
    // Also where there was no answer: it may be stored all the same.
    this.#read = undefined
    if (written.outcome !== 'done') return written
    this.#note({ lease: written.object })
    if (this.isLeader) this.#term?.extend(endsAt)
    else if (!stop.aborted && this.#working === undefined && this.#clock.now() < endsAt) this.#begin(endsAt)
    return written
  }

  #begin(endsAt: number): void {
    this.#deafen()
    const { log, onChange, identity } = this.#options
    log.info({ identity }, 'leads')
    onChange?.(true)
    const term = openTerm(this.#clock, endsAt, why => {
      log.info({ identity, why }, 'leads no longer')
      onChange?.(false)
    })
    this.#term = term
    this.#working = this.#workFor(term)
  }

  async #workFor(term: OpenTerm): Promise<void> {
    const { work, log } = this.#options
    try {
      await work(term)
    } catch (error) {
      log.error({ err: error }, 'the work of the leader failed')
    }
    if (term.holds()) {
      term.end('the work has ended')
      await this.#release()
    }
    this.#working = undefined
  }

  /** Nothing is given back while the work goes on; it has until the end of its term. */
  async #retire(): Promise<void> {
    this.endTerm('shutting down')
    if (this.#working !== undefined && this.#term !== undefined) {
      const ended = new AbortController()
      void this.#working.then(() => ended.abort())
      await sleep(this.#clock, Math.max(0, this.#term.endsAt - this.#clock.now()), ended.signal)
    }
    if (this.#working === undefined) await this.#release()
    else this.#options.log.error({ identity: this.#options.identity }, 'the work does not end, the Lease stays')
  }

  async #release(): Promise<void> {
    const { identity, log } = this.#options
    const written = await this.#object.release()
    if (written?.outcome === 'done') this.#note({ lease: written.object })
    else if (written !== undefined) log.warn({ identity, ...written }, 'the Lease could not be released')
  }

  #pause(startedAt: number, written?: Written): number {
    this.#report(written)
    const { retryMs } = this.#times
    const { random = Math.random } = this.#options
    const wishMs = written?.outcome === 'later' ? (written.afterMs ?? 0) : 0
    const dueAt = startedAt + retryMs * (this.isLeader ? 1 : 1 + 0.2 * random())
    // The time in which no answer came has been waited already.
    return Math.max(dueAt - this.#clock.now(), Math.min(wishMs, retryMs * LONGEST_WISH), retryMs / 10)
  }

  /** Once for each spell of it. */
  #report(written: Written | undefined): void {
    const { log, identity } = this.#options
    const isTroubled = written !== undefined && written.outcome !== 'done'
    if (isTroubled && !this.#isTroubled) log.warn({ identity, ...written }, 'no way to the Lease')
    if (!isTroubled && this.#isTroubled) log.info({ identity }, 'the Lease can be read and written again')
    this.#isTroubled = isTroubled
  }
}
