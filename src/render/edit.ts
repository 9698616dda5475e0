// A JSON Patch applied to the text of a manifest: only the lines that have to change do.
import { isDeepStrictEqual } from 'node:util'
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
  const ofField = Map.groupBy(patch, ({ path }) => path.split('/')[1] ?? '')
  let edited = text
  for (const [name, operations] of ofField) {
    const field = fieldOf(edited, name)
    if (field === undefined) return editYaml(text, patch, style)
    edited = field.before + editYaml(field.text, operations, style) + field.after
  }
  return edited
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
  if (before !== text) {
    const carried = carriedOver(before, after, text)
    if (carried !== undefined && saysTheSame(carried, document)) return carried
  }
  if (!saysTheSame(after, document)) throw new Error('the edited text does not say what was planned')
  return after
}

function carriedOver(before: string, after: string, text: string): string | undefined {
  for (const context of [3, 1]) {
    const change = structuredPatch('', '', before, after, undefined, undefined, { context })
    const carried = applyPatch(text, change, { autoConvertLineEndings: false })
    if (carried !== false) return carried
  }
  return undefined
}

function saysTheSame(text: string, document: Document): boolean {
  try {
    return isDeepStrictEqual(parse(text).toJS({ mapAsMap: true }), document.toJS({ mapAsMap: true }))
  } catch {
    return false
  }
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
