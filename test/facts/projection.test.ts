import { describe, expect, test } from '@jest/globals'
import { readRoute } from '../../src/core/route.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { project } from '../../src/facts/projection.ts'

function route(name: string, labels: unknown, port?: number) {
  const parentRefs = [{ name: 'edge', namespace: 'gateways', ...(port === undefined ? {} : { port }) }]
  const spec = { parentRefs, hostnames: ['shop.example.com'], rules: [{ backendRefs: [{ name: 'shop', port: 80 }] }] }
  const metadata = { name, namespace: 'shops', labels }
  // As it comes from the API server: no part of it is a part of another object.
  const text = JSON.stringify({ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata, spec })
  return readRoute(JSON.parse(text) as KubeObject)!
}

describe('what is kept of a route', () => {
  test('is kept once where the route before it has the same', () => {
    const before = project(route('a', { app: 'shop' }), undefined)
    const after = project(route('b', { app: 'shop' }), before)
    expect(after).toEqual(project(route('b', { app: 'shop' }), undefined))
    for (const part of ['labels', 'annotations', 'hosts', 'services', 'parents'] as const) {
      expect(after[part]).toBe(before[part])
    }
  })

  test('is its own where the route before it has less, more or something else', () => {
    const before = project(route('a', { app: 'shop', tier: 'web' }, 80), undefined)
    for (const [labels, port] of [
      [{ app: 'shop' }, undefined],
      [{ app: 'shop', tier: 'web', more: '1' }, 8080],
      [{ app: 'shop', stage: 'web' }, 80],
    ] as const) {
      const alone = project(route('b', labels, port), undefined)
      expect(project(route('b', labels, port), before)).toEqual(alone)
      expect(Object.entries(project(route('b', labels, port), before).labels)).toEqual(Object.entries(labels))
    }
  })

  test('has labels without a prototype that a key could be taken for', () => {
    const { labels } = project(route('a', JSON.parse('{"__proto__": "x", "a": "b"}')), undefined)
    expect(Object.entries(labels)).toEqual([
      ['__proto__', 'x'],
      ['a', 'b'],
    ])
    const none = project(route('a', {}), undefined).labels
    for (const key of ['__proto__', 'constructor', 'toString']) expect(none[key]).toBeUndefined()
  })
})
