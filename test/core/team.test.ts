import { describe, expect, test } from '@jest/globals'
import { readRoute } from '../../src/core/route.ts'
import { chooseTeam, saysOpen, saysTrue } from '../../src/core/team.ts'
import type { Facts, KubeObject } from '../../src/core/types.ts'
import { config, ingress, namespace, storeOf, team } from '../facts/cluster.ts'

type Labels = Readonly<Record<string, string>>

/** What the labels choose in namespace `apps`: `team`, `team/level`, or the codes of what stands against it. */
function choice(facts: Facts, labels: Labels | string, recorded?: string): string {
  const map = typeof labels === 'string' ? { 'auth.example/protect': labels } : labels
  const chosen = chooseTeam(readRoute(ingress({ labels: map }))!, recorded, facts)
  if (Array.isArray(chosen)) return chosen.map(each => each.code).join(' ')
  return chosen.access === undefined ? chosen.team.name : `${chosen.team.name}/${chosen.access.name}`
}

const store = (...documents: KubeObject[]) => storeOf([namespace('apps'), ...documents], config())
const inApps = { names: ['apps'] }
const byDefault = { namespaces: { ...inApps, default: true } }
const elsewhere = { namespaces: { names: ['elsewhere'] } }
const older = { creationTimestamp: '2025-01-01T00:00:00Z' }

describe('"true" means', () => {
  test('the only team that admits the namespace', () => {
    expect(choice(store(team('a'), team('b', elsewhere)), 'true')).toBe('a')
  })

  test('the same when the value is empty', () => {
    expect(choice(store(team('a')), '')).toBe('a')
  })

  test('the only default team, also beside older ones', () => {
    expect(choice(store(team('a', byDefault), team('b', {}, older)), 'true')).toBe('a')
  })

  test('the team that the namespace says, before any default', () => {
    const labelled = namespace('apps', { 'auth.example/protect': 'b' })
    expect(choice(store(labelled, team('a', byDefault), team('b')), 'true')).toBe('b')
  })

  test.each(['true', '', 'false'])('no more than without it, when the namespace says %j', value => {
    expect(
      choice(store(namespace('apps', { 'auth.example/protect': value }), team('a', byDefault), team('b')), 'true'),
    ).toBe('a')
  })

  test('a refusal, when the namespace says a team that does not admit it', () => {
    const labelled = namespace('apps', { 'auth.example/protect': 'b' })
    expect(choice(store(labelled, team('a', byDefault), team('b', elsewhere)), 'true')).toBe('team-elsewhere')
  })

  test('a refusal, when the namespace says a team that is not there', () => {
    const labelled = namespace('apps', { 'auth.example/protect': 'gone' })
    expect(choice(store(labelled, team('a', byDefault)), 'true')).toBe('team-unknown')
  })

  test('a refusal, when several teams admit the namespace and none is its default', () => {
    expect(choice(store(team('a'), team('b')), 'true')).toBe('team-ambiguous')
  })

  test('a refusal, when no team admits the namespace', () => {
    expect(choice(store(team('a', elsewhere)), 'true')).toBe('team-none')
  })

  test('a refusal, when no namespace of that name is known and no team names it', () => {
    expect(choice(storeOf([team('a', elsewhere)]), 'true')).toBe('team-none')
  })
})

describe('of two default teams', () => {
  const two = store(team('young', byDefault), team('old', byDefault, older))

  test('a new route that says "true" gets neither', () => {
    expect(choice(two, 'true')).toBe('team-defaults')
  })

  test('the older keeps what it serves', () => {
    expect(choice(two, 'true', 'old')).toBe('old')
  })

  test('the younger keeps nothing', () => {
    expect(choice(two, 'true', 'young')).toBe('team-defaults')
  })

  test('either is chosen by name', () => {
    expect([choice(two, 'old'), choice(two, 'young')]).toEqual(['old', 'young'])
  })

  test('made in the same second, the first by name is the older', () => {
    expect(choice(store(team('b', byDefault), team('a', byDefault)), 'true', 'a')).toBe('a')
  })

  test('one that is not stored yet is the younger', () => {
    const unstored = team('a', byDefault, { creationTimestamp: undefined })
    expect(choice(store(unstored, team('b', byDefault)), 'true', 'b')).toBe('b')
  })
})

describe('a name', () => {
  const facts = store(team('a', byDefault), team('b'), team('c', elsewhere))

  test.each([
    ['b', 'b'],
    ['c', 'team-elsewhere'],
    ['gone', 'team-unknown'],
    ['TRUE', 'label-value'],
    ['True', 'label-value'],
    ['FALSE', 'label-value'],
    ['yes', 'team-unknown'],
    ['a b', 'label-value'],
    [' true', 'label-value'],
    ['A', 'label-value'],
    ['a_b', 'label-value'],
    ['__proto__', 'label-value'],
    ['constructor', 'team-unknown'],
  ])('%j chooses: %s', (value, expected) => {
    expect(choice(facts, value)).toBe(expected)
  })

  test('is not overruled by what a record says', () => {
    expect(choice(facts, 'b', 'a')).toBe('b')
  })
})

describe('a namespace is admitted', () => {
  const selector = { matchLabels: { tier: 'web' } }

  test('by its labels', () => {
    const facts = storeOf([namespace('apps', { tier: 'web' }), team('a', { namespaces: { selector } })])
    expect(choice(facts, 'true')).toBe('a')
  })

  test('by name or by labels: either is enough', () => {
    const facts = store(team('a', { namespaces: { ...inApps, selector } }))
    expect(choice(facts, 'true')).toBe('a')
  })

  test('by the label that Kubernetes puts on each', () => {
    const byName = { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['apps'] }] }
    expect(choice(storeOf([team('a', { namespaces: { selector: byName } })]), 'true')).toBe('a')
  })

  test('not by a label that it lacks and every JavaScript object has', () => {
    const selector = { matchExpressions: [{ key: 'constructor', operator: 'Exists' }] }
    expect(choice(store(team('a', { namespaces: { selector } })), 'true')).toBe('team-none')
  })
})

describe('access and client', () => {
  const facts = store(team('a'))
  const protect = { 'auth.example/protect': 'true' }

  test.each<[Labels, string]>([
    [{ 'auth.example/access': 'admins' }, 'a/admins'],
    [{ 'auth.example/access': 'Admins' }, 'access-unknown'],
    [{ 'auth.example/access': '' }, 'access-unknown'],
    [{ 'auth.example/access': 'constructor' }, 'access-unknown'],
    [{ 'auth.example/client': 'browser' }, 'a'],
    [{ 'auth.example/client': 'api' }, 'a'],
    [{ 'auth.example/client': 'API' }, 'client-unknown'],
    [{ 'auth.example/client': '' }, 'client-unknown'],
  ])('%j choose: %s', (labels, expected) => {
    expect(choice(facts, { ...protect, ...labels })).toBe(expected)
  })

  test('every problem is told at once', () => {
    expect(choice(facts, { 'auth.example/protect': 'gone', 'auth.example/client': 'x' })).toBe(
      'team-unknown client-unknown',
    )
  })
})

test('the label leaves a route open where it is missing or says "false", and nowhere else', () => {
  expect([undefined, 'false', 'False', '', 'true', 'a'].filter(saysOpen)).toEqual([undefined, 'false'])
  expect(['true', '', 'True', 'false', 'a'].filter(saysTrue)).toEqual(['true', ''])
})
