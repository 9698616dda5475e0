import { describe, expect, test } from '@jest/globals'
import { strings } from '../../src/core/json.ts'
import { type LabelSelector, selects, selectsAcross } from '../../src/core/selector.ts'

const labels = strings({ team: 'a', stage: 'test' })
const expression = (key: string, operator: string, values?: string[]): LabelSelector => ({
  matchExpressions: [{ key, operator, ...(values === undefined ? {} : { values }) }],
})

describe('labels team=a, stage=test', () => {
  test.each<[string, LabelSelector]>([
    ['an empty selector', {}],
    ['empty lists', { matchLabels: {}, matchExpressions: [] }],
    ['the right label', { matchLabels: { team: 'a' } }],
    ['In', expression('team', 'In', ['b', 'a'])],
    ['NotIn of others', expression('team', 'NotIn', ['b'])],
    ['NotIn of a label that is not there', expression('none', 'NotIn', ['b'])],
    ['Exists', expression('team', 'Exists')],
    ['DoesNotExist', expression('none', 'DoesNotExist')],
  ])('are selected by %s', (_, selector) => {
    expect(selects(selector, labels)).toBe(true)
  })

  test.each<[string, LabelSelector]>([
    ['another value', { matchLabels: { team: 'b' } }],
    ['one right label of two', { matchLabels: { team: 'a', stage: 'live' } }],
    ['a right label and a wrong expression', { matchLabels: { team: 'a' }, ...expression('stage', 'DoesNotExist') }],
    ['In of others', expression('team', 'In', ['b'])],
    ['In without values', expression('team', 'In')],
    ['NotIn', expression('team', 'NotIn', ['a'])],
    ['Exists of a label that is not there', expression('none', 'Exists')],
    ['DoesNotExist', expression('team', 'DoesNotExist')],
    ['an operator that Kubernetes has not', expression('team', 'Gt', ['a'])],
    ['a label that every JavaScript object has', expression('constructor', 'Exists')],
    ['the same under another name', expression('__proto__', 'Exists')],
    ['a key that no text can be made of', expression(JSON.parse('{"toString":"x"}'), 'DoesNotExist')],
  ])('are not selected by %s', (_, selector) => {
    expect(selects(selector, labels)).toBe(false)
  })

  // Only a file can hold these: an API server refuses them.
  test.each([
    ['labels that are text', { matchLabels: 'team' }],
    ['expressions that are a map', { matchExpressions: { key: 'team', operator: 'Exists' } }],
    ['an expression that is null', { matchExpressions: [null] }],
    ['values that are null', { matchExpressions: [{ key: 'team', operator: 'In', values: null }] }],
  ])('are not selected by %s, and nothing is thrown', (_, selector) => {
    expect(selects(selector as unknown as LabelSelector, labels)).toBe(false)
  })

  test('are selected where the parts of a selector are null, as Kubernetes reads that', () => {
    expect(selects({ matchLabels: null, matchExpressions: null } as unknown as LabelSelector, labels)).toBe(true)
  })
})

test.each([
  [{ namespaces: { from: 'All' } }, true],
  [{ namespaces: { from: 'Selector' } }, true],
  [{ namespaces: { from: 'Same' } }, false],
  [{ namespaces: null }, false],
  [{}, false],
  [null, false],
])('a target selector %j reaches other namespaces: %s', (selector, across) => {
  expect(selectsAcross(selector)).toBe(across)
})
