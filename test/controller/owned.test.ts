import { describe, expect, test } from '@jest/globals'
import { keyText } from '../../src/controller/keys.ts'
import { keyOfOwned, OwnedObjects, teamOfOwned } from '../../src/controller/owned.ts'
import { companionMetadata, identity, scopeKey } from '../../src/core/companions.ts'
import type { KubeObject, Scope } from '../../src/core/types.ts'

function policy(name: string, scope: string, change: object = {}): KubeObject {
  const metadata = { ...companionMetadata({ namespace: 'shop', name }, 'something', scope), ...change }
  return { apiVersion: 'gateway.envoyproxy.io/v1alpha1', kind: 'SecurityPolicy', metadata, spec: { a: 1 }, status: {} }
}

const NET = policy('net', 'namespace/shop')
const TEAM = policy('team', 'namespace/shop/team-a')

describe('objects of ours', () => {
  test('are found by identity, by scope, and by the key that looks at all teams of a namespace', () => {
    const owned = new OwnedObjects()
    for (const each of [NET, TEAM]) owned.put(each)
    expect(owned.get(identity(TEAM))?.spec).toEqual({ a: 1 })
    expect(owned.ofScope('namespace/shop/team-a').map(each => each.metadata.name)).toEqual(['team'])
    expect(owned.ofKey('namespace/shop').map(each => each.metadata.name)).toEqual(['net', 'team'])
    expect(owned.inNamespace('shop')).toHaveLength(2)
    expect([...owned.all()]).toHaveLength(2)
  })

  test('are found among the policies of a namespace where they are policies', () => {
    const owned = new OwnedObjects()
    owned.put(TEAM)
    owned.put({ ...policy('login', 'route/HTTPRoute/shop/a'), kind: 'HTTPRoute' })
    expect(owned.inNamespace('shop')).toHaveLength(2)
    expect(owned.policiesIn('shop').map(each => each.metadata.name)).toEqual(['team'])
    owned.remove(TEAM)
    expect(owned.policiesIn('shop')).toEqual([])
    expect(owned.inNamespace('shop')).toHaveLength(1)
  })

  test('have in common what is equal in the one before, and are each as they were put all the same', () => {
    const owned = new OwnedObjects()
    const [a, b, c] = [{ a: { b: 1 } }, { a: { b: 1 }, more: 1 }, {}].map((spec, index) => ({
      ...policy(`p${index}`, 'team/a'),
      spec,
    })) as [KubeObject, KubeObject, KubeObject]
    for (const each of [a, b, c]) owned.put(JSON.parse(JSON.stringify(each)))
    const specs = [a, b, c].map(each => owned.get(identity(each))?.spec as { a?: object })
    expect(specs).toEqual([a.spec, b.spec, c.spec])
    expect(specs[1]?.a).toBe(specs[0]?.a)
  })

  test('are kept without their status and the managers of their fields', () => {
    const owned = new OwnedObjects()
    owned.put(policy('one', 'team/a', { uid: 'u', resourceVersion: '7', managedFields: [{ manager: 'x' }] }))
    const [kept] = owned.all()
    expect(kept).not.toHaveProperty('status')
    expect(kept?.metadata).not.toHaveProperty('managedFields')
    expect(kept?.metadata).toMatchObject({ uid: 'u', resourceVersion: '7' })
  })

  test('are forgotten when they go, and when somebody takes our label off them', () => {
    const owned = new OwnedObjects()
    for (const each of [NET, TEAM]) owned.put(each)
    owned.remove(NET)
    owned.put({ ...TEAM, metadata: { ...TEAM.metadata, labels: {} } })
    expect(owned.size).toBe(0)
    expect(owned.ofKey('namespace/shop')).toEqual([])
    expect(owned.inNamespace('shop')).toEqual([])
  })

  test('are found by their new scope once it says another', () => {
    const owned = new OwnedObjects()
    owned.put(TEAM)
    owned.put(policy('team', 'team/team-a'))
    expect(owned.ofKey('namespace/shop')).toEqual([])
    expect(owned.ofKey('team/team-a')).toHaveLength(1)
  })
})

describe('an object of ours says itself', () => {
  const scopes: Scope[] = [
    { of: 'team', team: 'team-a' },
    { of: 'namespace', team: 'team-a', namespace: 'shop' },
    { of: 'gateway', namespace: 'infra', name: 'envoy' },
    { of: 'route', route: { kind: 'HTTPRoute', namespace: 'shop', name: 'cart.v1' } },
  ]

  test.each(scopes)('which key has to look at it: %j', scope => {
    const key = keyOfOwned(policy('one', scopeKey(scope)))
    expect(key && keyText(key)).toBe(scopeKey(scope).replace(/^namespace\/shop\/.*$/, 'namespace/shop'))
  })

  test('for which team it is, if for one alone', () => {
    expect(scopes.map(scope => teamOfOwned(policy('one', scopeKey(scope))))).toEqual([
      'team-a',
      'team-a',
      undefined,
      undefined,
    ])
  })

  test.each([
    '',
    'something',
    'route/Pod/shop/one',
    'gateway/infra',
    'route/HTTPRoute/shop',
  ])('nothing where its annotation is %j', scope => {
    expect(keyOfOwned(policy('one', scope))).toBeUndefined()
  })
})
