// Other mutating webhooks before and behind Portcullis: what is stored with the label is protected, or it is not stored.
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { array, object } from '../../src/core/json.ts'
import { INJECTED, PROTECT } from '../../src/core/keys.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { describeWithParts } from '../parts/require.ts'
import { pathOf, until } from './api.ts'
import { NGINX, team } from './cluster-objects.ts'
import { companionsOf } from './companions-of.ts'
import { type InstalledCluster, installedParts, startInstalled } from './installed-cluster.ts'
import { type Edit, type Neighbours, startNeighbours } from './neighbour.ts'
import { applied, inYaml } from './objects.ts'
import { httpRoute, ingress, namespace } from './policy-objects.ts'
import { TRAEFIK } from './traefik-objects.ts'

const AUTH_URL = 'nginx.ingress.kubernetes.io/auth-url'
const SATISFY = 'nginx.ingress.kubernetes.io/satisfy'
const MIDDLEWARES = 'traefik.ingress.kubernetes.io/router.middlewares'
const FOREIGN = { type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['x-any'] } }
const CACHE = 'shops-cache@kubernetescrd'

type RouteName = 'nginx' | 'traefik' | 'gateway'

function routeOf(of: RouteName, labels: object = { [PROTECT]: 'true' }): KubeObject {
  const at = { namespace: 'shops', labels, hosts: [`${of}.team-a.example.com`] }
  if (of !== 'gateway') {
    const made = ingress(of, at)
    return { ...made, spec: { ...object(made.spec), ingressClassName: of } }
  }
  const made = httpRoute(of, at)
  return { ...made, spec: { ...object(made.spec), parentRefs: [{ name: 'traefik', namespace: 'gateways' }] } }
}

const annotated =
  (changes: Readonly<Record<string, string | undefined>>): Edit =>
  route => ({
    ...route,
    metadata: { ...route.metadata, annotations: { ...object(route.metadata.annotations), ...changes } },
  })
const filtered =
  (change: (filters: readonly unknown[]) => readonly unknown[]): Edit =>
  route => {
    const spec = object(route.spec)
    const rules = array(spec.rules).map(each => ({ ...object(each), filters: change(array(object(each).filters)) }))
    return { ...route, spec: { ...spec, rules } }
  }
const listed =
  (change: (list: readonly string[]) => readonly string[]): Edit =>
  route => {
    const list = object(route.metadata.annotations)[MIDDLEWARES]
    return annotated({ [MIDDLEWARES]: change(typeof list === 'string' ? list.split(',') : []).join(',') })(route)
  }
const isOurs = (filter: unknown) => object(filter).type === 'ExtensionRef'
const unlabelled: Edit = route => ({
  ...route,
  metadata: { ...route.metadata, labels: { ...object(route.metadata.labels), [PROTECT]: undefined } },
})
const labelled: Edit = route => ({
  ...route,
  metadata: { ...route.metadata, labels: { ...object(route.metadata.labels), [PROTECT]: 'true' } },
})
const stripped: Edit = ({ metadata: { annotations: _, ...metadata }, ...route }) =>
  ({ ...route, metadata }) as KubeObject

const TEAM: KubeObject = (() => {
  const made = team('team-a', 'shops')
  return { ...made, spec: { ...object(made.spec), namespaces: { names: ['shops', 'given'], default: true } } }
})()
const given: KubeObject = {
  ...routeOf('nginx', {}),
  metadata: { name: 'given', namespace: 'given' },
}

/** What a neighbour does to which route, and what is altered by it. */
const EDITS: readonly (readonly [title: string, of: RouteName, edit: Edit, what: string])[] = [
  ['takes the address of the login out', 'nginx', annotated({ [AUTH_URL]: undefined }), AUTH_URL],
  ['writes another address of a login', 'nginx', annotated({ [AUTH_URL]: 'http://yes.example.org' }), AUTH_URL],
  ['lets any one of two conditions do', 'nginx', annotated({ [SATISFY]: 'any' }), SATISFY],
  [
    'puts a Middleware before ours',
    'traefik',
    listed(list => [CACHE, ...list.filter(each => each !== CACHE)]),
    MIDDLEWARES,
  ],
  ['turns the list of Middlewares round', 'traefik', listed(list => ['a@file', ...list].reverse()), MIDDLEWARES],
  ['empties the list of Middlewares', 'traefik', listed(() => []), MIDDLEWARES],
  ['puts a filter before ours', 'gateway', filtered(filters => [FOREIGN, ...filters.filter(isOurs)]), 'filters'],
  ['takes all filters out', 'gateway', filtered(() => []), 'filters'],
]

const NAMES: readonly RouteName[] = ['nginx', 'traefik', 'gateway']
/** Called before Portcullis or behind it, once or again after somebody else's change. */
const [BEFORE, BEFORE_AGAIN, BEHIND, BEHIND_AGAIN] = ['aaa-once', 'aaa-again', 'zzz-once', 'zzz-again'] as const
const NEIGHBOURS = [BEFORE, BEFORE_AGAIN, BEHIND, BEHIND_AGAIN]

describeWithParts('beside other webhooks', installedParts, () => {
  let cluster: InstalledCluster
  let neighbours: Neighbours
  /** What protects a route, when no neighbour does anything. */
  const intact = new Map<RouteName, object>()

  const create = (route: KubeObject, query?: string) => cluster.api.create(route, undefined, query)
  const get = (route: KubeObject) => cluster.api.send('GET', pathOf(route))
  const removeAll = async () => {
    for (const name of NEIGHBOURS) neighbours.of(name).edit = undefined
    for (const each of [...NAMES.map(name => routeOf(name)), given]) await cluster.api.remove(each)
  }

  beforeAll(async () => {
    cluster = await startInstalled()
    const { controlPlane } = cluster
    const namespaces = [namespace('shops'), namespace('gateways'), namespace('given', { [PROTECT]: 'true' })]
    const facts = [...namespaces, NGINX, ...TRAEFIK, TEAM]
    await applied(controlPlane, ...facts)
    await applied(controlPlane, ...(await companionsOf([...facts, routeOf('traefik'), routeOf('gateway')])))
    neighbours = await startNeighbours(controlPlane, [
      { name: BEFORE, reinvocation: 'Never' },
      { name: BEFORE_AGAIN, reinvocation: 'IfNeeded' },
      { name: BEHIND, reinvocation: 'Never' },
      { name: BEHIND_AGAIN, reinvocation: 'IfNeeded' },
    ])
    for (const name of NAMES)
      await until(`${name} is known`, async () => (await create(routeOf(name), '?dryRun=All')).status === 201)
    await until('all neighbours are asked', async () => {
      await create(routeOf('nginx'), '?dryRun=All')
      return NEIGHBOURS.every(name => neighbours.of(name).calls > 0)
    })
    for (const name of NAMES) intact.set(name, guardsOf((await create(routeOf(name), '?dryRun=All')).body))
  }, 180_000)

  afterEach(removeAll)

  afterAll(async () => {
    neighbours?.close()
    await cluster?.stop()
  })

  test('each kind of route is protected in a way of its own', () => {
    expect([...intact]).toEqual([
      ['nginx', { login: expect.stringContaining('oauth2-proxy.shops.svc'), record: true }],
      ['traefik', { first: expect.stringMatching(/^portcullis-m[0-9a-f]{16}@kubernetescrd$/), record: true }],
      ['gateway', { filters: [expect.objectContaining({ type: 'ExtensionRef' })], record: true }],
    ])
  })

  describe.each(EDITS)('one that %s', (_, of, edit, what) => {
    const stranger = { metadata: { annotations: { owner: 'somebody' } } }
    const judged = { spec: respec(routeOf(of)) }

    test.each([BEFORE, BEFORE_AGAIN, BEHIND])('as %s: the route is protected all the same', async name => {
      neighbours.of(name).edit = edit
      expect(await create(routeOf(of))).toMatchObject({ status: 201 })
      expect(guardsOf((await get(routeOf(of))).body)).toEqual(intact.get(of))
      for (const change of [stranger, judged]) {
        expect(await cluster.api.patch(routeOf(of), change)).toMatchObject({ status: 200 })
        expect(guardsOf((await get(routeOf(of))).body)).toEqual(intact.get(of))
      }
    })

    test(`as ${BEHIND_AGAIN}: the route is refused, and the fault is named`, async () => {
      const altered = { status: 403, message: expect.stringContaining('something behind Portcullis changed') }
      neighbours.of(BEHIND_AGAIN).edit = edit
      const refusal = await create(routeOf(of))
      expect(refusal).toMatchObject(altered)
      expect(refusal.message).toContain(what)
      expect(await get(routeOf(of))).toMatchObject({ status: 404 })
      neighbours.of(BEHIND_AGAIN).edit = undefined
      expect(await create(routeOf(of))).toMatchObject({ status: 201 })
      const { body: before } = await get(routeOf(of))
      neighbours.of(BEHIND_AGAIN).edit = edit
      for (const change of [stranger, judged])
        expect(await cluster.api.patch(routeOf(of), change)).toMatchObject(altered)
      expect((await get(routeOf(of))).body).toEqual(before)
    })
  })

  describe('one that takes all annotations out', () => {
    test.each([BEFORE, BEFORE_AGAIN, BEHIND])('as %s: the route is protected all the same', async name => {
      neighbours.of(name).edit = stripped
      for (const kind of NAMES) {
        expect(await create(routeOf(kind))).toMatchObject({ status: 201 })
        expect(guardsOf((await get(routeOf(kind))).body)).toEqual(intact.get(kind))
      }
    })

    test(`as ${BEHIND_AGAIN}: looks like a call that was left out; nothing is stored`, async () => {
      neighbours.of(BEHIND_AGAIN).edit = stripped
      for (const kind of NAMES) {
        expect(await create(routeOf(kind))).toMatchObject(NOT_YET)
        expect(await get(routeOf(kind))).toMatchObject({ status: 404 })
      }
    })
  })

  describe('one that adds the label', () => {
    test.each([BEFORE, BEFORE_AGAIN])('as %s: the route is protected, made or changed', async name => {
      for (const kind of NAMES) {
        neighbours.of(name).edit = labelled
        expect(await create(routeOf(kind, {}))).toMatchObject({ status: 201 })
        expect(guardsOf((await get(routeOf(kind))).body)).toEqual(intact.get(kind))
        await removeAll()
        expect(await create(routeOf(kind, {}))).toMatchObject({ status: 201 })
        neighbours.of(name).edit = labelled
        expect(await cluster.api.patch(routeOf(kind), { spec: respec(routeOf(kind)) })).toMatchObject({ status: 200 })
        expect(guardsOf((await get(routeOf(kind))).body)).toEqual(intact.get(kind))
      }
    })

    test.each([BEHIND, BEHIND_AGAIN])('as %s: too late for Portcullis to be asked; nothing is stored', async name => {
      for (const kind of NAMES) {
        neighbours.of(name).edit = labelled
        expect(await create(routeOf(kind, {}))).toMatchObject(NOT_YET)
        expect(await get(routeOf(kind))).toMatchObject({ status: 404 })
        neighbours.of(name).edit = undefined
        expect(await create(routeOf(kind, {}))).toMatchObject({ status: 201 })
        const { body: before } = await get(routeOf(kind))
        neighbours.of(name).edit = labelled
        expect(await cluster.api.patch(routeOf(kind), { spec: respec(routeOf(kind)) })).toMatchObject(NOT_YET)
        expect((await get(routeOf(kind))).body).toEqual(before)
      }
    })

    test('which kubectl says when it has tried often enough', async () => {
      neighbours.of(BEHIND).edit = labelled
      const { code, stderr } = await cluster.controlPlane.kubectl(['create', '-f', '-'], inYaml([routeOf('nginx', {})]))
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringContaining(
          'find the webhook that adds the label or removes the protection after Portcullis',
        ),
      })
      expect(neighbours.of(BEHIND).calls).toBeGreaterThan(2)
    }, 60_000)
  })

  describe('one that takes the label out again, where the namespace gives it', () => {
    test.each([BEFORE, BEFORE_AGAIN, BEHIND])('as %s: the route has it all the same', async name => {
      neighbours.of(name).edit = unlabelled
      expect(await create(given)).toMatchObject({ status: 201 })
      const { body } = await get(given)
      expect(body.metadata).toMatchObject({ labels: { [PROTECT]: 'true' } })
      expect(guardsOf(body)).toEqual(intact.get('nginx'))
    })

    test(`as ${BEHIND_AGAIN}: the route is refused`, async () => {
      neighbours.of(BEHIND_AGAIN).edit = unlabelled
      expect((await create(given)).status).toBeGreaterThanOrEqual(403)
      expect(await get(given)).toMatchObject({ status: 404 })
    })
  })
})

const NOT_YET = { status: 429, message: expect.stringContaining('[injection-missing]') }

/** What of a stored route stands between a visitor and the application. */
function guardsOf(route: Readonly<Record<string, unknown>>): object {
  const { annotations } = object(route.metadata)
  const { [AUTH_URL]: login, [SATISFY]: satisfy, [MIDDLEWARES]: list, [INJECTED]: record } = object(annotations)
  const filters = array(object(route.spec).rules).map(rule => array(object(rule).filters)[0])
  return {
    ...(login === undefined ? {} : { login }),
    ...(satisfy === undefined ? {} : { satisfy }),
    ...(typeof list === 'string' ? { first: list.split(',')[0] } : {}),
    ...(route.kind === 'HTTPRoute' ? { filters } : {}),
    record: typeof record === 'string',
  }
}

/** The same but for a Service: a change that is judged. */
function respec(route: KubeObject): object {
  return JSON.parse(JSON.stringify(route.spec).replace('"number":80', '"number":81').replace('"port":80', '"port":81'))
}
