import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { covers, intersectHosts, normaliseHost, underDomain } from '../../src/core/hosts.ts'

test.each([
  ['APP.Example.COM', 'app.example.com'],
  ['app.example.com.', 'app.example.com'],
  ['*.Example.com', '*.example.com'],
  ['', ''],
])('%j is read as %j', (host, read) => {
  expect(normaliseHost(host)).toBe(read)
})

describe("a team's pattern", () => {
  test.each([
    ['app.example.com', 'app.example.com'],
    ['*.example.com', 'app.example.com'],
    ['*.example.com', 'a.b.example.com'],
    ['*.example.com', '*.example.com'],
    ['*.example.com', '*.a.example.com'],
    ['*-a.example.com', 'app-a.example.com'],
    ['*-a.example.com', 'x.app-a.example.com'],
    ['*-a.example.com', '*.app-a.example.com'],
    ['*a.example.com', '*.ba.example.com'],
  ])('%s stands for %s', (pattern, host) => {
    expect(covers(pattern, host)).toBe(true)
  })

  test.each([
    ['app.example.com', 'app.example.com.evil.com'],
    ['app.example.com', 'xapp.example.com'],
    ['app.example.com', '*.example.com'],
    ['*.example.com', 'example.com'],
    ['*.example.com', '.example.com'],
    ['*.example.com', 'evilexample.com'],
    ['*.a.example.com', '*.example.com'],
    ['*-a.example.com', '-a.example.com'],
    ['*-a.example.com', 'a.example.com'],
    ['*-a.example.com', '*.a.example.com'],
    ['*-a.example.com', '*.example.com'],
    ['*.example.com', ''],
    ['*.example.com', '*'],
  ])('%s does not stand for %s', (pattern, host) => {
    expect(covers(pattern, host)).toBe(false)
  })

  const label = fc.stringMatching(/^[ab]{1,2}(-[ab])?$/)
  const name = fc.array(label, { minLength: 1, maxLength: 3 }).map(labels => labels.join('.'))
  const patterns = fc.tuple(fc.constantFrom('', '*', '*.', '*-'), name).map(parts => parts.join(''))

  test('that stands for a wildcard stands for every host under it', () => {
    fc.assert(
      fc.property(patterns, name, name, (pattern, suffix, prefix) => {
        if (covers(pattern, `*.${suffix}`)) expect(covers(pattern, `${prefix}.${suffix}`)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('stands for exactly the hosts that its letters with something for the * match', () => {
    fc.assert(
      fc.property(patterns, name, (pattern, host) => {
        const expression = new RegExp(`^${pattern.replaceAll('.', '\\.').replace('*', '.+')}$`)
        expect(covers(pattern, host)).toBe(expression.test(host))
      }),
      { numRuns: 500 },
    )
  })
})

describe('a cookie of example.com', () => {
  test.each(['example.com', 'app.example.com', '*.example.com', '*.a.example.com'])('reaches %s', host => {
    expect(underDomain(host, 'example.com')).toBe(true)
  })

  test.each([
    'evilexample.com',
    'example.com.evil.com',
    'com',
    '*.com',
    '',
    'example.org',
  ])('does not reach %j', host => {
    expect(underDomain(host, 'example.com')).toBe(false)
  })
})

describe('a listener and a route have in common', () => {
  // As the Gateway API says of HTTPRoute hostnames; the more specific of the two.
  test.each([
    ['', 'app.example.com', 'app.example.com'],
    ['app.example.com', '', 'app.example.com'],
    ['', '', ''],
    ['*.example.com', '', '*.example.com'],
    ['app.example.com', 'app.example.com', 'app.example.com'],
    ['*.example.com', 'app.example.com', 'app.example.com'],
    ['*.example.com', 'a.b.example.com', 'a.b.example.com'],
    ['*.example.com', '*.a.example.com', '*.a.example.com'],
    ['app.example.com', '*.example.com', 'app.example.com'],
    ['*.a.example.com', '*.example.com', '*.a.example.com'],
    ['*.example.com', '*.example.com', '*.example.com'],
  ])('listener %j, route %j: %j', (listener, route, common) => {
    expect(intersectHosts(listener, route)).toBe(common)
  })

  test.each([
    ['*.example.com', 'example.com'],
    ['example.com', '*.example.com'],
    ['*.example.com', 'evilexample.com'],
    ['a.example.com', 'b.example.com'],
    ['*.a.example.com', '*.b.example.com'],
  ])('listener %j, route %j: nothing', (listener, route) => {
    expect(intersectHosts(listener, route)).toBeUndefined()
  })
})
