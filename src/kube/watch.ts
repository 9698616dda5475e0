// One kind of object, or one of its objects, listed and then watched for as long as it is wanted, whatever happens.
import { sleep } from './clock.ts'
import type { Connection, Reply } from './connection.ts'
import { History, type Listing } from './history.ts'
import { readLines } from './lines.ts'
import { LIMITS, type Limits, Pace } from './pace.ts'
import { addressOf, PRESENT_QUERY, pageQuery, watchQuery } from './queries.ts'
import { readPage } from './read.ts'
import { CAUSES, type Cause, ORDINARY, refused, type Setback, setback, unreachable } from './setback.ts'
import { startWatchdog, type Watchdog } from './watchdog.ts'
import type { Counts, Watched, WatchOptions } from './watched.ts'

export function watchKind(connection: Connection, options: WatchOptions): Watched {
  const watch = new KindWatch(connection, options)
  watch.start()
  return watch
}

class KindWatch implements Watched {
  readonly path: string
  synced = false
  absent = false
  lastHeard: number
  readonly #connection: Connection
  readonly #options: WatchOptions
  readonly #limits: Limits
  readonly #pace: Pace
  readonly #history: History
  readonly #requests = { lists: 0, pages: 0, complete: 0, watches: 0 }
  readonly #setbacks = Object.fromEntries(CAUSES.map(cause => [cause, 0])) as Record<Cause, number>
  readonly #stopping = new AbortController()
  #listing: Listing | undefined = emptyListing()
  #trouble: Setback | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(connection: Connection, options: WatchOptions) {
    const { path, receive, clock, random, log } = options
    this.path = path
    this.#connection = connection
    this.#options = options
    this.#limits = { ...LIMITS, ...options.limits }
    this.#pace = new Pace(this.#limits, clock, random)
    this.#history = new History(receive, (error, { kind, metadata: { namespace, name } }) => {
      log.error({ err: error, kind, namespace, name }, 'object could not be taken')
    })
    this.lastHeard = clock.now()
  }

  get size(): number {
    return this.#history.size
  }

  get trouble(): Setback | undefined {
    return this.#trouble
  }

  get counts(): Counts {
    return { ...this.#requests, ...this.#history.counts, setbacks: { ...this.#setbacks } }
  }

  start(): void {
    this.#running = this.#run(this.#stopping.signal)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const met = await this.#turn(stop).catch(unreachable)
      if (met !== undefined && !stop.aborted) await this.#recover(met, stop)
    }
  }

  /** One request: a page of a list, the present version, or a watch until it ends. */
  async #turn(stop: AbortSignal): Promise<Setback | undefined> {
    const { clock } = this.#options
    if (this.#listing === undefined && clock.now() >= this.#pace.relistAt) {
      this.#pace.relistBegins()
      this.#listing = emptyListing()
    }
    if (this.#listing !== undefined) return this.#list(this.#listing, stop)
    if (this.#history.version !== undefined) return this.#watch(this.#history.version, stop)
    return this.#skip(stop)
  }

  async #recover(met: Setback, stop: AbortSignal): Promise<void> {
    const { cause, detail, remedy, wishMs } = met
    const { clock, log } = this.#options
    this.#setbacks[cause]++
    // A server that is away for an hour is one line, not hundreds.
    if (!ORDINARY.has(cause)) {
      if (cause !== this.#trouble?.cause) log.warn({ path: this.path, cause, detail }, 'watch interrupted')
      this.#trouble = met
    }
    if (remedy !== 'resume') this.#pace.wantRelist()
    if (remedy === 'list') this.#history.version = undefined
    await sleep(clock, this.#pace.retryAfter(cause, wishMs), stop)
  }

  async #list(listing: Listing, signal: AbortSignal): Promise<Setback | undefined> {
    const { answerMs: timeoutMs, pageSize } = this.#limits
    if (listing.next === '') this.#requests.lists++
    this.#requests.pages++
    const path = addressOf(this.#options, pageQuery(pageSize, listing.next))
    const reply = await this.#connection.request({ path, timeoutMs, signal })
    if (signal.aborted) return undefined
    if (reply.status !== 200) return this.#listRefused(reply, listing)
    const met = this.#history.takePage(reply.body, listing)
    if (met !== undefined) return met
    this.#heard()
    if (listing.next === '') this.#listed()
    return undefined
  }

  /**
   * What was missed is left to the re-list, which is not due yet and may be a minute away; what comes from now on need
   * not wait for it.
   */
  async #skip(signal: AbortSignal): Promise<Setback | undefined> {
    const { answerMs: timeoutMs } = this.#limits
    const path = addressOf(this.#options, PRESENT_QUERY)
    const reply = await this.#connection.request({ path, timeoutMs, signal })
    if (signal.aborted) return undefined
    if (reply.status !== 200) return this.#listRefused(reply, emptyListing())
    this.#history.version = readPage(reply.body)?.version
    if (this.#history.version === undefined) return setback('rubbish', 'an answer that is no list')
    this.#heard()
    return undefined
  }

  #listed(): void {
    this.#requests.complete++
    this.#listing = undefined
    this.#pace.well()
    this.#pace.listed()
    this.synced = true
    this.absent = false
    this.#options.onState?.('synced')
  }

  #listRefused(reply: Reply, { next }: Listing): Setback {
    const met = refused(reply)
    if (met.cause === 'absent') return this.#notInstalled(met)
    // The same page again, unless there is none any more; a first page has no version that could be too old.
    if (met.remedy === 'list' && next !== '') this.#listing = undefined
    return next === '' ? { ...met, remedy: 'resume' } : met
  }

  /** What is known stays known: that a kind goes says nothing about its objects. Asking for a list finds it again. */
  #notInstalled(met: Setback): Setback {
    this.lastHeard = this.#options.clock.now()
    this.#listing = emptyListing()
    if (!this.absent) {
      this.absent = true
      this.#options.onState?.('absent')
    }
    return { ...met, remedy: 'resume' }
  }

  async #watch(version: string, stop: AbortSignal): Promise<Setback | undefined> {
    const { clock } = this.#options
    const { quietMs, steadyMs, answerMs: timeoutMs } = this.#limits
    let began = Number.POSITIVE_INFINITY
    const lived = () => clock.now() - began
    const lastHeard = () => this.lastHeard
    const watchdog = startWatchdog({ clock, quietMs, lastHeard, dueAt: this.#pace.relistAt, stop })
    this.#requests.watches++
    try {
      const query = watchQuery(version, this.#limits.watchMs * (1 + 0.25 * this.#options.random()))
      const path = addressOf(this.#options, query)
      const reply = await this.#connection.stream({ path, timeoutMs, signal: watchdog.signal })
      if (!('chunks' in reply)) return refused(reply)
      began = clock.now()
      const met = await this.#follow(reply.chunks)
      if (met !== undefined || lived() >= steadyMs) return met
      return setback('ended', `a watch ended after ${Math.round(lived())} ms`)
    } catch (error) {
      return this.#broken(watchdog, error)
    } finally {
      watchdog.end()
      if (lived() >= steadyMs) this.#pace.well()
    }
  }

  async #follow(chunks: AsyncIterable<string>): Promise<Setback | undefined> {
    this.#heard()
    for await (const line of readLines(chunks, () => this.#heard())) {
      const met = this.#history.takeLine(line)
      if (met !== undefined) return met
      this.#recovered()
    }
    return undefined
  }

  #recovered(): void {
    if (this.#trouble === undefined) return
    this.#options.log.info({ path: this.path, after: this.#trouble.cause }, 'watch goes on')
    this.#trouble = undefined
  }

  #broken({ verdict }: Watchdog, error: unknown): Setback | undefined {
    if (verdict === 'stalled') return setback('stalled', `nothing for ${this.#limits.quietMs} ms`)
    return verdict === undefined ? unreachable(error) : undefined
  }

  #heard(): void {
    this.lastHeard = this.#options.clock.now()
  }
}

function emptyListing(): Listing {
  return { next: '' }
}
