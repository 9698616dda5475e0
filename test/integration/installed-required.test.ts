// Namespaces that require a login, or give it, as the manifests are shipped and as people meet it.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { array, object } from '../../src/core/json.ts'
import { INJECTED, PROTECT, REQUIRE } from '../../src/core/keys.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { describeWithParts } from '../parts/require.ts'
import { pathOf, until } from './api.ts'
import { NGINX, team } from './cluster-objects.ts'
import { type InstalledCluster, installedParts, startInstalled } from './installed-cluster.ts'
import { applied, inYaml } from './objects.ts'
import { ingress, namespace } from './policy-objects.ts'

const AUTH_URL = 'nginx.ingress.kubernetes.io/auth-url'
const POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
}

const NAMESPACES: readonly (readonly [name: string, labels: object])[] = [
  ['strict', { [REQUIRE]: 'enforce' }],
  ['warned', { [REQUIRE]: 'warn' }],
  ['audited', { [REQUIRE]: 'audit' }],
  ['given', { [PROTECT]: 'true' }],
  ['taken', { [PROTECT]: 'team-a' }],
  ['later', {}],
]
const TEAM = admitting(
  NAMESPACES.map(([name]) => name),
  team('team-a', 'strict'),
)

const LABEL = { [PROTECT]: 'true' }
const unlabelled = { metadata: { labels: { [PROTECT]: null } } }
const SHUT = {
  metadata: { labels: LABEL, annotations: { [AUTH_URL]: expect.any(String), [INJECTED]: expect.any(String) } },
}
const refused = (code: string) => ({ status: 403, message: expect.stringContaining(`[${code}]`) })

describeWithParts('protection that is required', installedParts, () => {
  let cluster: InstalledCluster

  const create = (route: KubeObject, query?: string) => cluster.api.create(route, undefined, query)
  const wouldCreate = (route: KubeObject) => create(route, '?dryRun=All')
  const get = async (route: KubeObject) => (await cluster.api.send('GET', pathOf(route))).body
  const kubectl = (args: readonly string[], ...documents: KubeObject[]) =>
    cluster.controlPlane.kubectl(args, inYaml(documents))

  beforeAll(async () => {
    cluster = await startInstalled({
      extraArgs: dir => {
        writeFileSync(join(dir, 'audit-policy.json'), JSON.stringify(POLICY))
        return [`--audit-policy-file=${join(dir, 'audit-policy.json')}`, `--audit-log-path=${join(dir, 'audit.log')}`]
      },
    })
    await applied(cluster.controlPlane, NGINX, TEAM, ...NAMESPACES.map(([name, labels]) => namespace(name, labels)))
    await until('the team is known', async () => (await wouldCreate(routeIn('later', 'a', LABEL))).status === 201)
    // Namespaces come by a watch of their own.
    const strict = routeIn('strict', 'a')
    await until('and the namespaces', async () => (await wouldCreate(strict)).message.includes('protection-required'))
  }, 180_000)

  afterAll(async () => {
    await cluster?.stop()
  })

  describe('by "enforce"', () => {
    test('refuses a route without the label, and one that says "false"', async () => {
      for (const labels of [{}, { [PROTECT]: 'false' }])
        expect(await create(routeIn('strict', 'open', labels))).toMatchObject(refused('protection-required'))
    })

    test('admits one with it, and does not let go of it', async () => {
      const route = routeIn('strict', 'shut', LABEL)
      expect(await create(route)).toMatchObject({ status: 201 })
      expect(await cluster.api.patch(route, unlabelled)).toMatchObject(refused('protection-required'))
      expect(await get(route)).toMatchObject(SHUT)
    })

    test('is not got round by a write to the status', async () => {
      const route = routeIn('strict', 'status', LABEL)
      expect(await create(route)).toMatchObject({ status: 201 })
      const stripped = {
        metadata: { labels: { [PROTECT]: null }, annotations: { [AUTH_URL]: null, [INJECTED]: null } },
      }
      expect(await cluster.api.patch(route, stripped, undefined, '/status')).toMatchObject(refused('status-changes'))
      expect(await get(route)).toMatchObject(SHUT)
    })
  })

  describe('by an exemption', () => {
    const route = routeIn('strict', 'public')

    test('lets the route it names be public while it is there', async () => {
      expect(await create(route)).toMatchObject(refused('protection-required'))
      const exemption = exemptionOf('public', route)
      expect(await cluster.api.create(exemption)).toMatchObject({ status: 201 })
      await until('the exemption is known', async () => (await wouldCreate(route)).status === 201)
      expect(await create(route)).toMatchObject({ status: 201 })
      const { rules } = object(routeIn('strict', 'another').spec)
      expect(await cluster.api.patch(route, { spec: { rules } })).toMatchObject(refused('protection-required'))
      expect(await cluster.api.remove(exemption)).toMatchObject({ status: 200 })
      const change = () => cluster.api.send('PATCH', `${pathOf(route)}?dryRun=All`, spec('other'))
      await until('it is known to be gone', async () => (await change()).status === 403)
      expect(await cluster.api.patch(route, { metadata: { annotations: { owner: 'somebody' } } })).toMatchObject({
        status: 200,
      })
    })

    test('that is over does nothing, and one that ends does nothing from then on', async () => {
      const [past, passing] = [routeIn('strict', 'past'), routeIn('strict', 'passing')]
      const ends = Date.now() + 10_000
      for (const [each, expires] of [
        [past, Date.now() - 1_000],
        [passing, ends],
      ] as const) {
        const exemption = exemptionOf(String(each.metadata.name), each, new Date(expires).toISOString())
        expect(await cluster.api.create(exemption)).toMatchObject({ status: 201 })
      }
      await until('the exemption is known', async () => (await wouldCreate(passing)).status === 201)
      expect(await create(past)).toMatchObject(refused('protection-required'))
      await until('it is over', async () => (await wouldCreate(passing)).status === 403)
      expect(Date.now()).toBeGreaterThanOrEqual(ends)
      expect(await create(passing)).toMatchObject(refused('protection-required'))
    }, 60_000)
  })

  test('by "warn": says so to whoever writes an open route, and stores it', async () => {
    const { code, stderr } = await kubectl(['create', '-f', '-'], routeIn('warned', 'open'))
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^Warning: .*\[protection-wanted]$/m) })
    expect(await kubectl(['create', '-f', '-'], routeIn('warned', 'shut', LABEL))).toMatchObject({
      code: 0,
      stderr: '',
    })
    expect(await get(routeIn('warned', 'shut'))).toMatchObject(SHUT)
  }, 30_000)

  test('by "audit": says so to nobody but the audit log', async () => {
    const route = routeIn('audited', 'open')
    expect(await kubectl(['create', '-f', '-'], route)).toMatchObject({ code: 0, stderr: '' })
    const events = readFileSync(join(cluster.controlPlane.dir, 'audit.log'), 'utf8').trim().split('\n')
    const annotationsIn = (of: string) =>
      events
        .map(line => JSON.parse(line))
        .filter(
          each => each.objectRef?.namespace === of && each.objectRef.resource === 'ingresses' && each.verb === 'create',
        )
        .map(each => each.annotations)
    expect(annotationsIn('audited').at(-1)).toMatchObject({
      'wanted.auth.example/decision': 'skip',
      'wanted.auth.example/codes': 'protection-audited',
    })
    expect(annotationsIn('warned')[0]).toMatchObject({ 'wanted.auth.example/codes': 'protection-wanted' })
    expect(annotationsIn('strict').at(-1)).toMatchObject({ 'required.auth.example/codes': 'protection-required' })
  }, 30_000)

  describe('and given by the namespace', () => {
    test('is put on a route without the label, whatever the namespace’s names', async () => {
      for (const place of ['given', 'taken']) {
        expect(await create(routeIn(place, 'plain'))).toMatchObject({ status: 201 })
        expect(await get(routeIn(place, 'plain'))).toMatchObject(SHUT)
        expect(await create(routeIn(place, 'open', { [PROTECT]: 'false' }))).toMatchObject(
          refused('protection-required'),
        )
      }
    })

    test('does not move when the manifest is applied again, nor goes by an edit', async () => {
      const route = routeIn('given', 'applied')
      expect(await kubectl(['apply', '-f', '-'], route)).toMatchObject({ code: 0, stderr: '' })
      const before = await get(route)
      expect(before).toMatchObject(SHUT)
      expect(await kubectl(['apply', '-f', '-'], route)).toMatchObject({ code: 0, stderr: '' })
      expect(await get(route)).toEqual(before)
      expect(await cluster.api.patch(route, unlabelled)).toMatchObject({ status: 200 })
      expect(await get(route)).toMatchObject(SHUT)
    }, 30_000)

    test('goes with the namespace’s label, at the next change of the route', async () => {
      const [own, given] = [routeIn('given', 'own', LABEL), routeIn('given', 'leaving')]
      for (const each of [own, given]) expect(await create(each)).toMatchObject({ status: 201 })
      expect(await cluster.api.patch(namespace('given'), unlabelled)).toMatchObject({ status: 200 })
      await until('the namespace is known', async () => {
        const { body } = await cluster.api.send('PATCH', `${pathOf(given)}?dryRun=All`, spec('again'))
        return object(object(body.metadata).labels)[PROTECT] === undefined
      })
      for (const each of [own, given])
        expect(await cluster.api.patch(each, spec('again'))).toMatchObject({ status: 200 })
      expect(await get(own)).toMatchObject(SHUT)
      const { labels, annotations } = object((await get(given)).metadata)
      expect({ ...object(labels), ...object(annotations) }).toEqual({})
    }, 60_000)
  })

  test('from now on: whoever changes the namespace is told how many routes have none, and which', async () => {
    for (const name of ['one', 'two']) expect(await create(routeIn('later', name))).toMatchObject({ status: 201 })
    expect(await create(routeIn('later', 'shut', LABEL))).toMatchObject({ status: 201 })
    const label = (...args: string[]) => kubectl(['label', 'namespace', 'later', `${REQUIRE}=enforce`, ...args])
    const told = {
      code: 0,
      stderr: expect.stringMatching(
        /^Warning: routes of later have no login \(2\): Ingress one, Ingress two; .*\[require-affects]$/m,
      ),
    }
    await until('the routes are known', async () => (await label('--dry-run=server')).stderr.includes('(2)'))
    expect(await label('--dry-run=server')).toMatchObject(told)
    expect(await label()).toMatchObject(told)
    expect(await kubectl(['label', 'namespace', 'later', 'another=label'])).toMatchObject({ code: 0, stderr: '' })
  }, 60_000)
})

function routeIn(of: string, name: string, labels: object = {}): KubeObject {
  const made = ingress(name, { namespace: of, labels, hosts: [`${name}.team-a.example.com`] })
  return { ...made, spec: { ...object(made.spec), ingressClassName: 'nginx' } }
}

/** A change that is judged. */
function spec(service: string): object {
  const [rule] = array(object(routeIn('any', service).spec).rules)
  return { spec: { rules: [{ ...object(rule), host: 'public.team-a.example.com' }] } }
}

function exemptionOf(name: string, route: KubeObject, expires?: string): KubeObject {
  const { kind, metadata } = route
  const hosts = [`${name}.team-a.example.com`]
  return {
    apiVersion: 'auth.example/v1alpha1',
    kind: 'AuthExemption',
    metadata: { name },
    spec: {
      route: { kind, namespace: metadata.namespace, name: metadata.name },
      hosts,
      reason: 'status page',
      ...(expires === undefined ? {} : { expires }),
    },
  }
}

function admitting(names: readonly string[], of: KubeObject): KubeObject {
  const spec = object(of.spec)
  return { ...of, spec: { ...spec, namespaces: { names, default: true } } }
}
