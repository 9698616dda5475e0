// A JSON Patch applied to the text of a manifest: only the lines that have to change do.
import { applyPatch, structuredPatch } from 'diff'
import type { Document } from 'yaml'
import type { Operation } from '../core/types.ts'
import { fieldOf } from './fields.ts'
import { jsonText } from './json.ts'
import { applyOperations } from './operations.ts'
import { jsonIndent, type Style, styleOf } from './style.ts'
import { parse } from './yaml.ts'

/** `text`: one document in YAML or JSON, without markers. */
export function edit(text: string, patch: readonly Operation[]): string {
  if (patch.length === 0) return text
  const windows = text.includes('\r\n')
  const unix = windows ? text.replaceAll('\r\n', '\n') : text
  const edited = isJson(unix) ? editJson(unix, patch) : editFields(unix, patch)
  return windows ? edited.replaceAll('\n', '\r\n') : edited
}

function editJson(text: string, patch: readonly Operation[]): string {
  const document = parse(text)
  applyOperations(document, patch)
  return `${jsonText(document.toJS({ mapAsMap: true }), jsonIndent(text))}\n`
}

/** Field by field where fields stand by themselves, which is also several times as fast. */
function editFields(text: string, patch: readonly Operation[]): string {
  const style = styleOf(text)
  let edited = text
  for (const name of new Set(patch.map(fieldName))) {
    const field = fieldOf(edited, name)
    if (field === undefined) return editYaml(text, patch, style)
    const operations = patch.filter(operation => fieldName(operation) === name)
    edited = field.before + editYaml(field.text, operations, style) + field.after
  }
  return edited
}

function fieldName({ path }: Operation): string {
  return path.split('/')[1] ?? ''
}

/**
 * The writer of YAML lays out anew what it cannot keep (folded text, aligned comments). The change that it makes is
 * carried over to the text as it was; where that does not fit, its own text stands.
 */
function editYaml(text: string, patch: readonly Operation[], style: Style): string {
  const document = parse(text)
  const before = document.toString(style)
  applyOperations(document, patch)
  const after = document.toString(style)
  for (const edited of before === text ? [after] : carriedOver(before, after, text)) {
    if (saysTheSame(edited, document)) return edited
  }
  // A comment over an empty list does not come out right in every style.
  const plain = document.toString({ lineWidth: 0 })
  if (saysTheSame(plain, document)) return plain
  throw new Error('no edited text says what was planned')
}

function* carriedOver(before: string, after: string, text: string): Generator<string> {
  for (const context of [3, 1]) {
    const change = structuredPatch('', '', before, after, undefined, undefined, { context })
    const carried = applyPatch(text, change, { autoConvertLineEndings: false, compareLine: differInSpaceOnly })
    if (carried !== false) yield carried
  }
  yield after
}

/** Lines of a text, undefined behind its end. */
function differInSpaceOnly(_: number, line: string | undefined, __: string, other: string): boolean {
  return line?.replaceAll(/\s/g, '') === other.replaceAll(/\s/g, '')
}

/** In the same order, too; numbers are compared as they are written. */
function saysTheSame(text: string, document: Document): boolean {
  try {
    return whatItSays(parse(text)) === whatItSays(document)
  } catch {
    return false
  }
}

function whatItSays(document: Document): string {
  return jsonText(document.toJS({ mapAsMap: true }), '')
}

function isJson(text: string): boolean {
  if (!text.trimStart().startsWith('{')) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
