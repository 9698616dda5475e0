import { describe, expect, test } from '@jest/globals'
import type { KubeObject } from '../../src/core/types.ts'
import { namespace, team } from '../facts/cluster.ts'
import { type Change, type Entry, judge } from './guard-history.ts'

const OURS = { 'app.kubernetes.io/managed-by': 'portcullis' }
const PROTECT = 'auth.example/protect'
const ACCESS = 'auth.example/access'
const REST: Entry = { type: 'rest' }

const put = (object: KubeObject): Change => ({ type: 'put', object })
const remove = (object: KubeObject): Change => ({ type: 'remove', object })

function policy(name: string, second: number, spec: object, standsFor = name): KubeObject {
  return {
    apiVersion: 'gateway.envoyproxy.io/v1alpha1',
    kind: 'SecurityPolicy',
    metadata: {
      name,
      namespace: 'apps',
      labels: OURS,
      annotations: { 'auth.example/stands-for': standsFor },
      creationTimestamp: `2026-01-01T00:00:${String(second).padStart(2, '0')}Z`,
      resourceVersion: '1',
    },
    spec,
  }
}

type Selected = { readonly values: readonly string[]; readonly level?: string; readonly service?: string }

function guard(of: string, second: number, { values, level, service = `proxy-${of}` }: Selected): KubeObject {
  const access = level === undefined ? { operator: 'DoesNotExist' } : { operator: 'In', values: [level] }
  const groups = level === undefined ? '' : '?allowed_groups=group-1,group-2'
  const selector = {
    matchExpressions: [
      { key: PROTECT, operator: 'In', values },
      { key: ACCESS, ...access },
    ],
  }
  const http = { backendRefs: [{ namespace: 'auth', name: service, port: 80 }], pathOverride: `/${groups}` }
  const name = `portcullis-team.${of}${level === undefined ? '' : `.${level}`}`
  return policy(name, second, {
    targetSelectors: [selector],
    extAuth: { failOpen: false, http },
    authorization: { defaultAction: 'Deny', rules: [{ name: 'authenticated', action: 'Allow' }] },
  })
}

function net(number: number, second: number): KubeObject {
  const matchExpressions = [{ key: PROTECT, operator: 'Exists' }]
  const spec = { targetSelectors: [{ matchExpressions }], authorization: { defaultAction: 'Deny' } }
  return policy(`portcullis-zz-net.${number}`, second, spec, 'every labelled route that no team serves')
}

function route(labels: Readonly<Record<string, string>>): KubeObject {
  const metadata = { name: 'shop', namespace: 'apps', labels, resourceVersion: '1' }
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata,
    spec: { hostnames: ['shop.a.example.com'] },
  }
}

function means(name: string): KubeObject {
  return namespace('apps', { [PROTECT]: name })
}

const A = guard('team-a', 1, { values: ['', 'true', 'team-a'] })
const ADMINS = guard('team-a', 1, { values: ['', 'true', 'team-a'], level: 'admins' })
const B = guard('team-b', 1, { values: ['team-b'] })
const WIDER = guard('team-b', 1, { values: ['', 'true', 'team-b'] })
const NARROWER = guard('team-a', 1, { values: ['team-a'] })
const NET = net(1, 1)
const ROUTE = route({ [PROTECT]: 'true' })

const START: readonly Entry[] = [
  ...[team('team-a'), team('team-b'), means('team-a'), A, ADMINS, B, NET, ROUTE].map(put),
  REST,
]

const wrongAfter = (...more: readonly Entry[]) => judge([...START, ...more]).violations

describe('the history of guards', () => {
  test('is right where a namespace moves between teams, first by what is added and then by what is taken away', () => {
    expect(wrongAfter(put(means('team-b')), put(WIDER), put(NARROWER), REST)).toEqual([])
    expect(judge([...START, put(WIDER)]).looks).toBeGreaterThan(0)
  })

  test('is right where a route says another level while its namespace moves, and has that of the old team for now', () => {
    const narrowed = route({ [PROTECT]: 'true', [ACCESS]: 'admins' })
    expect(wrongAfter(put(means('team-b')), put(narrowed))).toEqual([])
  })

  test('is right where a namespace names a team that it no longer admits, whose guard has not gone yet', () => {
    const elsewhere = team('team-b', { namespaces: { names: ['elsewhere'] } })
    const named = [put(means('team-b')), put(elsewhere), put(WIDER), put(NARROWER)]
    const wasOfA = route({ [PROTECT]: 'team-a' })
    expect(wrongAfter(put(wasOfA), put(WIDER), put(NARROWER), REST, ...named, put(ROUTE))).toEqual([])
    expect(wrongAfter(put(wasOfA), put(WIDER), put(NARROWER), REST, put(ROUTE))[0]).toMatch(
      /portcullis-team.team-b is in front, which it has not meant/,
    )
  })

  test('is right where a route stays with its old team, since the one that is meant now may not have its hosts', () => {
    const other = put(team('team-b', { hosts: ['desk.a.example.com'] }))
    expect(wrongAfter(other, REST, put(means('team-b')), put(WIDER), REST, REST)).toEqual([])
    expect(wrongAfter(REST, put(means('team-b')), put(WIDER), REST)[0]).toMatch(
      /at rest.*portcullis-team.team-a is in front, which it has not meant/,
    )
  })

  test('is right where a namespace has meant a team that is deleted, which keeps its routes until sweeps believe that', () => {
    const moved = [put(means('team-b')), put(WIDER), put(NARROWER), put(means('team-a'))]
    expect(wrongAfter(...moved, remove(team('team-b')), REST, REST)).toEqual([])
    expect(wrongAfter(...moved, REST)[0]).toMatch(/at rest.*portcullis-team.team-b is in front, which it has not meant/)
    expect(wrongAfter(put(WIDER), put(NARROWER), remove(team('team-b')))[0]).toMatch(
      /portcullis-team.team-b is in front, which it has not meant/,
    )
  })

  test('is right where a net is followed by its successor before it goes', () => {
    const old = [net(1, 1), net(2, 3)] as const
    expect(wrongAfter(put(old[1]), remove(old[0]), REST)).toEqual([])
  })

  test('is wrong where the policy that is left is of a team that was not meant', () => {
    expect(wrongAfter(put(WIDER), put(NARROWER))[0]).toMatch(
      /portcullis-team.team-b is in front, which it has not meant/,
    )
  })

  test('is wrong where the new team is meant no longer, but has been before the last rest', () => {
    const moved = [put(means('team-b')), put(WIDER), put(NARROWER), REST] as const
    expect(wrongAfter(...moved, put(A), put(B))[0]).toMatch(
      /portcullis-team.team-a is in front, which it has not meant/,
    )
  })

  test('is wrong where what was there is taken away before the new is there, and no net is under it', () => {
    expect(wrongAfter(remove(NET), put(means('team-b')), put(NARROWER), put(WIDER))).toEqual([
      expect.stringMatching(/nothing is in front of it/),
    ])
  })

  test('is wrong where the net goes before its successor comes, for a label that only the net knows', () => {
    const strange = put(route({ [PROTECT]: 'nobody' }))
    expect(wrongAfter(strange, remove(NET), put(net(2, 3)))).toEqual([
      expect.stringMatching(/nothing is in front of it/),
    ])
    expect(wrongAfter(strange, put(net(2, 3)), remove(NET))).toEqual([])
  })

  test('is wrong where a policy that is wanted is taken away, be it for a moment', () => {
    expect(wrongAfter(remove(B), put(B))).toEqual([expect.stringMatching(/taken away although it was wanted/)])
  })

  test('is right where a policy goes that nothing wants any more', () => {
    const without = team('team-a', { access: [] })
    expect(wrongAfter(put(without), remove(ADMINS), REST)).toEqual([])
    expect(wrongAfter(put(team('team-b', { namespaces: { names: ['elsewhere'] } })), remove(B), REST)).toEqual([])
  })

  test('is wrong where a policy comes back under another name', () => {
    const { metadata, ...rest } = B
    const renamed = { ...rest, metadata: { ...metadata, name: 'portcullis-team.team-b2' } }
    expect(wrongAfter(put(renamed))[0]).toMatch(/was named portcullis-team.team-b before/)
  })

  test('is wrong where a policy lets everybody through, or asks for no login', () => {
    const open = { ...A, spec: { ...(A.spec as object), authorization: { defaultAction: 'Allow' } } }
    expect(wrongAfter(put(open))[0]).toMatch(/does not deny/)
    const merged = { ...A, spec: { ...(A.spec as object), mergeType: 'StrategicMerge' } }
    expect(wrongAfter(put(merged))[0]).toMatch(/does not deny/)
    const bare = { ...A, spec: { ...(A.spec as object), extAuth: undefined } }
    expect(wrongAfter(put(bare))[0]).toMatch(/asks for no login/)
  })

  test('is wrong where a policy asks a Service of which no team says so, or for other groups', () => {
    expect(wrongAfter(put(guard('team-a', 1, { values: ['true'], service: 'mine' })))[0]).toMatch(/asks auth\/mine/)
    const wide = guard('team-a', 1, { values: ['true'] })
    const admins = {
      ...ADMINS,
      spec: { ...(ADMINS.spec as object), extAuth: (wide.spec as { extAuth: object }).extAuth },
    }
    const of = put(route({ [PROTECT]: 'true', [ACCESS]: 'admins' }))
    expect(wrongAfter(of)).toEqual([])
    expect(wrongAfter(of, put(admins))[0]).toMatch(/asks auth\/proxy-team-a/)
  })

  test('is wrong where an older policy of somebody else takes effect', () => {
    const { metadata, ...rest } = policy('mine', 0, {
      targetRefs: [{ kind: 'HTTPRoute', name: 'shop' }],
      authorization: { defaultAction: 'Allow' },
    })
    expect(wrongAfter(put({ ...rest, metadata: { ...metadata, labels: {} } }))[0]).toMatch(/mine does not deny/)
  })

  test('is wrong where a route that has a team is left to the net, but only once all is said to be done', () => {
    const younger = guard('team-a', 5, { values: ['', 'true', 'team-a'] })
    expect(wrongAfter(put(younger))).toEqual([])
    expect(wrongAfter(put(younger), REST)).toEqual([expect.stringMatching(/at rest: .* is closed by/)])
    expect(wrongAfter(put(younger), put(net(2, 6)), remove(NET), REST)).toEqual([])
  })
})
