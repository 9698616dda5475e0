import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { withHead, withoutElement } from '../../src/core/list.ts'

test.each([
  [null, 'ours'],
  ['', 'ours'],
  ['  ', 'ours'],
  ['a', 'ours,a'],
  [' a ,b', 'ours, a ,b'],
  ['ours', 'ours'],
  ['ours,a', 'ours,a'],
  ['a,ours', 'ours,a'],
  ['a, ours ,b,ours', 'ours,a,b'],
  ['a,,b', 'ours,a,,b'],
  ['ours2,xours', 'ours,ours2,xours'],
])('of %j, ours comes first and once: %j', (list, headed) => {
  expect(withHead(list, 'ours')).toBe(headed)
})

test.each([
  ['ours,a', 'a'],
  ['a, ours', 'a'],
  [' a ,ours,b', ' a ,b'],
  ['ours', ''],
  ['a ,b', 'a ,b'],
  ['ours-too,oursx', 'ours-too,oursx'],
])('of %j, all but ours is left as it is: %j', (list, rest) => {
  expect(withoutElement(list, 'ours')).toBe(rest)
})

test('whatever the list, ours is its first element, once, and taking it out leaves the others in their order', () => {
  const lists = fc.array(fc.constantFrom('a', ' b', 'ours', ' ours ', '', 'c@file')).map(parts => parts.join(','))
  const others = (list: string) =>
    list
      .split(',')
      .map(each => each.trim())
      .filter(each => each !== 'ours' && each !== '')
  fc.assert(
    fc.property(lists, list => {
      const headed = withHead(list, 'ours')
      expect(
        headed
          .split(',')
          .map(each => each.trim())
          .indexOf('ours'),
      ).toBe(0)
      expect(headed.split('ours')).toHaveLength(2)
      expect(withHead(headed, 'ours')).toBe(headed)
      expect(others(withoutElement(headed, 'ours'))).toEqual(others(list))
    }),
    { numRuns: 300 },
  )
})
