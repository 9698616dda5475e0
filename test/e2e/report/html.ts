// The report as one HTML page that needs nothing else, failures first.
import {
  count,
  DECIDES,
  type Group,
  inWords,
  type Picture,
  type Report,
  type Scenario,
  type Section,
  scenariosOf,
  sumsOf,
  type Table,
} from './model.ts'
import { STYLE } from './style.ts'

export function asHtml(report: Report): string {
  const { at, seconds, machine, sections, tables } = report
  const all = sections.flatMap(({ groups }) => scenariosOf(groups))
  const failed = count(all, 'failed')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Portcullis, end to end: ${failed === 0 ? 'passed' : `${failed} failed`}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>Portcullis, end to end</h1>
<p class="quiet">${at.toISOString().slice(0, 16).replace('T', ' ')} UTC · ${inWords(seconds)} · ${text(machine)}</p>
<p class="sums">${sums(all)}</p>
</header>
<nav>${[...sections.map(({ gateway }) => gateway), ...tables.map(({ title }) => title), 'Versions'].map(link).join(' ')}</nav>
${failures(sections)}
${sections.map(sectionHtml).join('\n')}
${tables.map(tableHtml).join('\n')}
${versionsHtml(report)}
</body>
</html>
`
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

function text(value: string): string {
  return value.replaceAll(/[&<>"]/g, sign => ESCAPES[sign] ?? sign)
}

const idOf = (title: string) => title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
const link = (title: string) => `<a href="#${idOf(title)}">${text(title)}</a>`
const mark = (outcome: Scenario['outcome']) => `<span class="mark ${outcome.replace(' ', '-')}">${outcome}</span>`

function sums(all: readonly Scenario[]): string {
  const outcomes = ['failed', 'passed', 'left out'] as const
  return outcomes
    .map(outcome => [outcome, count(all, outcome)] as const)
    .filter(([outcome, sum]) => sum > 0 || outcome === 'passed')
    .map(([outcome, sum]) => `<span class="sum ${outcome.replace(' ', '-')}"><b>${sum}</b> ${outcome}</span>`)
    .join('')
}

function failures(sections: readonly Section[]): string {
  const failed = sections.flatMap(({ gateway, groups }) =>
    groups.flatMap(({ title, scenarios }) =>
      scenarios
        .filter(({ outcome }) => outcome === 'failed')
        .map(each => {
          const where = `${text(gateway)}: ${text(title)}`
          return `<h3>${text(each.title)}</h3><p class="quiet">${where}</p><pre>${text(each.failure)}</pre>`
        }),
    ),
  )
  return failed.length === 0 ? '' : `<section class="failures"><h2>Failed</h2>${failed.join('\n')}</section>`
}

function sectionHtml({ gateway, groups, stageSeconds }: Section): string {
  const stages = stageSeconds.map(each => inWords(each)).join(', ')
  const started = stages === '' ? '' : `<p class="quiet">stages stood after ${stages}</p>`
  const body = groups.map(groupHtml).join('\n')
  return `<section id="${idOf(gateway)}"><h2>${text(gateway)}</h2>${started}\n${body}</section>`
}

function groupHtml({ title, scenarios }: Group): string {
  const failed = count(scenarios, 'failed')
  const seconds = scenarios.reduce((sum, each) => sum + each.seconds, 0)
  const said = `${scenarios.length} scenarios${failed === 0 ? '' : `, ${failed} failed`}, ${inWords(seconds)}`
  const rows = scenarios.map(scenarioHtml).join('\n')
  return `<details open><summary>${text(title)} <span class="quiet">${said}</span></summary><table>${rows}</table></details>`
}

function scenarioHtml({ title, outcome, seconds, figures, pictures }: Scenario): string {
  const said = figures.map(each => `<p class="figure">${text(each)}</p>`).join('')
  const seen = pictures.length === 0 ? '' : `<div class="pictures">${pictures.map(pictureHtml).join('')}</div>`
  return `<tr><td>${mark(outcome)}</td><td>${text(title)}${said}${seen}</td><td class="time">${inWords(seconds)}</td></tr>`
}

/** Large while it has the focus. */
function pictureHtml({ title, source }: Picture): string {
  const image = `<img tabindex="0" alt="${text(title)}" src="${source}">`
  return `<figure>${image}<figcaption>${text(title)}</figcaption></figure>`
}

function tableHtml(table: Table): string {
  const { title, columns, rows } = table
  const said = sumsOf(table).map(({ column, sums }) => `<p class="quiet">${text(column)}: ${text(sums)}</p>`)
  const head = columns.map(each => `<th>${text(each)}</th>`).join('')
  const body = rows.map(row => `<tr>${row.map(cellHtml).join('')}</tr>`).join('\n')
  return `<section id="${idOf(title)}"><h2>${text(title)}</h2>
${said.join('')}<div class="wide"><table class="lines"><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div></section>`
}

/** The word that decides is seen at once. */
function cellHtml(cell: string): string {
  const word = DECIDES.exec(cell)?.[0]
  if (word === undefined) return `<td>${text(cell)}</td>`
  const looks = word === 'closed' || word === 'refused' ? 'passed' : 'failed'
  return `<td><span class="mark ${looks}">${word}</span>${text(cell.slice(word.length))}</td>`
}

function versionsHtml({ versions }: Report): string {
  const rows = versions.map(({ part, version }) => `<tr><td>${text(part)}</td><td>${text(version)}</td></tr>`)
  return `<section id="versions"><h2>Versions</h2><table class="lines">${rows.join('\n')}</table></section>`
}
