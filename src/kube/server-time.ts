// What time it is for the API server, by the Date of its answers: whether a certificate of ours is valid, its clock decides.

export type ServerTime = {
  /** The head of an answer is here. `tookMs`: since it was asked for. */
  heard(date: string | undefined, tookMs: number): void
  /** Ms since the epoch: our own clock, unless API servers agree that it is wrong. */
  now(): number
}

/** What seconds without fractions, a network and a busy process explain. Certificates are made for an hour's difference. */
const TOLERANCE_MS = 60_000
/** An answer that took longer says too little of the present: this process was stopped, or somebody held it back. */
const LONGEST_MS = 10_000
/**
 * Nobody reaches an API server with a clock as wrong as that: its own certificate, which is for a year as a rule, would not
 * be valid. So it is no API server that says so, but something in between, whose clock never ran.
 */
const MOST_MS = 365 * 24 * 3_600_000
/** Longer than a watch, which API servers end after five minutes at most: by then every connection has been a new one. */
const GENERATION_MS = 600_000

/** `steady`: in ms since some moment, never set. What was heard goes on by it, so that our clock may be set meanwhile. */
export function keepServerTime(now: () => number, steady: () => number): ServerTime {
  let heard: Heard = {}
  const ahead = () => now() - steady()
  return {
    heard(date, tookMs) {
      const skew = skewOf(date, now(), tookMs)
      if (skew !== undefined) heard = withServer(heard, ahead() + skew, ahead(), steady())
    },
    now() {
      const servers = [heard.before, heard.current].filter(each => each !== undefined)
      return now() + correctionOf(servers.map(each => each - ahead()))
    },
  }
}

/** How far clocks are ahead of the steady one: of those that were heard in a generation, the nearest to ours. */
type Heard = { readonly since?: number; readonly current?: number; readonly before?: number }

function withServer({ since = 0, current, before }: Heard, server: number, own: number, at: number): Heard {
  if (current === undefined) return { since: at, current: server }
  if (at - since >= GENERATION_MS) return { since: at, current: server, before: current }
  const kept = own + nearest(current - own, server - own)
  return { since, current: kept, ...(before === undefined ? {} : { before }) }
}

/** How far a server's clock is ahead of ours, in ms; undefined: this answer does not say. */
export function skewOf(date: string | undefined, arrivedAt: number, tookMs: number): number | undefined {
  // Date.parse takes almost anything for a date.
  const said = date?.endsWith(' GMT') ? Date.parse(date) : Number.NaN
  const skew = said - arrivedAt
  return tookMs <= LONGEST_MS && Math.abs(skew) <= MOST_MS ? skew : undefined
}

/**
 * Of API servers that do not agree, the one that is nearest to us: what one of them says that is wrong would have others
 * refuse what is made by it, while all of them say so where it is our clock that is wrong.
 */
export function correctionOf(skews: readonly number[]): number {
  const least = skews.length === 0 ? 0 : skews.reduce(nearest)
  return Math.abs(least) <= TOLERANCE_MS ? 0 : least
}

function nearest(a: number, b: number): number {
  return Math.abs(b) < Math.abs(a) ? b : a
}
