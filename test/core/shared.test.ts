import { describe, expect, test } from '@jest/globals'
import { shared } from '../../src/core/shared.ts'

/** As it comes from the API server: no part of it is a part of another object. */
const fresh = (value: unknown): { [key: string]: unknown } => JSON.parse(JSON.stringify(value))

describe('a value with much in common with another', () => {
  test('is the other where both are equal', () => {
    const like = { a: [1, { b: 'x' }], c: null }
    expect(shared(fresh(like), like)).toBe(like)
  })

  test('has every equal part of it, and its own for the rest', () => {
    const like = { rules: [{ a: 1 }, { b: 2 }], hosts: ['a'], gone: true }
    const value = { rules: [{ a: 1 }, { b: 3 }], hosts: ['a', 'b'], more: {} }
    const result = shared(fresh(value), like) as typeof value
    expect(result).toEqual(value)
    expect(result.rules[0]).toBe(like.rules[0])
    expect(like).toEqual({ rules: [{ a: 1 }, { b: 2 }], hosts: ['a'], gone: true })
  })

  test.each([[undefined], [null], ['text'], [[]], [{}]])('is itself beside %j', like => {
    const value = { a: { constructor: 'x', toString: {} } }
    expect(shared(fresh(value), like)).toEqual(value)
  })

  test('keeps keys that every object seems to have', () => {
    const value = JSON.parse('{"__proto__": {"a": 1}, "b": {"__proto__": "x"}}')
    const result = shared(JSON.parse(JSON.stringify(value)), JSON.parse('{"b": {}}'))
    expect(JSON.stringify(result)).toBe(JSON.stringify(value))
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype)
    const empty = shared(JSON.parse('{"__proto__": {}}'), {})
    expect(Object.getOwnPropertyDescriptor(empty, '__proto__')?.value).not.toBe(Object.prototype)
  })
})
