// What a webhook answered: read from its JSON, and told in lines that a person can read.
import type { Operation as PatchOperation } from 'fast-json-patch'
import { array, isObject, number, object, string } from '../../core/json.ts'

export type Answer = {
  readonly allowed: boolean
  readonly code: number | undefined
  readonly messages: readonly string[]
  readonly warnings: readonly string[]
  readonly patch: readonly PatchOperation[]
}

/** undefined: the text is no answer to a review. */
export function readAnswer(text: string): Answer | undefined {
  const response = object(parse(text)).response
  if (!isObject(response) || typeof response.allowed !== 'boolean') return undefined
  const patch = response.patch === undefined ? [] : decodePatch(string(response.patch))
  if (patch === undefined) return undefined
  const status = object(response.status)
  const causes = array(object(status.details).causes).flatMap(cause => string(object(cause).message) ?? [])
  const message = string(status.message)
  return {
    allowed: response.allowed,
    code: number(status.code),
    messages: causes.length > 0 ? causes : message === undefined ? [] : [message],
    warnings: array(response.warnings).flatMap(warning => string(warning) ?? []),
    patch,
  }
}

/** What a server says instead of an answer. */
export function readError(text: string): string {
  return string(object(parse(text)).error) ?? text.trim().slice(0, 200)
}

export function tell({ allowed, code, messages, warnings, patch }: Answer): string[] {
  const lines = [
    allowed ? `allowed${patch.length === 0 ? ', nothing to change' : ', with these changes'}` : refusal(code),
  ]
  lines.push(...messages.map(message => `  ${message}`))
  lines.push(...warnings.map(warning => `  warning: ${warning}`))
  lines.push(...patch.flatMap(change).map(line => `  ${line}`))
  return lines
}

function refusal(code: number | undefined): string {
  if (code === 429) return 'not yet (429)'
  return code === undefined ? 'refused' : `refused (${code})`
}

/** One line a value: a new map shows its keys one by one. */
function change(operation: PatchOperation): string[] {
  const path = operation.path.replaceAll('~1', '/').replaceAll('~0', '~')
  switch (operation.op) {
    case 'add':
    case 'replace':
      return values(operation.op === 'add' ? '+' : '~', path, operation.value)
    case 'remove':
      return [`- ${path}`]
    default:
      return [`${operation.op} ${path}`]
  }
}

function values(sign: string, path: string, value: unknown): string[] {
  if (isObject(value) && Object.keys(value).length > 0) {
    return Object.keys(value).flatMap(key => values(sign, `${path}/${key}`, value[key]))
  }
  return [`${sign} ${path}: ${typeof value === 'string' ? value : JSON.stringify(value)}`]
}

function decodePatch(base64: string | undefined): PatchOperation[] | undefined {
  const patch = parse(Buffer.from(base64 ?? '', 'base64').toString('utf8'))
  if (!Array.isArray(patch)) return undefined
  return patch.every(each => isObject(each) && typeof each.op === 'string' && typeof each.path === 'string')
    ? patch
    : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
