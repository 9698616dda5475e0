// The blocks of README.md that are made from the code: the reasons, the configuration, an object before and after.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import * as z from 'zod'
import { configFields } from '../../src/api/config.ts'
import { array, type JsonObject, object } from '../../src/core/json.ts'
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
    ['configuration', configurationTable()],
    ['reasons', reasonTable()],
  ])
}

export function reasonTable(): string {
  const rows = Object.entries(REASONS).map(
    ([code, { severity, says, todo }]) => `| \`${code}\` | ${MARKS[severity]}${cell(says)} | ${cell(todo)} |\n`,
  )
  return `| code | what it means | what to do |\n| --- | --- | --- |\n${rows.join('')}`
}

function configurationTable(): string {
  const rows = fieldsOf(object(z.toJSONSchema(configFields, { io: 'input' })), '')
  return `| field | default | meaning |\n| --- | --- | --- |\n${rows.join('')}`
}

/** Of a field without a description, such as `kind`, there is nothing to say. */
function fieldsOf(schema: JsonObject, path: string): string[] {
  return Object.entries(object(schema.properties)).flatMap(([name, each]) => {
    const field = object(each)
    const items = object(field.items)
    const isList = field.type === 'array'
    const inner = [field, items, ...array(items.oneOf).map(object)].flatMap(below =>
      fieldsOf(below, `${path}${name}${isList ? '[]' : ''}.`),
    )
    const { description, default: value } = field
    const isShort = typeof value !== 'object' || array(value).length === 0
    const shown = value === undefined || !isShort ? '' : `\`${JSON.stringify(value)}\``
    const own = `| \`${path}${name}\` | ${shown} | ${cell(String(description))} |\n`
    return [...(description === undefined ? [] : [own]), ...inner.filter((row, at) => inner.indexOf(row) === at)]
  })
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
