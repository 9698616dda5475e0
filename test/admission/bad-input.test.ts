import { describe, expect, test } from '@jest/globals'
import { admit, type Entry } from '../../src/admission/admit.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { cluster, httpRoute, ingress, ingressClass, NGINX, parent, TRAEFIK_INGRESS, team } from '../facts/cluster.ts'
import { annotated, applied } from '../property/apply.ts'
import { ask, bytesOf, type Call, checked, contextOf, reviewOf } from './reviews.ts'

const facts = cluster()
const context = contextOf(facts)
const entries: Entry[] = ['mutate', 'validate']

describe.each(entries)('%s answers 400, and one line that says what is wrong, to', entry => {
  const review = reviewOf({ object: ingress() }) as { request: object }
  test.each([
    ['nothing', Buffer.alloc(0)],
    ['what is not JSON', Buffer.from('apiVersion: admission.k8s.io/v1')],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00])],
    ['null', bytesOf(null)],
    ['a list', bytesOf([])],
    ['a text', bytesOf('AdmissionReview')],
    ['another kind', bytesOf(ingress())],
    ['a review of v1beta1', bytesOf({ ...review, apiVersion: 'admission.k8s.io/v1beta1' })],
    ['a review without a version', bytesOf({ ...review, apiVersion: undefined })],
    ['a review without a request', bytesOf({ ...review, request: null })],
    ['a request without a uid', bytesOf({ ...review, request: { ...review.request, uid: undefined } })],
    ['a uid that is empty', bytesOf({ ...review, request: { ...review.request, uid: '' } })],
    ['a uid that is no text', bytesOf({ ...review, request: { ...review.request, uid: 7 } })],
  ])('%s', (_, body) => {
    const answer = admit(entry, body, context)
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.body).error).toMatch(/^[ -~]{10,256}$/)
  })
})

test('aliases that are hosts of the team are admitted', () => {
  const annotations = { 'nginx.ingress.kubernetes.io/server-alias': 'x.a.example.com, *.y.a.example.com' }
  expect(ask('mutate', { object: ingress({ annotations }) }, context).patch).not.toEqual([])
})

describe.each(entries)('%s lets pass, with a valid answer,', entry => {
  test.each<[string, object]>([
    ['a DELETE', { operation: 'DELETE', object: null, oldObject: ingress() }],
    ['a CREATE of nothing', { object: null }],
    ['a CONNECT', { operation: 'CONNECT', object: ingress() }],
    ['an object without a kind', { object: { metadata: {} } }],
    ['an object that is a list', { object: [] }],
    ['a route without metadata', { object: { ...ingress(), metadata: null } }],
    ['a route without a map of labels', { object: ingress({ labels: undefined }) }],
    ['labels that are no map', { object: ingress({ labels: ['auth.example/protect'] }) }],
    ['a label that is no text', { object: ingress({ labels: { 'auth.example/protect': true } }) }],
    ['a route that says "false"', { object: ingress({ labels: { 'auth.example/protect': 'false' } }) }],
    ['another kind without the label', { object: { apiVersion: 'v1', kind: 'Service', metadata: { name: 'x' } } }],
  ])('%s', (_, call) => {
    expect(ask(entry, call as Call, context)).toMatchObject({ allowed: true, patch: [] })
  })
})

test('the uid is echoed, whatever text it is', () => {
  const uid = '</script> "\n\u202e'
  for (const entry of entries) {
    const { body } = admit(entry, bytesOf(reviewOf({ object: ingress(), uid })), context)
    expect(checked(entry, body, uid).allowed).toBe(entry === 'mutate')
  }
})

describe('a route without a name', () => {
  test.each([
    ['Ingress', ingress({ name: undefined, generateName: 'app-' })],
    ['HTTPRoute', httpRoute({ name: undefined, generateName: 'app-' })],
  ])('that Kubernetes will make up is protected like any other: %s', (_, object) => {
    const { patch } = ask('mutate', { object, name: '' }, context)
    expect(patch).not.toHaveLength(0)
    expect(ask('validate', { object: applied(object, patch), name: '' }, context).allowed).toBe(true)
  })
})

test('a route that does not say its namespace is judged in that of the request', () => {
  const object = ingress({ namespace: undefined })
  expect(ask('mutate', { object }, context).auditAnnotations).toMatchObject({ decision: 'protect', team: 'team-a' })
  expect(ask('mutate', { object, namespace: 'elsewhere' }, context).auditAnnotations).toMatchObject({
    decision: 'deny',
  })
})

/** What validate says of a route that mutate has seen; mutate leaves alone what is refused. */
function refusal(object: KubeObject, store = facts): { code: unknown; causes: unknown; message: string } {
  const { patch } = ask('mutate', { object }, contextOf(store))
  expect(patch).toEqual([])
  const { allowed, code, message = '', details } = ask('validate', { object }, contextOf(store))
  expect(allowed).toBe(false)
  return { code, causes: details?.causes?.map(each => each.reason).join(' '), message }
}

describe('refused with 403, the code and what to do:', () => {
  const says = (value: string, more = {}) => ingress({ labels: { 'auth.example/protect': value, ...more } })
  const nginx = (annotations: Record<string, string>) =>
    ingress({
      annotations: Object.fromEntries(
        Object.entries(annotations).map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value]),
      ),
    })

  test.each<[string, KubeObject, string]>([
    ['TRUE', says('TRUE'), 'label-value'],
    ['a value with spaces', says(' true '), 'label-value'],
    ['a value with a line break', says('true\n'), 'label-value'],
    ['a team that is not there', says('nobody'), 'team-unknown'],
    ['a team of other namespaces', says('team-c'), 'team-elsewhere'],
    ['a level that is not there', says('true', { 'auth.example/access': 'gods' }), 'access-unknown'],
    ['a client that is none', says('true', { 'auth.example/client': 'curl' }), 'client-unknown'],
    ['no class and no default', ingress({}, { ingressClassName: undefined }), 'class-missing'],
    ['a class that is not there', ingress({}, { ingressClassName: 'gone' }), 'class-unknown'],
    ['a controller of others', ingress({}, { ingressClassName: 'other' }), 'controller-unknown'],
    ['no parents', httpRoute({}, { parentRefs: [] }), 'parents-missing'],
    ['a parent that is not there', httpRoute({}, { parentRefs: [parent('gone')] }), 'gateway-unknown'],
    ['parents of two gateways', httpRoute({}, { parentRefs: [parent('traefik'), parent('envoy')] }), 'gateways-differ'],
    ['a Service as parent', httpRoute({}, { parentRefs: [{ group: '', kind: 'Service', name: 'x' }] }), 'parent-kind'],
    ['no rules', ingress({}, { rules: undefined }), 'host-missing'],
    [
      'a default backend',
      ingress({}, { defaultBackend: { service: { name: 'x', port: { number: 1 } } } }),
      'default-backend',
    ],
    ['a value over which the login is dropped', nginx({ 'auth-always-set-cookie': 'maybe' }), 'annotation-value'],
    ['the redirect that does the same', nginx({ 'auth-request-redirect': '$host' }), 'annotation-value'],
    ['the cache that does the same', nginx({ 'auth-cache-duration': '200;300' }), 'annotation-value'],
    ['a snippet', nginx({ 'configuration-snippet': 'satisfy any; allow all;' }), 'annotation-opens'],
    ['an alias of others', nginx({ 'server-alias': 'x.a.example.com,elsewhere.org' }), 'alias-of-others'],
    ['an alias that is an expression', nginx({ 'server-alias': '~o|x.a.example.com' }), 'alias-of-others'],
    ['our labels on a companion', says('true', { 'app.kubernetes.io/managed-by': 'portcullis' }), 'companion-labelled'],
    ['our labels on a challenge', says('true', { 'acme.cert-manager.io/http01-solver': 'true' }), 'solver-labelled'],
  ])('%s', (_, object, causes) => {
    expect(refusal(object)).toMatchObject({ code: 403, causes })
  })

  test('two default teams', () => {
    const both = { namespaces: { names: ['apps'], default: true } }
    expect(refusal(ingress(), cluster(team('team-b', both)))).toMatchObject({ code: 403, causes: 'team-defaults' })
  })

  test('two default classes', () => {
    const store = cluster(ingressClass('nginx', NGINX, true), ingressClass('traefik', TRAEFIK_INGRESS, true))
    const object = ingress({}, { ingressClassName: undefined })
    expect(refusal(object, store)).toMatchObject({ code: 403, causes: 'class-ambiguous' })
  })

  test('the label on a kind of route where it does nothing, with nothing mutated', () => {
    for (const [apiVersion, kind] of [
      ['gateway.networking.k8s.io/v1', 'GRPCRoute'],
      ['traefik.io/v1alpha1', 'IngressRoute'],
      ['extensions/v1beta1', 'Ingress'],
    ] as const) {
      expect(refusal({ ...ingress(), apiVersion, kind })).toMatchObject({ code: 403, causes: 'route-kind' })
    }
  })

  test('several things at once, each told', () => {
    const object = ingress(
      { labels: { 'auth.example/protect': 'nobody', 'auth.example/client': 'curl' } },
      { ingressClassName: 'gone' },
    )
    const { causes, message } = refusal(object)
    expect(causes).toBe('team-unknown client-unknown class-unknown')
    expect(message.split(' | ')).toHaveLength(3)
  })
})

describe('annotations at the size limit', () => {
  const filled = (bytes: number) =>
    annotated(ingress(), { 'example.com/big': 'x'.repeat(bytes - 'example.com/big'.length) })

  test('are refused where the record would not fit beside them', () => {
    expect(refusal(filled(256 * 1024 - 100))).toMatchObject({ code: 403, causes: 'annotations-too-large' })
  })

  test('are admitted where it fits', () => {
    const object = filled(256 * 1024 - 3000)
    const { patch } = ask('mutate', { object }, context)
    expect(ask('validate', { object: applied(object, patch) }, context).allowed).toBe(true)
  })

  test('and moved into the record come back out of it', () => {
    const object = annotated(ingress(), { 'nginx.ingress.kubernetes.io/auth-new': 'x'.repeat(200 * 1024) })
    const shut = applied(object, ask('mutate', { object }, context).patch)
    expect(ask('validate', { object: shut }, context).allowed).toBe(true)
    const { 'auth.example/protect': _, ...labels } = shut.metadata.labels as Record<string, string>
    const open = { ...shut, metadata: { ...shut.metadata, labels } }
    const { patch } = ask('mutate', { object: open, oldObject: shut, operation: 'UPDATE' }, context)
    expect(applied(open, patch).metadata.annotations).toEqual(object.metadata.annotations)
  })
})

test('a team that is refused for a host says which hosts it has, in the words of an administrator', () => {
  const { message } = refusal(ingress({}, { rules: [{ host: 'app.elsewhere.org' }] }))
  expect(message).toContain('app.elsewhere.org')
  expect(message).toContain('*.a.example.com')
})

test('thousands of wrong hosts make a message of a few lines', () => {
  const rules = Array.from({ length: 2000 }, (_, index) => ({ host: `app-${index}.elsewhere.org` }))
  const { message, causes } = refusal(ingress({}, { rules }))
  expect(message.length).toBeLessThan(2100)
  expect(message).toMatch(/\(and 1992 more\)$/)
  expect(causes).toBe(Array(8).fill('host-of-others').join(' '))
})
