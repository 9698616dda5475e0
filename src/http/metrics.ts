// What is counted of admission, for /metrics. No label has a value that a caller chooses.
import prom, { type Counter, type Registry } from 'prom-client'
import type { Entry, Served } from './admission.ts'
import type { InFlight } from './body.ts'

export type Metrics = {
  readonly registry: Registry
  readonly served: Served
  /** A decision; `code`: of the first reason. */
  decided(entry: Entry, outcome: string, code: string | undefined): void
  /** What is in flight, told whenever somebody asks. */
  tellInFlight(inFlight: Readonly<InFlight>): void
}

/** Seconds: a decision takes a tenth of a millisecond, and the API server waits for 10 s. */
const BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export function createMetrics(): Metrics {
  const registry = new prom.Registry()
  prom.collectDefaultMetrics({ register: registry })
  const decided = countedAdmissions(registry)
  const answered = timedAdmissions(registry)
  const why = 'Requests that were answered without a decision, by entry and why.'
  const refusals = counter(registry, 'portcullis_refused_requests_total', why, ['entry', 'why'])
  return {
    registry,
    served: { answered, refused: (entry, why) => refusals.inc({ entry, why }) },
    decided,
    tellInFlight(inFlight) {
      const requests = 'Requests whose bodies are being read.'
      gauge(registry, 'portcullis_in_flight_requests', requests, () => inFlight.requests)
      gauge(registry, 'portcullis_in_flight_bytes', 'Bytes that are held of these bodies.', () => inFlight.bytes)
    },
  }
}

/** Counted in plain numbers, found without joining labels to a key: this runs for every admission. */
function countedAdmissions(registry: Registry): Metrics['decided'] {
  type Cell = { readonly entry: Entry; readonly outcome: string; readonly code: string; count: number }
  const cells: Cell[] = []
  const found: Readonly<Record<Entry, Map<string, Map<string, Cell>>>> = { mutate: new Map(), validate: new Map() }
  const make = (entry: Entry, outcome: string, code: string): Cell => {
    const cell = { entry, outcome, code, count: 0 }
    const siblings = found[entry].get(outcome) ?? new Map<string, Cell>()
    found[entry].set(outcome, siblings.set(code, cell))
    cells.push(cell)
    return cell
  }
  const help = 'Decisions, by entry, outcome and the code of the first reason.'
  counter(registry, 'portcullis_admissions_total', help, ['entry', 'outcome', 'code'], () =>
    cells.map(({ count, ...labels }) => [labels, count] as const),
  )
  return (entry, outcome, code = '') => {
    const cell = found[entry].get(outcome)?.get(code) ?? make(entry, outcome, code)
    cell.count++
  }
}

const HELD = 1024

/** Held for a moment and observed many at once, which takes a fraction of what each would take among other work. */
function timedAdmissions(registry: Registry): Served['answered'] {
  const flushes: (() => void)[] = []
  const durations = new prom.Histogram({
    name: 'portcullis_admission_duration_seconds',
    help: 'From the headers of a request to its answer.',
    labelNames: ['entry'],
    buckets: BUCKETS,
    registers: [registry],
    collect() {
      for (const flush of flushes) flush()
    },
  })
  const timed = (entry: Entry) => {
    const held = new Float64Array(HELD)
    const child = durations.labels(entry)
    let count = 0
    const flush = () => {
      for (let i = 0; i < count; i++) child.observe(held[i]! / 1000)
      count = 0
    }
    flushes.push(flush)
    return (milliseconds: number) => {
      held[count++] = milliseconds
      if (count === HELD) flush()
    }
  }
  const [mutate, validate] = [timed('mutate'), timed('validate')]
  return (entry, milliseconds) => (entry === 'mutate' ? mutate(milliseconds) : validate(milliseconds))
}

/** By their labels. */
export type Values<L extends string> = Iterable<readonly [Readonly<Record<L, string>>, number]>

/** Read whenever somebody asks; what is not among the values any more is not shown any more. */
export function gauge(registry: Registry, name: string, help: string, read: () => number): void
export function gauge<L extends string>(
  registry: Registry,
  name: string,
  help: string,
  read: () => Values<L>,
  labelNames: readonly L[],
): void
export function gauge<L extends string>(
  registry: Registry,
  name: string,
  help: string,
  read: () => number | Values<L>,
  labelNames: readonly L[] = [],
): void {
  new prom.Gauge<L>({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      const now = read()
      if (typeof now === 'number') return this.set(now)
      this.reset()
      for (const [labels, value] of now) this.set(labels, value)
    },
  })
}

/** Counts what it is told; with `read`, what is counted elsewhere, whenever somebody asks. */
export function counter<L extends string = never>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly L[] = [],
  read?: () => Values<L>,
): Counter<L> {
  const options = { name, help, labelNames, registers: [registry] }
  if (read === undefined) return new prom.Counter<L>(options)
  return new prom.Counter<L>({
    ...options,
    collect() {
      this.reset()
      for (const [labels, value] of read()) this.inc(labels, value)
    },
  })
}
