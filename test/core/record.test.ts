import { describe, expect, test } from '@jest/globals'
import { readRecord, writeRecord } from '../../src/core/record.ts'

const whole = {
  format: 1,
  gateway: 'traefik',
  team: 'team-a',
  set: { a: 'x', b: null },
  was: { a: null, b: 'y' },
  list: { key: 'k', element: 'e', was: null },
  filter: { group: 'g', kind: 'k', name: 'n', empty: [0, 2] },
}

test('what is written is read', () => {
  expect(JSON.stringify(readRecord(writeRecord(whole)))).toBe(JSON.stringify(whole))
})

test('a record as long as all annotations may be is read, or what it holds would be lost', () => {
  const was = { a: '"'.repeat(120 * 1024) }
  const text = writeRecord({ ...whole, was })
  expect(Buffer.byteLength(text)).toBeLessThan(256 * 1024)
  expect(readRecord(text)?.was.a).toBe(was.a)
})

test('a longer one is nobody of ours', () => {
  expect(readRecord(`${JSON.stringify(whole)}${' '.repeat(256 * 1024)}`)).toBeUndefined()
})

test('keys of every name are read, into maps without a prototype', () => {
  const record = readRecord('{"format":1,"gateway":"g","team":"t","set":{"__proto__":"x"},"was":{"constructor":null}}')
  expect(Object.getPrototypeOf(record?.set)).toBeNull()
  expect(Object.keys(record?.set ?? {})).toEqual(['__proto__'])
  expect(record?.was.constructor).toBeNull()
})

describe('is no record:', () => {
  const with_ = (change: object) => JSON.stringify({ ...whole, ...change })
  test.each([
    ['no text', undefined],
    ['an empty one', ''],
    ['what is not JSON', '{'],
    ['null', 'null'],
    ['a list', '[]'],
    ['no format', with_({ format: undefined })],
    ['a format in words', with_({ format: '1' })],
    ['no gateway', with_({ gateway: undefined })],
    ['no team', with_({ team: 7 })],
    ['values that are no map', with_({ set: ['a'] })],
    ['a value that is no text', with_({ was: { a: 1 } })],
    ['a list without an element', with_({ list: { key: 'k', element: '', was: null } })],
    ['a list of another shape', with_({ list: { key: 'k', element: 'e' } })],
    ['a filter of another shape', with_({ filter: { group: 'g', kind: 'k', name: 'n' } })],
    ['a filter with a rule that is no number', with_({ filter: { ...whole.filter, empty: ['0'] } })],
  ])('%s', (_, text) => {
    expect(readRecord(text)).toBeUndefined()
  })
})
