// Reading parts of objects whose shape nobody has checked yet: a wrong shape reads as absent, never as an exception.

export type JsonObject = { readonly [key: string]: unknown }
export type StringMap = Readonly<Record<string, string>>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function object(value: unknown): JsonObject {
  return isObject(value) ? value : EMPTY
}

export function array(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : NONE
}

export function string(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

export function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

/** The strings of a map, in a map without a prototype: its keys are users' text, `__proto__` among them. */
export function strings(value: unknown): StringMap {
  const result: Record<string, string> = Object.create(null)
  if (!isObject(value)) return result
  for (const key of Object.keys(value)) {
    const text = value[key]
    if (typeof text === 'string') result[key] = text
  }
  return result
}

const EMPTY: JsonObject = Object.freeze(Object.create(null))
const NONE: readonly unknown[] = Object.freeze([])
