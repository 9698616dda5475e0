// Field paths can be read back, whatever the keys are; misspelt fields are recognised.
import { expect, test } from '@jest/globals'
import { closest } from '../../src/api/closest.ts'
import { fieldPath, steps } from '../../src/api/field-path.ts'

test.each([
  [[], ''],
  [['spec', 'access', 1, 'name'], 'spec.access[1].name'],
  [['metadata', 'labels', 'a.b/c'], 'metadata.labels["a.b/c"]'],
  [['a"]\n.b[0]', 0, '', '__proto__', '5'], '["a\\"]\\n.b[0]"][0][""].__proto__["5"]'],
])('the path %j is written %s and read back', (path, text) => {
  expect(fieldPath(path)).toBe(text)
  expect(steps(text)).toEqual(path)
})

test.each([
  ['hosst', 'hosts'],
  ['cookiedomains', 'cookieDomains'],
  ['colour', undefined],
  ['x', undefined],
  ['h'.repeat(100_000), undefined],
])('%.20s is taken for %s', (word, meant) => {
  expect(closest(word, ['hosts', 'cookieDomains', 'proxy'])).toBe(meant)
})
