import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { digest, grantName, NET_PREFIX, passthroughName, policyName } from '../../src/core/names.ts'

/** Close to one another on purpose: a few letters, many dashes. */
const label = fc.stringMatching(/^[ab](-?[ab]){0,2}$/)
const subdomain = fc.array(label, { minLength: 1, maxLength: 3 }).map(labels => labels.join('.'))
const level = fc.option(label, { nil: undefined })
const longest = 'x'.repeat(40)

function expectInjective<T>(of: fc.Arbitrary<T>, name: (value: T) => string): void {
  fc.assert(
    fc.property(
      fc.uniqueArray(of, { selector: value => JSON.stringify(value), maxLength: 30, size: 'max' }),
      values => {
        expect(new Set(values.map(name)).size).toBe(values.length)
      },
    ),
    { numRuns: 200 },
  )
}

describe('no two scopes share a name:', () => {
  test('policies of teams and access levels', () => {
    expectInjective(fc.tuple(label, level), ([team, access]) => policyName(team, access))
    expect(policyName('a-b', 'c')).not.toBe(policyName('a', 'b-c'))
  })

  test('grants of namespaces and teams', () => {
    expectInjective(fc.tuple(label, label), ([namespace, team]) => grantName(namespace, team))
  })

  test('login routes of routes', () => {
    const kind = fc.constantFrom<'Ingress' | 'HTTPRoute'>('Ingress', 'HTTPRoute')
    expectInjective(fc.record({ kind, namespace: label, name: subdomain }), passthroughName)
  })

  test('hashes of parts', () => {
    expectInjective(fc.array(fc.oneof(label, fc.constantFrom('', '"', ',', '","')), { maxLength: 4 }), parts =>
      digest(...parts),
    )
  })
})

test.each([
  [policyName(longest, longest)],
  [policyName('a')],
  [grantName('x'.repeat(63), longest)],
  [passthroughName({ kind: 'Ingress', namespace: 'x'.repeat(63), name: 'x'.repeat(253) })],
])('%s is a name that Kubernetes takes', name => {
  expect(name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/)
  expect(name.length).toBeLessThanOrEqual(253)
})

test('the net sorts after every policy of a team', () => {
  fc.assert(fc.property(label, level, (team, access) => expect(policyName(team, access) < `${NET_PREFIX}1`).toBe(true)))
})
