// What a soak came to, as tables; and whether it is good.
import { percentile } from '../bench/statistics.ts'
import type { Sent } from '../integration/load.ts'
import type { Churned } from './churn.ts'
import type { Answered } from './late.ts'
import type { Repairs } from './repairs.ts'
import type { Restarts } from './restarts.ts'
import type { Held } from './sample.ts'
import { slope } from './slope.ts'
import type { Series } from './svg.ts'

export type Soaked = {
  readonly minutes: number
  readonly series: readonly Series[]
  readonly churned: Churned
  readonly repairs: Repairs
  readonly restarts: Restarts
  readonly authorities: number
  readonly requests: {
    readonly sent: number
    readonly failed: readonly Answered[]
    /** Those of all failures that came of a slow API server. */
    readonly late: readonly Answered[]
    readonly notYet: number
    readonly unprotected: readonly Sent[]
  }
  /** Stored with the label and without the login, by name. */
  readonly open: readonly string[]
  readonly svg: string
}

/** Until then caches fill and code is compiled. */
const WARM = 0.2
const SHOWN = 10
/** Of the processes that stay, those whose growth is ours to answer for. */
export const OURS: readonly string[] = ['webhook', 'controller']
/** Much more than noise: less than that is for whoever reads the slopes. */
const GROWN: Readonly<Record<Held, (before: number) => number>> = {
  megabytes: before => before * 1.5,
  descriptors: before => before * 1.3 + 10,
  sockets: before => before * 1.3 + 10,
}

/** Gives the exit code. */
export function report(soaked: Soaked): number {
  const { minutes, series, churned, repairs, restarts, authorities, requests, open, svg } = soaked
  console.table(series.map(held))
  const unprotected = requests.unprotected.length + churned.unprotected.length + open.length
  const failures = [...requests.failed, ...churned.failed].filter(each => !requests.late.includes(each))
  const leaks = series.filter(({ name }) => OURS.includes(name)).flatMap(grown)
  console.table({
    minutes,
    'routes asked about': requests.sent,
    'routes made, changed, removed': `${churned.made}, ${churned.changed}, ${churned.removed}`,
    'teams made': churned.teams,
    'told to try again, and did': requests.notYet + churned.again,
    'webhooks, controllers, API servers restarted': Object.values(restarts).join(', '),
    'authorities that followed': authorities,
    'guards repaired': took(repairs.guards),
    'caBundles repaired': took(repairs.bundles),
    'repairs missed': repairs.missed.length,
    'late, as were others without the label': requests.late.length,
    'requests failed': failures.length,
    unprotected,
    leaks: leaks.length,
  })
  console.log(`drawn: ${svg}`)
  const said = [
    ...failures.map(({ name, status, message }) => `${name}: ${status} ${message}`),
    ...requests.unprotected.map(({ name }) => `${name}: without the login`),
    ...churned.unprotected.map(each => `${each}: without the login`),
    ...open.map(each => `${each}: stored without the login`),
    ...repairs.missed,
    ...leaks,
    ...(authorities < 1 ? ['no authority followed another'] : []),
  ]
  for (const each of said.slice(0, SHOWN)) console.log(each)
  if (said.length > SHOWN) console.log(`and ${said.length - SHOWN} more`)
  return said.length === 0 ? 0 : 1
}

function held({ name, samples }: Series) {
  const warm = samples.filter(({ hours }) => hours >= WARM * (samples.at(-1)?.hours ?? 0))
  const growth = (of: Held) => slope(warm.map(each => ({ x: each.hours, y: each[of] }))).toFixed(1)
  const last = samples.at(-1)
  return {
    process: name,
    MB: Math.round(last?.megabytes ?? Number.NaN),
    'MB an hour': growth('megabytes'),
    descriptors: last?.descriptors,
    'descriptors an hour': growth('descriptors'),
    sockets: last?.sockets,
    'sockets an hour': growth('sockets'),
  }
}

/** The middle of the last third beside that of the one before: a moment without an API server to speak to is in neither. */
function grown({ name, samples }: Series): string[] {
  const third = (from: number) => samples.slice((samples.length * from) / 3, (samples.length * (from + 1)) / 3)
  return (Object.keys(GROWN) as Held[]).flatMap(of => {
    const [before, after] = [1, 2].map(from =>
      percentile(
        third(from).map(each => each[of]),
        0.5,
      ),
    ) as [number, number]
    return after > GROWN[of](before) ? [`${name}: ${of} grew from ${before} to ${after}`] : []
  })
}

function took(all: readonly number[]): string {
  if (all.length === 0) return '0'
  const seconds = (share: number) => `${(percentile(all, share) / 1000).toFixed(1)} s`
  return `${all.length}, half within ${seconds(0.5)}, all within ${seconds(0.9999)}`
}
