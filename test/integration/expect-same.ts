// Two lists of objects, compared by what owner and webhook decide about.
import { expect } from '@jest/globals'
import type { KubeObject } from '../../src/core/types.ts'
import { content } from './objects.ts'

export function expectSame(actual: readonly KubeObject[], expected: readonly KubeObject[]): void {
  expect(actual.length).toBeGreaterThan(0)
  expect(actual.map(content)).toEqual(expected.map(content))
}
