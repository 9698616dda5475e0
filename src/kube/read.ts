// What the API server says in a list and in a watch, read from its JSON; anything else reads as undefined.
import { isObject, type JsonObject, number, object, string } from '../core/json.ts'
import type { KubeObject } from '../core/types.ts'

export type Page = {
  readonly items: readonly KubeObject[]
  readonly version: string
  /** Empty after the last page. */
  readonly next: string
}

export type WatchEvent =
  | { readonly type: 'put' | 'remove'; readonly object: KubeObject; readonly version: string }
  | { readonly type: 'bookmark'; readonly version: string }
  | { readonly type: 'error'; readonly code: number; readonly message: string }

export function readPage(text: string): Page | undefined {
  const list = parseObject(text)
  const kind = string(list?.kind)
  const apiVersion = string(list?.apiVersion)
  const { resourceVersion, continue: next } = object(list?.metadata)
  // An empty list of a built-in kind may have no items at all, but never something else in their place.
  const items = list?.items ?? []
  if (!kind?.endsWith('List') || apiVersion === undefined || typeof resourceVersion !== 'string') return undefined
  if (!Array.isArray(items) || !items.every(isNamed)) return undefined
  // Built-in kinds say in the list only what its items are.
  const type = { apiVersion, kind: kind.slice(0, -'List'.length) }
  return {
    items: items.map(item => withoutManagedFields({ ...type, ...item })),
    version: resourceVersion,
    next: string(next) ?? '',
  }
}

export function readEvent(line: string): WatchEvent | undefined {
  const event = parseObject(line)
  const subject = object(event?.object)
  const version = string(object(subject.metadata).resourceVersion)
  switch (event?.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      if (version === undefined || !isNamed(subject) || !isTyped(subject)) return undefined
      return { type: event.type === 'DELETED' ? 'remove' : 'put', object: withoutManagedFields(subject), version }
    case 'BOOKMARK':
      return version === undefined ? undefined : { type: 'bookmark', version }
    case 'ERROR':
      return { type: 'error', ...readStatus(subject) }
    default:
      return undefined
  }
}

/** The sentence of an answer that is no success. */
export function readMessage(body: string): string {
  const message = string(parseObject(body)?.message)
  // What is no sentence may be an object, and a Secret at that.
  return printable(message ?? (body.trimStart().startsWith('{') ? 'without a message' : body))
}

/**
 * Where in the history of a kind one version is, seen from another. Versions are decimal numbers that may be compared,
 * of any length (Kubernetes 1.35, KEP-5504); where one is not, there is no telling.
 */
export function compareVersions(version: string, to: string): 'earlier' | 'same' | 'later' | undefined {
  if (version === to) return 'same'
  if (!/^[1-9]\d*$/.test(version) || !/^[1-9]\d*$/.test(to)) return undefined
  const isLater = version.length === to.length ? version > to : version.length > to.length
  return isLater ? 'later' : 'earlier'
}

function readStatus(status: JsonObject): { code: number; message: string } {
  return { code: number(status.code) ?? 0, message: printable(string(status.message) ?? '') }
}

function withoutManagedFields(document: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = document.metadata
  return { ...document, metadata }
}

function isNamed(item: unknown): item is JsonObject & { metadata: JsonObject } {
  return isObject(item) && isObject(item.metadata) && typeof item.metadata.name === 'string'
}

function isTyped(document: JsonObject & { metadata: JsonObject }): document is KubeObject {
  return typeof document.apiVersion === 'string' && typeof document.kind === 'string'
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function printable(text: string): string {
  return text
    .replaceAll(/\p{C}+/gu, ' ')
    .trim()
    .slice(0, 200)
}
