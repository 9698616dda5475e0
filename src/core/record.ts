// The record on a protected route: what was injected and what stood there before. Text of a user until proven otherwise.
import { isObject, type JsonObject, number, string } from './json.ts'

export type Record = {
  /** The format of the injection, as the configuration numbers it. */
  readonly format: number
  readonly gateway: string
  readonly team: string
  /** The label was put on by us, because the namespace says so; it goes when the namespace's goes. */
  readonly label?: true
  /** What we set; null: what we took out. Without a prototype. */
  readonly set: Readonly<{ [annotation: string]: string | null }>
  /** What stood under the same keys, where anything did. */
  readonly was: Readonly<{ [annotation: string]: string | null }>
  readonly list?: { readonly key: string; readonly element: string; readonly was: string | null }
  /** The filter at the head of every rule, and the rules whose list of filters was there and empty. */
  readonly filter?: {
    readonly group: string
    readonly kind: string
    readonly name: string
    readonly empty: readonly number[]
  }
}

/** All annotations of an object together are no longer than this, so no record is. */
const LONGEST = 256 * 1024

export function writeRecord(record: Record): string {
  return JSON.stringify(record)
}

/** undefined: there is none, or it is not of a shape that we write. Then nothing is taken back by it. */
export function readRecord(text: string | undefined): Record | undefined {
  if (text === undefined || text.length > LONGEST) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  return isObject(value) ? fromJson(value) : undefined
}

function fromJson(value: JsonObject): Record | undefined {
  const format = number(value.format)
  const gateway = string(value.gateway)
  const team = string(value.team)
  const set = readValues(value.set)
  const was = readValues(value.was)
  if (format === undefined || gateway === undefined || team === undefined || set === undefined || was === undefined)
    return undefined
  const list = value.list === undefined ? undefined : readList(value.list)
  const filter = value.filter === undefined ? undefined : readFilter(value.filter)
  if (list === null || filter === null) return undefined
  return {
    format,
    gateway,
    team,
    ...(value.label === true ? { label: true as const } : {}),
    set,
    was,
    ...(list === undefined ? {} : { list }),
    ...(filter === undefined ? {} : { filter }),
  }
}

function readValues(value: unknown): { [annotation: string]: string | null } | undefined {
  if (!isObject(value)) return undefined
  const result: { [annotation: string]: string | null } = Object.create(null)
  for (const key of Object.keys(value)) {
    const text = value[key]
    if (typeof text !== 'string' && text !== null) return undefined
    result[key] = text
  }
  return result
}

function readList(value: unknown): Record['list'] | null {
  if (!isObject(value)) return null
  const { key, element, was } = value
  if (typeof key !== 'string' || typeof element !== 'string' || element === '') return null
  if (typeof was !== 'string' && was !== null) return null
  return { key, element, was }
}

function readFilter(value: unknown): Record['filter'] | null {
  if (!isObject(value)) return null
  const { group, kind, name, empty } = value
  if (typeof group !== 'string' || typeof kind !== 'string' || typeof name !== 'string' || !Array.isArray(empty))
    return null
  return empty.every(index => Number.isSafeInteger(index)) ? { group, kind, name, empty: empty as number[] } : null
}
