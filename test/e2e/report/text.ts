// The report as plain text, failures first.
import {
  count,
  type Group,
  inWords,
  type Report,
  type Scenario,
  type Section,
  scenariosOf,
  sumsOf,
  type Table,
} from './model.ts'

const MARKS = { passed: 'ok', failed: 'FAILED', 'left out': 'left out' } as const
const WIDTH = 110

export function asText(report: Report): string {
  const { at, seconds, machine, versions, sections, tables } = report
  const all = sections.flatMap(({ groups }) => scenariosOf(groups))
  const lines = [
    'Portcullis, end to end',
    `${at.toISOString()}, ${inWords(seconds)}, ${machine}`,
    `${count(all, 'passed')} passed, ${count(all, 'failed')} failed, ${count(all, 'left out')} left out`,
    '',
    ...versions.map(({ part, version }) => `  ${part.padEnd(24)} ${version}`),
    ...failures(sections),
    ...sections.flatMap(sectionLines),
    ...tables.flatMap(tableLines),
  ]
  return `${lines.join('\n')}\n`
}

function failures(sections: readonly Section[]): string[] {
  const lines = sections.flatMap(({ gateway, groups }) =>
    groups.flatMap(({ title, scenarios }) =>
      scenarios
        .filter(({ outcome }) => outcome === 'failed')
        .flatMap(each => ['', `${gateway}: ${title} › ${each.title}`, indented(each.failure)]),
    ),
  )
  return lines.length === 0 ? [] : ['', headline('Failed', '='), ...lines]
}

function sectionLines({ gateway, groups, stageSeconds }: Section): string[] {
  const stages = stageSeconds.map(each => inWords(each)).join(', ')
  const started = stages === '' ? [] : [`stages stood after ${stages}`]
  return ['', headline(gateway, '='), ...started, ...groups.flatMap(groupLines)]
}

function groupLines({ title, scenarios }: Group): string[] {
  return ['', title, ...scenarios.flatMap(scenarioLines)]
}

function scenarioLines({ title, outcome, seconds, figures, pictures }: Scenario): string[] {
  const more = [...figures, ...pictures.map(picture => `picture: ${picture.title}`)]
  return [
    `  ${MARKS[outcome].padEnd(8)} ${inWords(seconds).padStart(12)}  ${title}`,
    ...more.map(each => `${' '.repeat(25)}${each}`),
  ]
}

function tableLines(table: Table): string[] {
  const { title, columns, rows } = table
  const said = sumsOf(table).map(({ column, sums }) => `${column}: ${sums}`)
  const widths = columns.map((column, index) => Math.max(column.length, ...rows.map(row => row[index]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd()
  return [
    '',
    headline(title, '='),
    ...said,
    line(columns),
    line(widths.map(width => '-'.repeat(width))),
    ...rows.map(line),
  ]
}

function headline(title: string, sign: string): string {
  return `${title} ${sign.repeat(Math.max(3, WIDTH - title.length))}`
}

function indented(text: string): string {
  return text
    .split('\n')
    .map(line => `    ${line}`)
    .join('\n')
}
