import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { isDeeperThan } from '../../src/http/depth.ts'

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

const hostile = fc.stringMatching(/^[[\]{}"\\é\n]{0,12}$/)
const tree = fc.letrec(tie => ({
  tree: fc.oneof(
    { maxDepth: 8, withCrossShrink: true },
    hostile,
    fc.array(tie('tree'), { maxLength: 2 }),
    fc.dictionary(hostile, tie('tree'), { maxKeys: 2 }),
  ),
})).tree

describe('the scan for nesting', () => {
  test('finds the depth of every JSON text, whatever its strings hold', () => {
    fc.assert(
      fc.property(tree, value => {
        const json = Buffer.from(JSON.stringify(value))
        const depth = depthOf(value)
        expect(isDeeperThan(depth, json)).toBe(false)
        if (depth > 0) expect(isDeeperThan(depth - 1, json)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  test.each([
    ['64 levels of lists', `${'['.repeat(64)}${']'.repeat(64)}`, false],
    ['65 levels of lists', `${'['.repeat(65)}${']'.repeat(65)}`, true],
    ['65 levels, lists and objects in turns', `[{"a":`.repeat(33), true],
    ['many lists side by side', `[${'[],'.repeat(1_000)}[]]`, false],
    ['brackets in a string', `"${'['.repeat(100)}"`, false],
    ['brackets after a quote that is escaped', `"\\"${'['.repeat(100)}"`, false],
    ['brackets after a backslash that is escaped', `["\\\\",${'['.repeat(100)}`, true],
    ['a string without its end', `"${'['.repeat(100)}`, false],
    ['a text that ends in a backslash', '"\\', false],
    ['nothing', '', false],
  ])('%s', (_, json, deeper) => {
    expect(isDeeperThan(64, Buffer.from(json))).toBe(deeper)
  })
})
