// The label on a real API server with no pod of ours: what the webhook's configuration refuses, what the policy does.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { array, type JsonObject, object } from '../../src/core/json.ts'
import { INJECTED, PROTECT } from '../../src/core/keys.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { MANIFESTS } from '../manifests/documents.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { describeWithParts } from '../parts/require.ts'
import { type Api, connect, pathOf, serviceAccount, until } from './api.ts'
import { gatewayDefinitions } from './gateway-definitions.ts'
import { succeeds } from './objects.ts'
import { ingress, namespace, protectedRoutes } from './policy-objects.ts'

const NAMESPACE_CONTROLLER = serviceAccount('kube-system', 'namespace-controller')
const CONFIGURATION = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/portcullis'
const MIDDLEWARES = 'traefik.ingress.kubernetes.io/router.middlewares'
const AUTH_URL = 'nginx.ingress.kubernetes.io/auth-url'

const EXISTS = { key: PROTECT, operator: 'Exists' }

const NOT_INJECTED = {
  status: 403,
  message: expect.stringContaining('has the label auth.example/protect but not the protection'),
}
const NO_ANSWER = { status: 500, message: expect.stringContaining('failed calling webhook') }
const MISSING = {
  status: 422,
  message: expect.stringContaining("'validatingwebhookconfiguration-portcullis-is-missing'"),
}

describeWithParts('the label', [...controlPlaneParts, 'envoy-gateway-crds', 'traefik-crds'], () => {
  let controlPlane: ControlPlane
  let api: Api
  let routes: readonly KubeObject[]
  /** Entries as the manifests have them, with the defaults of the API server. */
  let shipped: readonly JsonObject[]

  const labelled = (name: string, value = 'true') => ingress(name, { namespace: 'apps', labels: { [PROTECT]: value } })
  const dryRun = (route: KubeObject) => api.create(route, undefined, '?dryRun=All')
  const annotated = (route: KubeObject, changes: Readonly<Record<string, string | undefined>>): KubeObject => {
    // A key without a value is not sent.
    const annotations = { ...object(route.metadata.annotations), ...changes }
    return { ...route, metadata: { ...route.metadata, annotations } }
  }
  /** The configuration with its entries changed; `undefined` takes one out. */
  const configure = async (change: (entry: JsonObject) => JsonObject | undefined) => {
    const { body } = await api.send('GET', CONFIGURATION)
    const webhooks = array(body.webhooks).flatMap(each => change(object(each)) ?? [])
    expect(await api.send('PUT', CONFIGURATION, { ...body, webhooks })).toMatchObject({ status: 200 })
  }
  const asShipped = () => succeeds(controlPlane, ['apply', '-k', MANIFESTS])
  const answers = (what: string, expected: object) =>
    until(what, async () => {
      const reply = await dryRun(labelled('probe'))
      return Object.entries(expected).every(([key, value]) => reply[key as 'status'] === value)
    })

  beforeAll(async () => {
    controlPlane = await startControlPlane({ dir: mkdtempSync(join(tmpdir(), 'portcullis-')) })
    await controlPlane.applyCrds(...gatewayDefinitions())
    await asShipped()
    api = connect(controlPlane)
    await api.create(namespace('apps'))
    routes = await protectedRoutes('apps')
    shipped = array((await api.send('GET', CONFIGURATION)).body.webhooks).map(object)
    await answers('the webhook is asked', { status: 500 })
  }, 180_000)

  afterAll(async () => {
    api?.close()
    await controlPlane?.stop()
  })

  describe('while the webhook is configured as shipped, and away', () => {
    test('is refused by its entry, which alone knows why', async () => {
      expect(await dryRun(labelled('a'))).toMatchObject(NO_ANSWER)
      expect((await dryRun(labelled('a'))).message).toContain('validate.auth.example')
    })

    test('is in nobody’s way who does not have it, or says that it is open', async () => {
      expect(await dryRun(ingress('a', { namespace: 'apps' }))).toMatchObject({ status: 201 })
    })
  })

  describe('while the webhook may be left out', () => {
    beforeAll(async () => {
      await configure(entry => ({ ...entry, failurePolicy: 'Ignore' }))
      await answers('the policy decides', { status: 403 })
    })

    test('is refused on a route without protection, made or changed', async () => {
      expect(await dryRun(labelled('a'))).toMatchObject(NOT_INJECTED)
      expect(await dryRun(labelled('a', 'team-a'))).toMatchObject(NOT_INJECTED)
      const open = ingress('open', { namespace: 'apps' })
      expect(await api.create(open)).toMatchObject({ status: 201 })
      expect(await api.patch(open, { metadata: { labels: { [PROTECT]: '' } } })).toMatchObject(NOT_INJECTED)
    })

    test('is let through with the protection of each gateway, and with "false"', async () => {
      expect(routes.length).toBeGreaterThan(3)
      for (const route of routes) expect(await api.create(route)).toMatchObject({ status: 201 })
      expect(await dryRun(labelled('a', 'false'))).toMatchObject({ status: 201 })
    })

    test('is refused without the record', async () => {
      for (const route of routes)
        expect(await dryRun(annotated(route, { [INJECTED]: undefined }))).toMatchObject(NOT_INJECTED)
    })

    test.each([
      ['an empty address', AUTH_URL, ''],
      ['no address', AUTH_URL, undefined],
      ['an address of another kind', AUTH_URL, 'x'],
      ['nothing in the list', MIDDLEWARES, ''],
      ['somebody else first in the list', MIDDLEWARES, 'a-b@kubernetescrd,portcullis-m0123456789abcdef@kubernetescrd'],
    ])('is refused on an Ingress with %s', async (_, key, value) => {
      const route = routes.find(each => object(each.metadata.annotations)[key] !== undefined) as KubeObject
      expect(await dryRun(annotated(route, { [key]: value }))).toMatchObject(NOT_INJECTED)
    })

    test('is let through where the owner’s own Middlewares follow', async () => {
      const route = routes.find(each => object(each.metadata.annotations)[MIDDLEWARES] !== undefined) as KubeObject
      const ours = String(object(route.metadata.annotations)[MIDDLEWARES]).split(',')[0]
      const more = annotated(route, { [MIDDLEWARES]: `${ours} , a-b@kubernetescrd` })
      expect(await dryRun({ ...more, metadata: { ...more.metadata, name: 'more' } })).toMatchObject({ status: 201 })
    })

    test('is refused on an HTTPRoute of which one rule has no filter first', async () => {
      const route = routes.find(each => JSON.stringify(each.spec).includes('extensionRef')) as KubeObject
      const [rule] = array(object(route.spec).rules).map(object)
      const rules = [
        rule,
        { ...rule, filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['a'] } }] },
      ]
      const changed = { ...route, metadata: { ...route.metadata, name: 'b' }, spec: { ...object(route.spec), rules } }
      expect(await dryRun(changed)).toMatchObject(NOT_INJECTED)
      const both = { ...changed, spec: { ...object(route.spec), rules: [rule, rule] } }
      expect(await dryRun(both)).toMatchObject({ status: 201 })
    })

    test('holds the protection fast until it goes', async () => {
      const [route] = routes.filter(each => object(each.metadata.annotations)[AUTH_URL] !== undefined) as [KubeObject]
      const stripped = { [AUTH_URL]: null }
      expect(await api.patch(route, { metadata: { annotations: stripped } })).toMatchObject(NOT_INJECTED)
      const status = { metadata: { labels: { [PROTECT]: null }, annotations: stripped } }
      const says = expect.stringContaining('a write to the status may not change labels')
      expect(await api.patch(route, status, undefined, '/status')).toMatchObject({ status: 403, message: says })
      const released = { labels: { [PROTECT]: null }, annotations: { ...stripped, [INJECTED]: null } }
      expect(await api.send('PATCH', `${pathOf(route)}?dryRun=All`, { metadata: released })).toMatchObject({
        status: 200,
      })
    })

    test('leaves the status, finalizers and other annotations to be written', async () => {
      const [route] = routes.filter(each => each.kind === 'Ingress') as [KubeObject]
      const status = { status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } }
      expect(await api.patch(route, status, undefined, '/status')).toMatchObject({ status: 200 })
      const change = { metadata: { finalizers: ['example.com/a'], annotations: { a: 'b' } } }
      expect(await api.patch(route, change)).toMatchObject({ status: 200 })
      expect(await api.patch(route, { metadata: { finalizers: null } })).toMatchObject({ status: 200 })
    })
  })

  test('is refused where the entry of the webhook was taken out', async () => {
    await configure(entry => (entry.name === 'validate.auth.example' ? undefined : { ...entry, failurePolicy: 'Fail' }))
    await answers('the policy decides', { status: 403 })
    expect(await dryRun(labelled('a'))).toMatchObject(NOT_INJECTED)
  }, 30_000)

  test.each([
    ['namespaces', { namespaceSelector: { matchLabels: { team: 'a' } } }],
    ['routes by another label', { objectSelector: { matchLabels: { team: 'a' } } }],
    ['routes by more than the label', { objectSelector: { matchExpressions: [EXISTS, { ...EXISTS, key: 'team' }] } }],
    ['requests by a condition', { matchConditions: [{ name: 'more', expression: 'false' }] }],
  ])(
    'is refused where the entry of the webhook is asked about fewer %s',
    async (_, fewer) => {
      const narrowed = shipped.map(each => (each.name === 'validate.auth.example' ? { ...each, ...fewer } : each))
      const { body } = await api.send('GET', CONFIGURATION)
      expect(await api.send('PUT', CONFIGURATION, { ...body, webhooks: narrowed })).toMatchObject({ status: 200 })
      await answers('the policy decides', { status: 403 })
      expect(await dryRun(labelled('a'))).toMatchObject(NOT_INJECTED)
    },
    30_000,
  )

  describe('while the configuration of the webhook is gone', () => {
    beforeAll(async () => {
      expect(await api.send('DELETE', CONFIGURATION)).toMatchObject({ status: 200 })
      await answers('the policy decides', { status: 422 })
    })

    test('is on no new route, and the binding says by its name what is missing', async () => {
      const [first] = routes as [KubeObject]
      const route = { ...first, metadata: { ...first.metadata, name: 'new' } }
      for (const each of [labelled('a'), route]) expect(await dryRun(each)).toMatchObject(MISSING)
      expect(await dryRun(labelled('a', 'false'))).toMatchObject({ status: 201 })
      expect(await dryRun(ingress('a', { namespace: 'apps' }))).toMatchObject({ status: 201 })
    })

    test('is in the way of no finalizer', async () => {
      const [route] = routes as [KubeObject]
      for (const finalizers of [['example.com/a'], null])
        expect(await api.patch(route, { metadata: { finalizers } })).toMatchObject({ status: 200 })
    })
  })

  describe('while the configuration is as shipped, and nobody answers', () => {
    const failedOpen = async (name: string) => {
      const { text } = await api.read('/metrics')
      const lines = text.split('\n').filter(each => each.startsWith('apiserver_admission_webhook_fail_open_count'))
      return Number(
        lines
          .find(each => each.includes(`"${name}"`))
          ?.split(' ')
          .at(-1) ?? 0,
      )
    }
    const inNamespace = async (name: string, labels: object) => {
      expect(await api.create(namespace(name, labels))).toMatchObject({ status: 201 })
      return dryRun(ingress('a', { namespace: name }))
    }

    beforeAll(async () => {
      await asShipped()
      await answers('the webhook is asked', { status: 500 })
    })

    test('is not asked about for finalizers and an ordinary status, but for what a status write takes off', async () => {
      const [route] = routes.filter(each => each.kind === 'Ingress') as [KubeObject]
      for (const finalizers of [['example.com/a'], null])
        expect(await api.patch(route, { metadata: { finalizers } })).toMatchObject({ status: 200 })
      const status = { status: { loadBalancer: { ingress: [{ ip: '192.0.2.2' }] } } }
      expect(await api.patch(route, status, undefined, '/status')).toMatchObject({ status: 200 })
      for (const metadata of [{ labels: { [PROTECT]: null } }, { annotations: { [INJECTED]: null } }])
        expect(await api.patch(route, { metadata }, undefined, '/status')).toMatchObject(NO_ANSWER)
      expect(await api.patch(route, { metadata: { annotations: { a: 'c' } } })).toMatchObject(NO_ANSWER)
      expect(await api.patch(route, { spec: { ingressClassName: 'other' } })).toMatchObject(NO_ANSWER)
    })

    test('is asked about on an object however large', async () => {
      const large = ingress('large', { namespace: 'apps' })
      const annotations = { a: 'x'.repeat(200_000) }
      const rules = Array.from({ length: 400 }, (_, i) => ({ host: `h${i}.example.org` }))
      const route = { ...large, metadata: { ...large.metadata, annotations }, spec: { rules } }
      expect(await api.create(route)).toMatchObject({ status: 201 })
      expect(await api.patch(route, { metadata: { labels: { [PROTECT]: 'true' } } })).toMatchObject(NO_ANSWER)
      expect(await api.remove(route)).toMatchObject({ status: 200 })
    })

    test('is demanded where a namespace requires it or gives it, and wanted where it says so', async () => {
      expect(await inNamespace('strict', { 'auth.example/require': 'enforce' })).toMatchObject(NO_ANSWER)
      expect(await inNamespace('unknown', { 'auth.example/require': 'please' })).toMatchObject(NO_ANSWER)
      expect(await inNamespace('given', { [PROTECT]: 'team-a' })).toMatchObject(NO_ANSWER)
      const before = await failedOpen('wanted.auth.example')
      expect(await inNamespace('mild', { 'auth.example/require': 'warn', [PROTECT]: 'true' })).toMatchObject({
        status: 201,
      })
      expect(await failedOpen('wanted.auth.example')).toBe(before + 1)
      expect(await inNamespace('open', { [PROTECT]: 'false' })).toMatchObject({ status: 201 })
    })

    test('is looked into on a namespace only when it changes there', async () => {
      const change = (labels: object) => api.patch(namespace('mild'), { metadata: { labels } })
      const before = await failedOpen('namespaces.auth.example')
      expect(await change({ another: 'label' })).toMatchObject({ status: 200 })
      expect(await failedOpen('namespaces.auth.example')).toBe(before)
      for (const [i, labels] of [
        { 'auth.example/require': 'audit' },
        { [PROTECT]: null },
        { [PROTECT]: '' },
      ].entries()) {
        expect(await change(labels)).toMatchObject({ status: 200 })
        expect(await failedOpen('namespaces.auth.example')).toBe(before + i + 1)
      }
    })

    test('is on no route of another kind, and no team changes', async () => {
      const spec = { parentRefs: [{ name: 'a' }], rules: [{ backendRefs: [{ name: 'a', port: 80 }] }] }
      const metadata = { name: 'a', namespace: 'apps', labels: { [PROTECT]: 'false' } }
      const apiVersion = 'gateway.networking.k8s.io/v1'
      expect(await dryRun({ apiVersion, kind: 'GRPCRoute', metadata, spec })).toMatchObject(NO_ANSWER)
      const route = { entryPoints: ['web'], routes: [{ kind: 'Rule', match: 'Host(`a`)' }] }
      const traefik = { apiVersion: 'traefik.io/v1alpha1', kind: 'IngressRoute' }
      expect(await dryRun({ ...traefik, metadata, spec: route })).toMatchObject(NO_ANSWER)
      const proxy = { service: { namespace: 'a', name: 'a' }, cookieDomains: ['a.example.com'] }
      const team = { namespaces: { names: ['a'] }, proxy }
      const ours = { apiVersion: 'auth.example/v1alpha1', kind: 'AuthTeam' }
      expect(await dryRun({ ...ours, metadata: { name: 'a' }, spec: team })).toMatchObject(NO_ANSWER)
    })
  })

  test('keeps no namespace from going while all of ours is down', async () => {
    const [route] = routes as [KubeObject]
    const held = { metadata: { finalizers: ['example.com/balancer'] } }
    expect(await api.patch(route, held)).toMatchObject({ status: 200 })
    // The strictest that a namespace can be.
    const labels = { [PROTECT]: 'true', 'auth.example/require': 'enforce' }
    expect(await api.patch(namespace('apps'), { metadata: { labels } })).toMatchObject({ status: 200 })
    expect(await api.remove(namespace('apps'))).toMatchObject({ status: 200 })
    for (const each of routes) expect(await api.remove(each, NAMESPACE_CONTROLLER)).toMatchObject({ status: 200 })
    expect((await api.send('GET', pathOf(route))).body.metadata).toHaveProperty('deletionTimestamp')
    expect(await api.patch(route, { metadata: { finalizers: null } })).toMatchObject({ status: 200, message: '' })
    expect(await api.send('GET', pathOf(route))).toMatchObject({ status: 404 })
  }, 60_000)
})
