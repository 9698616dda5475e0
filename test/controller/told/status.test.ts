// The status of an AuthTeam: what is in the way comes first, times stay while nothing changes.
import { describe, expect, test } from '@jest/globals'
import { parseAuthTeam } from '../../../src/api/auth-team.ts'
import { defaultConfig } from '../../../src/api/config.ts'
import { authTeamStatus } from '../../../src/api/status.ts'
import { portsOf, type Situation, statusPatch, teamStatus } from '../../../src/controller/told/status.ts'
import { array, object } from '../../../src/core/json.ts'
import type { KubeObject } from '../../../src/core/types.ts'
import { FactStore } from '../../../src/facts/store.ts'
import { namespace, team } from '../../facts/cluster.ts'

type Json = Readonly<Record<string, unknown>>

const NOW = Date.parse('2026-11-23T12:00:00Z')
const SERVICES = new Map([['auth/proxy-a', new Set([80])]])

function storeOf(...documents: KubeObject[]): FactStore {
  const store = new FactStore(defaultConfig())
  for (const each of documents) expect(store.put(each)).toEqual([])
  return store
}

function judge(store: FactStore, changes: Partial<Situation> = {}, stored: KubeObject = A) {
  const parsed = store.team('a')
  if (parsed === undefined) throw new Error('no team a')
  const nothing = { services: SERVICES, refusals: [], problems: [], configurationProblems: [], now: NOW }
  const status = teamStatus(parsed, store, { stored, ...nothing, ...changes })
  const of = (type: string) => object(status.conditions.find(each => each.type === type))
  return { status, ready: of('Ready'), proxy: of('ProxyAvailable'), conflicting: of('Conflicting') }
}

const A = team('a', {}, { generation: 3 })

function route(kind: 'Ingress' | 'HTTPRoute', name: string, labels: object, of = 'a', within = 'apps'): KubeObject {
  const record = { format: 1, gateway: 'ingress-nginx', team: of, set: {}, was: {} }
  const annotations = { 'auth.example/injected': JSON.stringify(record) }
  const group = kind === 'Ingress' ? 'networking.k8s.io/v1' : 'gateway.networking.k8s.io/v1'
  return { apiVersion: group, kind, metadata: { name, namespace: within, labels, annotations }, spec: {} } as KubeObject
}

const PROTECT = { 'auth.example/protect': 'true' }

describe('the status', () => {
  test('says that all is well, in the form that the definition asks for, about this generation', () => {
    const { status, ready, proxy, conflicting } = judge(storeOf(A, namespace('apps')))
    expect(authTeamStatus.safeParse(status).success).toBe(true)
    expect(ready).toMatchObject({ status: 'True', observedGeneration: 3, lastTransitionTime: '2026-11-23T12:00:00Z' })
    expect(proxy).toMatchObject({ status: 'True', reason: 'ServiceFound' })
    expect(conflicting).toMatchObject({ status: 'False', reason: 'NoConflict' })
  })

  test('names the first thing in the way, what somebody has to do before what passes by itself', () => {
    const store = storeOf(A, namespace('apps'))
    store.readySince = scope => (scope.of === 'namespace' ? undefined : 0)
    const refusals = [{ object: 'SecurityPolicy apps/x', message: 'unknown field' }]
    const problems = [{ path: 'spec.proxy', message: 'is missing' }]
    const configurationProblems = ['config.yaml:1: is no YAML']
    const all = { refusals, problems, configurationProblems }
    expect(judge(store, all).ready).toMatchObject({ status: 'False', reason: 'SpecInvalid' })
    expect(judge(store, { refusals, configurationProblems }).ready).toMatchObject({
      reason: 'Refused',
      message: 'the API server refused SecurityPolicy apps/x: unknown field',
    })
    const taken = [{ object: 'SecurityPolicy apps/x', isTaken: true, message: '' }]
    expect(judge(store, { refusals: taken }).ready).toMatchObject({
      reason: 'NameTaken',
      message: 'SecurityPolicy apps/x is not Portcullis’ own, and has a name that it needs: rename or remove it',
    })
    const unjudged = 'a route was tried'
    const missing = judge(store, { unjudged, configurationProblems }).ready
    expect(missing).toMatchObject({ reason: 'GuardsMissing' })
    expect(missing.message).toContain('namespace/apps/a')
    store.readySince = () => 0
    expect(judge(store, { unjudged, configurationProblems }).ready).toMatchObject({
      status: 'False',
      reason: 'NotAsked',
      message: 'routes are not judged: a route was tried',
    })
    const broken = judge(store, { configurationProblems }).ready
    expect(broken).toMatchObject({ status: 'False', reason: 'ConfigurationBroken' })
    expect(broken.message).toContain('the last good one stays in use: config.yaml:1: is no YAML')
  })

  test('looks only at namespaces that the team admits', () => {
    const store = storeOf(A, namespace('apps'), namespace('other'))
    store.readySince = scope => (scope.of === 'namespace' && scope.namespace === 'other' ? undefined : 0)
    expect(judge(store).ready.status).toBe('True')
  })

  test.each([
    ['no Service', new Map(), 'False', 'ServiceMissing'],
    ['another port', new Map([['auth/proxy-a', new Set([4180, 443])]]), 'False', 'PortMissing'],
    ['nobody who may look', '403 cannot list services', 'Unknown', 'NotLooked'],
  ])('says of the Service when there is %s', (_, services, status, reason) => {
    expect(judge(storeOf(A), { services }).proxy).toMatchObject({ status, reason })
  })

  test('says of the Service why nobody has looked', () => {
    const { proxy: said } = judge(storeOf(A), { services: '403 cannot list services' })
    expect(said.message).toBe('Service auth/proxy-a was not looked for: 403 cannot list services')
  })

  test('reads the ports of a Service', () => {
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {},
      spec: { ports: [{ port: 80 }, { port: 443 }, {}] },
    }
    expect([...portsOf(service)]).toEqual([80, 443])
  })

  test('says of both teams that their hosts overlap, that they share a cookie, that both are the default', () => {
    const same = { hosts: ['*.a.example.com'] }
    const isDefault = { namespaces: { names: ['apps'], default: true } }
    const other = { hosts: ['other.a.example.com'], proxy: { ...proxy('a'), cookieName: '__Secure-a' } }
    const cases: [Json, Json, string][] = [
      [same, { hosts: ['x.a.example.com'] }, 'HostsOverlap'],
      [{ hosts: ['first.a.example.com'] }, other, 'CookieShared'],
      [
        { hosts: ['first.a.example.com'], ...isDefault },
        { hosts: ['second.a.example.com'], ...isDefault },
        'SeveralDefaults',
      ],
    ]
    for (const [mine, its, reason] of cases) {
      const store = storeOf(team('a', mine), team('b', its), namespace('apps'))
      expect(judge(store).conflicting).toMatchObject({ status: 'True', reason })
      expect(String(judge(store).conflicting.message)).toContain('b')
    }
  })

  test('counts routes that are labelled and recorded, where the team is admitted', () => {
    const store = storeOf(
      A,
      ...[namespace('apps'), namespace('other')],
      route('Ingress', 'one', PROTECT),
      route('Ingress', 'open', { 'auth.example/protect': 'false' }),
      route('Ingress', 'of-another', PROTECT, 'b'),
      route('Ingress', 'elsewhere', PROTECT, 'a', 'other'),
      route('HTTPRoute', 'two', PROTECT),
      route('HTTPRoute', 'three', { 'auth.example/protect': 'a' }),
    )
    expect(judge(store).status.routes).toEqual({ ingress: 1, httpRoute: 2 })
  })
})

describe('writing it', () => {
  const store = storeOf(A, namespace('apps'))
  const first = judge(store).status
  const stored = { ...A, status: JSON.parse(JSON.stringify(first)) }

  test('adds the first one', () => {
    expect(statusPatch(A, first)).toEqual([{ op: 'add', path: '/status', value: first }])
  })

  test('does nothing while all is as before, however late it is', () => {
    expect(statusPatch(stored, judge(store, { now: NOW + 60_000 }, stored).status)).toEqual([])
  })

  test('keeps the time of what stays and gives what changes its own', () => {
    const { status, ready, proxy: changed } = judge(store, { now: NOW + 60_000, services: new Map() }, stored)
    expect(ready.lastTransitionTime).toBe('2026-11-23T12:00:00Z')
    expect(changed.lastTransitionTime).toBe('2026-11-23T12:01:00Z')
    expect(statusPatch(stored, status)).toEqual([{ op: 'replace', path: '/status', value: status }])
  })

  test('keeps the time where only the message is another', () => {
    const gone = judge(store, { services: new Map() }, stored).status
    const later = judge(
      store,
      { now: NOW + 60_000, services: new Map([['auth/proxy-a', new Set([1])]]) },
      { ...A, status: gone },
    )
    expect(later.proxy).toMatchObject({ reason: 'PortMissing', lastTransitionTime: '2026-11-23T12:00:00Z' })
  })

  test('leaves conditions of others as they are', () => {
    const foreign = {
      type: 'Audited',
      status: 'True',
      reason: 'X',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    }
    const conditions = [...array(object(stored.status).conditions), foreign]
    const with_ = { ...stored, status: { ...stored.status, conditions } }
    expect(judge(store, {}, with_).status.conditions).toContainEqual(foreign)
    expect(statusPatch(with_, judge(store, {}, with_).status)).toEqual([])
  })

  test('has what a parsed team has', () => expect('value' in parseAuthTeam(A)).toBe(true))
})

function proxy(name: string) {
  const service = { namespace: 'auth', name: `proxy-${name}` }
  return { service, cookieDomains: ['a.example.com'], loginHost: 'login.a.example.com' }
}
