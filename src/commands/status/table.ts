// The report of `portcullis status` for people, and for machines.
import type { RouteState } from '../../controller/told/route-state.ts'
import { sentence } from '../../core/reasons.ts'
import type { Report } from './report.ts'

const COLUMNS = ['NAMESPACE', 'KIND', 'NAME', 'HOSTS', 'TEAM', 'ACCESS', 'STATE', 'BY OR WHY'] as const
/** As many hosts as a row shows. */
const HOSTS = 2

export function asText({ routes, troubles }: Report): string {
  const rows = routes.map(row)
  const table = routes.length === 0 ? '' : aligned([[...COLUMNS], ...rows])
  const more = troubles.map(({ kind, name, message }) => `${kind} ${name}: ${message}\n`)
  return `${[table, more.join(''), `${total(routes)}\n`].filter(part => part !== '').join('\n')}`
}

export function asJson({ routes, troubles }: Report): string {
  const items = routes.map(({ ref: { namespace, kind, name }, reasons, ...rest }) => ({
    namespace,
    kind,
    name,
    ...rest,
    reasons: reasons.map(each => ({
      code: each.code,
      ...(each.field === undefined ? {} : { field: each.field }),
      message: sentence(each),
    })),
  }))
  return `${JSON.stringify({ routes: items, troubles }, null, 2)}\n`
}

function row({ ref, hosts, team = '', access = '', state, gateway, reasons }: RouteState): string[] {
  const shown = hosts.slice(0, HOSTS).map(host => (host === '' ? '(every host)' : host))
  const more = hosts.length > HOSTS ? [`+${hosts.length - HOSTS}`] : []
  const [first, ...others] = reasons
  const why = first === undefined ? '' : sentence(first) + (others.length === 0 ? '' : ` (and ${others.length} more)`)
  const last = state === 'protected' ? (gateway ?? '') : why
  return [ref.namespace, ref.kind, ref.name, [...shown, ...more].join(','), team, access, state, last]
}

/** An empty cell is shown by a dash, as kubectl does for none. */
function aligned(rows: readonly string[][]): string {
  const cells = rows.map(each => each.map(cell => cell || '-'))
  const widths = COLUMNS.map((_, at) => Math.max(...cells.map(each => each[at]?.length ?? 0)))
  return cells
    .map(
      each =>
        `${each
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

function total(routes: readonly RouteState[]): string {
  if (routes.length === 0) return 'no route is labelled'
  const counts = new Map<string, number>()
  for (const { state } of routes) counts.set(state, (counts.get(state) ?? 0) + 1)
  const parts = [...counts].map(([state, count]) => `${count} ${state}`)
  return `${routes.length} ${routes.length === 1 ? 'route' : 'routes'}: ${parts.join(', ')}`
}
