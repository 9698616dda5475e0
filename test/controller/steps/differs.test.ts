import { describe, expect, test } from '@jest/globals'
import { differs } from '../../../src/controller/steps/differs.ts'
import type { KubeObject } from '../../../src/core/types.ts'

const object = (spec: unknown, metadata: object = {}): KubeObject => ({
  apiVersion: 'a/v1',
  kind: 'A',
  metadata: { ...metadata },
  spec,
})
const WANTED = object({ a: { b: 1 }, list: [{ name: 'x' }] }, { labels: { l: '1' }, annotations: { n: '1' } })
const META = { labels: { l: '1', more: '2' }, annotations: { n: '1', more: '2' } }

describe('a companion', () => {
  test('that is as it should be needs nothing, whatever labels and annotations somebody added', () => {
    expect(differs(object(WANTED.spec, META), WANTED)).toBeUndefined()
  })

  test('may have the defaults that a server fills in', () => {
    expect(
      differs(object({ a: { b: 1 }, list: [{ name: 'x', group: '', kind: 'Service', weight: 1 }] }, META), WANTED),
    ).toBeUndefined()
  })

  test.each([
    ['missing', undefined],
    ['metadata', object(WANTED.spec, { labels: { l: '1' } })],
    ['metadata', object(WANTED.spec, { ...META, labels: { l: '2' } })],
    ['spec', object({ a: { b: 2 }, list: [{ name: 'x' }] }, META)],
    ['spec', object({ a: { b: 1 } }, META)],
    ['spec', object({ a: { b: 1 }, list: [] }, META)],
    ['foreign', object({ a: { b: 1, c: 1 }, list: [{ name: 'x' }] }, META)],
    ['foreign', object({ a: { b: 1 }, list: [{ name: 'x', weight: 2 }] }, META)],
    ['foreign', object({ a: { b: 1 }, list: [{ name: 'x' }, { name: 'y' }] }, META)],
    ['foreign', object({ a: { b: 2 }, list: [{ name: 'x' }], more: true }, META)],
  ])('differs as %s', (difference, stored) => {
    expect(differs(stored, WANTED)).toBe(difference)
  })
})
