// What an AuthExemption must say.
import { describe, expect, test } from '@jest/globals'
import { parseAuthExemption } from '../../src/api/auth-exemption.ts'
import { withField } from './auth-teams.ts'

const exemption = () => ({
  apiVersion: 'auth.example/v1alpha1',
  kind: 'AuthExemption',
  metadata: { name: 'shop.status' },
  spec: {
    route: { kind: 'Ingress', namespace: 'shop', name: 'status' },
    hosts: ['status.example.com'],
    reason: 'The status page is for everybody.',
  },
})

describe('an AuthExemption', () => {
  test('names a route, its hosts and a reason', () => {
    expect(parseAuthExemption(exemption())).toEqual({ value: { name: 'shop.status', ...exemption().spec } })
  })

  test('may name exact paths and an end, in any zone', () => {
    const document = withField(exemption(), 'spec.paths', ['/healthz', '/'])
    expect(parseAuthExemption(withField(document, 'spec.expires', '2027-01-31T02:00:00+02:00'))).toMatchObject({
      value: { paths: ['/healthz', '/'], expires: Date.UTC(2027, 0, 31) },
    })
  })

  test.each([
    ['no reason', 'spec.reason', undefined, 'spec.reason'],
    ['a blank reason', 'spec.reason', ' \n', 'spec.reason'],
    ['no hosts', 'spec.hosts', [], 'spec.hosts'],
    ['a wildcard', 'spec.hosts', ['*.example.com'], 'spec.hosts[0]'],
    ['every host', 'spec.hosts', [''], 'spec.hosts[0]'],
    ['another kind of route', 'spec.route.kind', 'GRPCRoute', 'spec.route.kind'],
    ['no namespace', 'spec.route.namespace', undefined, 'spec.route.namespace'],
    ['an empty list of paths', 'spec.paths', [], 'spec.paths'],
    ['a path without a slash', 'spec.paths', ['healthz'], 'spec.paths[0]'],
    ['a path with a query', 'spec.paths', ['/a?b'], 'spec.paths[0]'],
    ['a day without a time', 'spec.expires', '2027-01-31', 'spec.expires'],
    ['a time without a zone', 'spec.expires', '2027-01-31T00:00:00', 'spec.expires'],
    ['a day that does not exist', 'spec.expires', '2027-02-30T00:00:00Z', 'spec.expires'],
    ['an unknown field', 'spec.pathes', ['/'], 'spec.pathes'],
  ])('is refused with %s, at that field', (_, path, value, at) => {
    expect(parseAuthExemption(withField(exemption(), path, value))).toMatchObject({ problems: [{ path: at }] })
  })
})
