// Lines over time as an SVG: a panel for each thing that is held, a line for each process.
import type { Held, Sample } from './sample.ts'

export type Series = { readonly name: string; readonly samples: readonly Sample[] }

const PANELS: readonly { readonly held: Held; readonly title: string }[] = [
  { held: 'megabytes', title: 'resident memory, MB' },
  { held: 'descriptors', title: 'descriptors' },
  { held: 'sockets', title: 'sockets' },
]
const COLOURS = ['#1b6ca8', '#d1495b', '#2e8b57', '#b8860b', '#6a4c93', '#555555', '#00828a', '#a0522d']
const WIDTH = 900
const PANEL = 220
const LEFT = 60
const RIGHT = 20
const TOP = 34
const BOTTOM = 30
const LEGEND = 24

export function draw(title: string, series: readonly Series[]): string {
  const height = LEGEND * 2 + PANELS.length * PANEL
  const panels = PANELS.map((each, i) => panel(each, series, LEGEND * 2 + i * PANEL))
  const names = series.map(
    ({ name }, i) => `<text x="${LEFT + i * 170}" y="42" fill="${colour(i)}">${escaped(name)}</text>`,
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"`,
    ' font-family="sans-serif" font-size="12">',
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    `<text x="${LEFT}" y="20" font-size="15">${escaped(title)}</text>`,
    ...[...names, ...panels],
    '</svg>\n',
  ].join('\n')
}

function panel({ held, title }: (typeof PANELS)[number], series: readonly Series[], top: number): string {
  const all = series.flatMap(({ samples }) => samples)
  const most = niceAbove(Math.max(1, ...all.map(each => each[held])))
  const end = Math.max(1 / 3600, ...all.map(({ hours }) => hours))
  const x = (hours: number) => LEFT + (hours / end) * (WIDTH - LEFT - RIGHT)
  const y = (value: number) => top + PANEL - BOTTOM - (value / most) * (PANEL - TOP - BOTTOM)
  const lines = series.map(({ samples }, i) => {
    const points = samples.map(each => `${x(each.hours).toFixed(1)},${y(each[held]).toFixed(1)}`)
    return `<polyline fill="none" stroke="${colour(i)}" stroke-width="1.5" points="${points.join(' ')}"/>`
  })
  const grid = [0, 0.25, 0.5, 0.75, 1].map(share => {
    const at = y(share * most).toFixed(1)
    const line = `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" stroke="#ddd"/>`
    return `${line}<text x="${LEFT - 6}" y="${at}" dy="4" text-anchor="end">${share * most}</text>`
  })
  const minutes = [0, 0.25, 0.5, 0.75, 1].map(share => {
    const label = `${Math.round(share * end * 600) / 10} min`
    return `<text x="${x(share * end)}" y="${top + PANEL - 12}" text-anchor="middle">${label}</text>`
  })
  return [`<text x="${LEFT}" y="${top + 20}" font-weight="bold">${title}</text>`, ...grid, ...minutes, ...lines].join(
    '\n',
  )
}

/** A round number, so that quarters of it are short. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 4, 6, 8, 10].map(each => each * power).find(each => each >= value) ?? 10 * power
}

function colour(index: number): string {
  return COLOURS[index % COLOURS.length] as string
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
