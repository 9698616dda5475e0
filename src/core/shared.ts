// Objects that have much in common, each kept as parts of the one before it: a large cluster then fits into little memory.
import { isObject, type JsonObject } from './json.ts'

/** The value, made of parts of `like` as far as they are equal. Neither may be changed afterwards. */
export function shared<T>(value: T, like: unknown): T {
  if (value === like) return like as T
  if (Array.isArray(value)) return sharedArray(value, Array.isArray(like) ? like : []) as T
  return isObject(value) ? (sharedObject(value, isObject(like) ? like : {}) as T) : value
}

function sharedArray(value: readonly unknown[], like: readonly unknown[]): readonly unknown[] {
  const parts = value.map((each, index) => shared(each, like[index]))
  return parts.length === like.length && parts.every((each, index) => each === like[index]) ? like : parts
}

function sharedObject(value: JsonObject, like: JsonObject): JsonObject {
  const keys = Object.keys(value)
  // Every key is one of its own from here on, `__proto__` too.
  const parts: Record<string, unknown> = { ...value }
  for (const key of keys) parts[key] = shared(value[key], own(like, key))
  return keys.length === Object.keys(like).length && keys.every(key => parts[key] === own(like, key)) ? like : parts
}

function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}
