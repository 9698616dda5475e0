import { describe, expect, test } from '@jest/globals'
import { admit, type Entry } from '../../src/admission/admit.ts'
import type { Facts, GatewayKind, KubeObject, Scope } from '../../src/core/types.ts'
import { FactStore } from '../../src/facts/store.ts'
import {
  CLUSTER,
  cluster,
  config,
  gateway,
  httpRoute,
  ingress,
  ingressClass,
  listener,
  NGINX,
  parent,
  team,
} from '../facts/cluster.ts'
import { annotated, annotationsOf, applied, labelled } from '../property/apply.ts'
import { ask, bytesOf, contextOf, NOW, reviewOf, UID } from './reviews.ts'

const PROTECT = 'auth.example/protect'
const INJECTED = 'auth.example/injected'
const AUTH_URL = 'nginx.ingress.kubernetes.io/auth-url'
const facts = cluster()
const context = contextOf(facts)
const entries: Entry[] = ['mutate', 'validate']

/** As it is stored once protected. */
function shut(object: KubeObject, store: Facts = facts): KubeObject {
  return applied(object, ask('mutate', { object }, contextOf(store)).patch)
}

function update(oldObject: KubeObject, object: KubeObject, more: object = {}) {
  return { operation: 'UPDATE', oldObject, object, ...more }
}

/** A store of which only the guards say since when they are there. */
function readySince(since: (scope: Scope, gateway?: string) => number | undefined, change = {}): Facts {
  class Guarded extends FactStore {
    override readySince(scope: Scope, gateway?: GatewayKind['id']): number | undefined {
      return since(scope, gateway)
    }
  }
  const store = new Guarded(config(change))
  for (const document of CLUSTER) store.put(document)
  return store
}

describe('"not yet" is 429, with the time after which to ask again, for', () => {
  const later = { allowed: false, code: 429, reason: 'TooManyRequests' }

  test('a route that no mutating call has seen', () => {
    const answer = ask('validate', { object: ingress() }, context)
    expect(answer).toMatchObject({ ...later, details: { retryAfterSeconds: 1 } })
    expect(answer.message).toContain('[injection-missing]')
  })

  test('a label that went without a mutating call', () => {
    const stored = shut(ingress())
    const answer = ask('validate', update(stored, labelled(stored, { [PROTECT]: null })), context)
    expect(answer).toMatchObject({ ...later, details: { retryAfterSeconds: 1 } })
    expect(answer.message).toContain('[release-missing]')
  })

  test('a whole injection that another version has written', () => {
    const proxy = { service: { namespace: 'auth', name: 'other' }, cookieDomains: ['a.example.com'] }
    const before = cluster(team('team-a', { namespaces: { names: ['apps'], default: true }, proxy }))
    const stored = shut(ingress(), before)
    expect(annotationsOf(stored)[AUTH_URL]).toContain('http://other.auth')
    const answer = ask('validate', { object: stored }, context)
    expect(answer).toMatchObject({ ...later, details: { retryAfterSeconds: 1 } })
    expect(answer.message).toContain('[injection-other]')
  })

  test('a record in a newer format, which mutating leaves alone', () => {
    const record = JSON.stringify({ ...JSON.parse(annotationsOf(shut(ingress()))[INJECTED]!), format: 2 })
    const object = annotated(shut(ingress()), { [INJECTED]: record })
    expect(ask('mutate', { object }, context).patch).toEqual([])
    expect(ask('validate', { object }, context)).toMatchObject(later)
  })

  test('another version, on a connection that is given up: the next may lead to its like', () => {
    const record = JSON.stringify({ ...JSON.parse(annotationsOf(shut(ingress()))[INJECTED]!), format: 2 })
    const newer = annotated(shut(ingress()), { [INJECTED]: record })
    const isLast = (entry: Entry, object: KubeObject) => admit(entry, bytesOf(reviewOf({ object })), context).last
    expect([isLast('mutate', newer), isLast('validate', newer)]).toEqual([true, true])
    expect([isLast('mutate', ingress()), isLast('validate', ingress())]).toEqual([false, false])
    expect(isLast('validate', shut(ingress()))).toBe(false)
  })

  const route = httpRoute()

  test('guards that are not there', () => {
    const answer = ask('validate', { object: shut(route) }, contextOf(readySince(() => undefined)))
    expect(answer).toMatchObject({ ...later, details: { retryAfterSeconds: 2 } })
    expect(answer.message).toContain('[guards-missing]')
  })

  test.each([
    [0, 5],
    [1, 5],
    [1200, 4],
    [4000, 1],
    [4999, 1],
  ])('guards that are %s ms old, of the 5 s that they settle: %s s', (age, retryAfterSeconds) => {
    const store = readySince(() => NOW - age)
    expect(ask('validate', { object: shut(route) }, contextOf(store))).toMatchObject({
      ...later,
      details: { retryAfterSeconds },
    })
  })

  test('a clock that ran ahead, never with a time that is over', () => {
    const store = readySince(() => NOW + 60_000)
    expect(ask('validate', { object: shut(route) }, contextOf(store)).details?.retryAfterSeconds).toBe(65)
  })
})

describe('guards', () => {
  test('let pass once they have settled', () => {
    const store = readySince(() => NOW - 5000)
    expect(ask('validate', { object: shut(httpRoute()) }, contextOf(store)).allowed).toBe(true)
  })

  test('are asked for only where a plan relies on them', () => {
    const store = readySince(() => undefined)
    expect(ask('validate', { object: shut(ingress()) }, contextOf(store)).allowed).toBe(true)
  })

  test.each([
    ['traefik', true],
    ['envoy-gateway', false],
  ])('of %s alone are there, and a route behind Traefik is let pass: %s', (there, allowed) => {
    const store = readySince((_, gateway) => (gateway === there ? 0 : undefined))
    expect(ask('validate', { object: shut(httpRoute()) }, contextOf(store)).allowed).toBe(allowed)
  })

  test('never hold up a mutating call', () => {
    const store = readySince(() => undefined)
    expect(ask('mutate', { object: httpRoute() }, contextOf(store)).patch).not.toEqual([])
  })

  test('do not wait for what belongs to one route', () => {
    const asked: string[] = []
    const store = readySince(scope => {
      asked.push(scope.of)
      return 0
    })
    expect(ask('validate', { object: shut(httpRoute()) }, contextOf(store)).allowed).toBe(true)
    expect(asked).toEqual(['namespace'])
  })
})

describe('a Gateway that is being prepared', () => {
  const route = httpRoute({}, { parentRefs: [parent('envoy')] })
  const prepared = (age: number) => readySince(scope => (scope.of === 'gateway' ? NOW - age : 0))

  test.each([
    [0, '65 s'],
    [10_500, '55 s'],
    [64_999, '1 s'],
  ])('%s ms after its guards are there is refused with the time left: %s', (age, left) => {
    const answer = ask('validate', { object: shut(route) }, contextOf(prepared(age)))
    expect(answer).toMatchObject({ allowed: false, code: 403, details: { causes: [{ reason: 'gateway-preparing' }] } })
    expect(answer.message).toContain(`for ${left} more`)
  })

  test('is ready after the drain time and a margin', () => {
    expect(ask('validate', { object: shut(route) }, contextOf(prepared(65_000))).allowed).toBe(true)
  })

  test('without its guards is not yet there', () => {
    const store = readySince(scope => (scope.of === 'gateway' ? undefined : 0))
    expect(ask('validate', { object: shut(route) }, contextOf(store))).toMatchObject({ allowed: false, code: 429 })
  })
})

describe('what a webhook behind us changed is refused with 403 and what it was:', () => {
  const altered = (object: KubeObject) => ask('validate', { object }, context)
  const refused = { allowed: false, code: 403, details: { causes: [{ reason: 'injection-altered' }] } }

  test.each([
    ['a value of ours', annotated(shut(ingress()), { [AUTH_URL]: 'https://evil.example.com/' }), AUTH_URL],
    ['a value of ours that is gone', annotated(shut(ingress()), { [AUTH_URL]: null }), AUTH_URL],
    [
      'a value that we took out',
      annotated(shut(annotated(ingress(), { 'nginx.ingress.kubernetes.io/satisfy': 'all' })), {
        'nginx.ingress.kubernetes.io/satisfy': 'any',
      }),
      'satisfy',
    ],
    [
      'the head of the list',
      annotated(shut(ingress({}, { ingressClassName: 'traefik' })), {
        'traefik.ingress.kubernetes.io/router.middlewares': 'a@file',
      }),
      'router.middlewares',
    ],
  ])('%s', (_, object, what) => {
    const answer = altered(object)
    expect(answer).toMatchObject(refused)
    expect(answer.message).toContain(what.slice(0, 50))
  })

  test('a filter in front of ours', () => {
    const stored = shut(httpRoute())
    const { rules, ...spec } = stored.spec as { rules: { filters: unknown[] }[] }
    const filters = [{ type: 'RequestHeaderModifier' }, ...rules[0]!.filters]
    const answer = altered({ ...stored, spec: { ...spec, rules: [{ ...rules[0], filters }] } })
    expect(answer).toMatchObject(refused)
    expect(answer.message).toContain('spec.rules[0].filters')
  })
})

describe('a fault of ours', () => {
  const broken = {
    ...contextOf(facts),
    facts: new Proxy(facts, {
      get() {
        throw new Error('cookie=secret')
      },
    }),
  }

  test('is an HTTP error to a mutating call, which its policy then ignores', () => {
    const answer = admit('mutate', bytesOf(reviewOf({ object: ingress() })), contextWith(broken.facts))
    expect(answer.status).toBe(500)
    expect(JSON.parse(answer.body).error).toContain('[fault]')
  })

  test('is a well-formed answer with code 500 to a validating call', () => {
    const answer = ask('validate', { object: ingress() }, contextWith(broken.facts))
    expect(answer).toMatchObject({ allowed: false, code: 500, reason: 'InternalError' })
    expect(answer.message).toContain(UID)
  })

  test('says nothing of its cause but in the log, once', () => {
    for (const entry of entries) {
      const logged = contextWith(broken.facts)
      const { body } = admit(entry, bytesOf(reviewOf({ object: ingress() })), logged)
      expect(body).not.toContain('secret')
      expect(logged.lines).toMatchObject([{ level: 'error', fields: { entry, uid: UID, ref: 'Ingress/apps/app' } }])
      expect(Object.keys(logged.lines[0]!.fields).sort()).toEqual(['entry', 'err', 'operation', 'ref', 'uid'])
    }
  })

  function contextWith(of: Facts) {
    return contextOf(of)
  }
})

describe('a dry run', () => {
  const routes = [ingress(), httpRoute(), ingress({}, { ingressClassName: 'gone' }), shut(ingress())]

  test.each(entries)('of %s is answered byte for byte like the real thing', entry => {
    for (const object of routes) {
      const answer = (dryRun: boolean) => admit(entry, bytesOf(reviewOf({ object, dryRun })), context).body
      expect(answer(true)).toBe(answer(false))
    }
  })

  test('is told in the log', () => {
    const logged = contextOf(facts)
    ask('mutate', { object: ingress(), dryRun: true }, logged)
    expect(logged.lines[0]!.fields.dryRun).toBe(true)
  })
})

describe('a route that is being deleted', () => {
  const deletionTimestamp = '2026-06-01T00:00:00Z'
  const dying = (object: KubeObject): KubeObject => ({
    ...object,
    metadata: { ...object.metadata, deletionTimestamp, finalizers: ['example.com/hold'] },
  })
  const stored = dying(shut(ingress()))
  const { finalizers: _, ...metadata } = stored.metadata

  test('is never mutated', () => {
    const stripped = annotated(stored, { [AUTH_URL]: null })
    expect(ask('mutate', update(stored, stripped), context).patch).toEqual([])
    expect(ask('mutate', update(stored, labelled(stored, { [PROTECT]: null })), context).patch).toEqual([])
  })

  test('loses its finalizer, whatever the configuration has become', () => {
    const changed = contextOf(cluster(ingressClass('nginx', 'example.com/unknown')))
    expect(ask('validate', update(stored, { ...stored, metadata }), changed).allowed).toBe(true)
  })

  test('is not opened by an edit', () => {
    const stripped = annotated(stored, { [AUTH_URL]: null })
    expect(ask('validate', update(stored, stripped), context)).toMatchObject({ allowed: false, code: 403 })
  })

  test('may lose its label: it stays shut until it is gone', () => {
    expect(ask('validate', update(stored, labelled(stored, { [PROTECT]: null })), context).allowed).toBe(true)
  })

  test('is one by its stored form only: a request can write any timestamp', () => {
    const bare = ingress({ deletionTimestamp })
    expect(ask('mutate', { object: bare }, context).patch).not.toEqual([])
    const live = shut(ingress())
    expect(ask('mutate', update(live, dying(annotated(live, { [AUTH_URL]: null }))), context).patch).not.toEqual([])
  })
})

describe('when the configuration no longer admits what is stored,', () => {
  const changed = contextOf(
    cluster(
      team('team-a', { namespaces: { names: ['elsewhere'], default: true } }),
      team('team-b', { namespaces: { names: ['elsewhere'] } }),
    ),
  )
  const stored = shut(ingress())

  test.each<[string, KubeObject]>([
    ['nothing', stored],
    ['an annotation that no gateway reads', annotated(stored, { 'example.com/note': 'new' })],
    ['a label that is not ours', labelled(stored, { tier: 'web' })],
    ['a finalizer', { ...stored, metadata: { ...stored.metadata, finalizers: ['example.com/hold'] } }],
    ['its status', { ...stored, status: { loadBalancer: {} } }],
  ])('an update of %s is let through and changes nothing of ours', (_, object) => {
    expect(ask('mutate', update(stored, object), changed).patch).toEqual([])
    expect(ask('validate', update(stored, object), changed).allowed).toBe(true)
  })

  test.each<[string, KubeObject]>([
    ['its rules', { ...stored, spec: { ...(stored.spec as object), rules: [] } }],
    ['our labels', labelled(stored, { 'auth.example/client': 'api' })],
    [
      'an annotation that the gateway reads',
      annotated(stored, { 'nginx.ingress.kubernetes.io/proxy-body-size': '8m' }),
    ],
    ['the login', annotated(stored, { [AUTH_URL]: 'https://evil.example.com/' })],
    ['the record', annotated(stored, { [INJECTED]: null })],
    ['its class', annotated(stored, { 'kubernetes.io/ingress.class': 'nginx' })],
  ])('an update of %s is refused', (_, object) => {
    expect(ask('mutate', update(stored, object), changed).patch).toEqual([])
    expect(ask('validate', update(stored, object), changed)).toMatchObject({ allowed: false, code: 403 })
  })

  test('its owner can still take the label off, and gets the route back', () => {
    const open = labelled(stored, { [PROTECT]: null })
    const { patch } = ask('mutate', update(stored, open), changed)
    const released = applied(open, patch)
    expect(released.metadata.annotations).toBeUndefined()
    expect(ask('validate', update(stored, released), changed).allowed).toBe(true)
  })
})

describe('the status of a route', () => {
  const stored = shut(ingress())

  test('can be written', () => {
    const object = { ...stored, status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } }
    expect(ask('validate', update(stored, object, { subResource: 'status' }), context).allowed).toBe(true)
  })

  test.each<[string, KubeObject]>([
    ['the label', labelled(stored, { [PROTECT]: null })],
    ['another label of ours', labelled(stored, { 'auth.example/client': 'api' })],
    ['the login', annotated(stored, { [AUTH_URL]: null })],
    ['the record', annotated(stored, { [INJECTED]: null })],
    ['label and login together, as released', labelled(ingress(), { [PROTECT]: null })],
  ])('is not a way to change %s', (_, object) => {
    const call = update(stored, object, { subResource: 'status' })
    expect(ask('mutate', call, context).patch).toEqual([])
    const answer = ask('validate', call, context)
    expect(answer).toMatchObject({ allowed: false, code: 403, details: { causes: [{ reason: 'status-changes' }] } })
  })
})

describe('the log', () => {
  const cookie = 'session=very-secret'
  const calls: [Entry, KubeObject][] = [
    [
      'mutate',
      ingress({
        annotations: { note: cookie, 'nginx.ingress.kubernetes.io/auth-url': `https://x/?${'token=very-secret'}` },
      }),
    ],
    ['validate', ingress({ annotations: { 'nginx.ingress.kubernetes.io/auth-always-set-cookie': cookie } })],
    ['validate', shut(ingress({ annotations: { note: cookie } }))],
    ['mutate', labelled(ingress({ annotations: { note: cookie } }), { [PROTECT]: null })],
    ['validate', ingress({ labels: { [PROTECT]: 'very-secret' } })],
  ]

  test.each(
    calls,
  )('has one line for an admission, with known fields and nothing of the object: %s', (entry, object) => {
    const logged = contextOf(facts)
    ask(entry, { object }, logged)
    expect(logged.lines).toHaveLength(1)
    const { level, fields } = logged.lines[0]!
    expect(level).toBe('info')
    expect(Object.keys(fields).sort()).toEqual([
      'codes',
      'dryRun',
      'entry',
      'ms',
      'operation',
      'outcome',
      'ref',
      'team',
      'uid',
    ])
    expect(JSON.stringify(fields)).not.toContain('very-secret')
  })

  test('names a code once, however often it was met', () => {
    const logged = contextOf(facts)
    const rules = [{ host: 'a.elsewhere.org' }, { host: 'b.elsewhere.org' }]
    ask('validate', { object: ingress({}, { rules }) }, logged)
    expect(logged.lines[0]!.fields.codes).toEqual(['host-of-others'])
  })

  test('names the outcome, the codes and the team', () => {
    const logged = contextOf(facts)
    ask('mutate', { object: ingress() }, logged)
    ask('validate', { object: ingress({}, { ingressClassName: 'gone' }) }, logged)
    expect(logged.lines.map(line => line.fields)).toMatchObject([
      {
        entry: 'mutate',
        uid: UID,
        ref: 'Ingress/apps/app',
        operation: 'CREATE',
        outcome: 'protect',
        codes: [],
        team: 'team-a',
        dryRun: false,
      },
      { entry: 'validate', outcome: 'deny', codes: ['class-unknown'], team: undefined },
    ])
  })
})

describe('every answer', () => {
  test('has the decision and the team for the audit log', () => {
    expect(ask('mutate', { object: ingress() }, context).auditAnnotations).toEqual({
      decision: 'protect',
      team: 'team-a',
    })
    expect(ask('validate', { object: ingress() }, context).auditAnnotations).toEqual({
      decision: 'later',
      team: 'team-a',
      codes: 'injection-missing',
    })
    expect(ask('validate', { object: labelled(ingress(), { [PROTECT]: null }) }, context).auditAnnotations).toEqual({
      decision: 'skip',
      codes: 'not-labelled',
    })
  })

  test('warns of what is admitted and should be known', () => {
    const object = annotated(ingress(), { 'nginx.ingress.kubernetes.io/satisfy': 'any' })
    const { patch, warnings } = ask('mutate', { object }, context)
    expect(warnings.join()).toContain('[annotation-set-aside]')
    expect(ask('validate', { object: applied(object, patch) }, context).warnings).toEqual(warnings)
  })

  test('may be longer than a line only for a snippet', () => {
    const open = cluster(gateway('other', 'envoy', [listener()]))
    const object = httpRoute({}, { parentRefs: [parent('other')] })
    const { message = '', code } = ask('validate', { object }, contextOf(open))
    expect(code).toBe(403)
    expect(message.length).toBeGreaterThan(256)
    expect(message).toContain('"kind":"ClientTrafficPolicy"')
  })

  test('comes from the store that is there now', () => {
    const store = cluster()
    const object = ingress({}, { ingressClassName: 'late' })
    expect(ask('validate', { object }, contextOf(store)).code).toBe(403)
    store.put(ingressClass('late', NGINX))
    expect(ask('validate', { object }, contextOf(store)).code).toBe(429)
  })
})
