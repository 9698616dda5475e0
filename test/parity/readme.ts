// The blocks of README.md that are made from the code: the reasons, and an object before and after.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { REASONS, type Severity } from '../../src/core/reasons.ts'
import { GOLDEN, readCase } from '../golden/case.ts'
import { run } from '../golden/run.ts'

/** The golden that README.md shows. */
const EXAMPLE = 'ingress-nginx/one-label-puts-the-login-in-front'

const MARKS: Readonly<Record<Severity, string>> = {
  refused: '',
  later: '*not yet:* ',
  warning: '*warning:* ',
  nothing: '*left alone:* ',
}

/** Every block by its name; a block stands between `<!-- name -->` and `<!-- /name -->`. */
export function readmeBlocks(): ReadonlyMap<string, string> {
  return new Map([
    ['before', fenced(readFileSync(join(GOLDEN, `${EXAMPLE}.in.yaml`), 'utf8'))],
    ['after', fenced(exampleAfter())],
    ['reasons', reasonTable()],
  ])
}

export function reasonTable(): string {
  const rows = Object.entries(REASONS).map(
    ([code, { severity, says, todo }]) => `| \`${code}\` | ${MARKS[severity]}${cell(says)} | ${cell(todo)} |\n`,
  )
  return `| code | what it means | what to do |\n| --- | --- | --- |\n${rows.join('')}`
}

/** undefined: the text has no such block. */
export function blockIn(text: string, name: string): string | undefined {
  const [start, end] = bounds(text, name)
  return start < 0 || end < start ? undefined : text.slice(start, end)
}

export function withBlock(text: string, name: string, block: string): string {
  const [start, end] = bounds(text, name)
  return start < 0 || end < start ? text : `${text.slice(0, start)}${block}${text.slice(end)}`
}

function bounds(text: string, name: string): [start: number, end: number] {
  const opening = `<!-- ${name} -->\n`
  const at = text.indexOf(opening)
  return [at < 0 ? -1 : at + opening.length, text.indexOf(`<!-- /${name} -->`)]
}

function exampleAfter(): string {
  const [route] = run(readCase(EXAMPLE)).routes
  return stringify(route?.stored, { lineWidth: 0, indentSeq: false })
}

function fenced(yaml: string): string {
  return `\`\`\`yaml\n${yaml}\`\`\`\n`
}

/** What a sentence is filled with is in italics; a bar would end the cell. */
function cell(text: string): string {
  return text.replace(/\{(\w+)\}/g, '*$1*').replaceAll('|', '\\|')
}
