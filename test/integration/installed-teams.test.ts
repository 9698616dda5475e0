// Administrators' objects and other kinds of routes with the manifests as they are shipped: what is refused, with names.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { object } from '../../src/core/json.ts'
import { INJECTED, PROTECT } from '../../src/core/keys.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { describeWithParts } from '../parts/require.ts'
import { pathOf, until } from './api.ts'
import { NGINX, namespace, team } from './cluster-objects.ts'
import { companionsOf } from './companions-of.ts'
import { type InstalledCluster, installedParts, startInstalled } from './installed-cluster.ts'
import { applied } from './objects.ts'
import { httpRoute, ingress } from './policy-objects.ts'
import { TRAEFIK } from './traefik-objects.ts'

const LABELS = { [PROTECT]: 'true' }
const TEAM = team('team-a', 'shops')

function shop(name: string, labels: object = LABELS): KubeObject {
  const made = ingress(name, { namespace: 'shops', labels, hosts: [`${name}.team-a.example.com`] })
  return { ...made, spec: { ...object(made.spec), ingressClassName: 'nginx' } }
}

const metadata = { name: 'grpc', namespace: 'shops', labels: LABELS }
const parentRefs = [{ name: 'traefik', namespace: 'gateways' }]
const rules = [{ backendRefs: [{ name: 'grpc', port: 80 }] }]
const traefikRoute = (match: string) => ({ routes: [{ kind: 'Rule', match, services: [{ name: 'a', port: 80 }] }] })
const OTHERS: readonly (readonly [kind: string, route: KubeObject])[] = [
  ...(['v1/GRPCRoute', 'v1/TLSRoute', 'v1alpha2/TCPRoute', 'v1alpha2/UDPRoute'] as const).map(
    (each): [string, KubeObject] => {
      const [version, kind] = each.split('/') as [string, string]
      const apiVersion = `gateway.networking.k8s.io/${version}`
      const hostnames = kind === 'TLSRoute' ? { hostnames: ['a.team-a.example.com'] } : {}
      return [kind, { apiVersion, kind, metadata, spec: { parentRefs, rules, ...hostnames } }]
    },
  ),
  ...(
    [
      ['IngressRoute', traefikRoute('Host(`a.team-a.example.com`)')],
      [
        'IngressRouteTCP',
        { routes: [{ match: 'HostSNI(`a.team-a.example.com`)', services: [{ name: 'a', port: 80 }] }] },
      ],
      ['IngressRouteUDP', { routes: [{ services: [{ name: 'a', port: 80 }] }] }],
    ] as const
  ).map(([kind, spec]): [string, KubeObject] => [
    kind,
    { apiVersion: 'traefik.io/v1alpha1', kind, metadata, spec: spec as object },
  ]),
]

describeWithParts('what administrators write', installedParts, () => {
  let cluster: InstalledCluster

  const create = (document: KubeObject, query?: string) => cluster.api.create(document, undefined, query)
  const get = async (document: KubeObject) => (await cluster.api.send('GET', pathOf(document))).body
  const refused = (says: string) => ({ status: 403, message: expect.stringContaining(says) })
  const changed = (of: KubeObject, changes: object): KubeObject => ({ ...of, spec: { ...object(of.spec), ...changes } })

  beforeAll(async () => {
    cluster = await startInstalled()
    const facts = [namespace('shops'), namespace('gateways'), NGINX, ...TRAEFIK, TEAM]
    await applied(cluster.controlPlane, ...facts)
    const route = gatewayRoute('probe')
    await applied(cluster.controlPlane, ...(await companionsOf([...facts, route])))
    await until('the team is known', async () => (await create(shop('probe'), '?dryRun=All')).status === 201)
    await until('and its Middlewares', async () => (await create(route, '?dryRun=All')).status === 201)
  }, 180_000)

  afterAll(async () => {
    await cluster?.stop()
  })

  describe('a team', () => {
    const TEAM_B = team('team-b', 'elsewhere', 'team-b.example.com')
    const takes = (hosts: readonly string[]) => ({ spec: { hosts } })

    test('with a host or the cookie of another is refused, and the other is named', async () => {
      const hosts = changed(TEAM_B, takes(['*.team-b.example.com', 'a.team-a.example.com']).spec)
      expect(await create(hosts)).toMatchObject(refused('host a.team-a.example.com is one of team team-a already'))
      const cookieDomains = ['team-b.example.com', 'team-a.example.com']
      const proxy = { ...object(object(TEAM_B.spec).proxy), cookieDomains, cookieName: '__Secure-team-a' }
      expect(await create(changed(TEAM_B, { proxy }))).toMatchObject(
        refused('team team-a has cookie __Secure-team-a on team-a.example.com'),
      )
    })

    test('that takes a host of another by a change is refused', async () => {
      expect(await create(TEAM_B)).toMatchObject({ status: 201 })
      const more = takes(['*.team-a.example.com', '*.team-b.example.com'])
      await until('it is known', async () => {
        return (await cluster.api.send('PATCH', `${pathOf(TEAM)}?dryRun=All`, more)).status === 403
      })
      expect(await cluster.api.patch(TEAM, more)).toMatchObject(refused('is one of team team-b already'))
      expect(await cluster.api.remove(TEAM_B)).toMatchObject({ status: 200 })
    }, 30_000)

    test('that protects routes cannot go, and they are named; then it can', async () => {
      const routes = ['cart', 'shop'].map(name => shop(name))
      for (const each of routes) expect(await create(each)).toMatchObject({ status: 201 })
      const remove = () => cluster.api.send('DELETE', `${pathOf(TEAM)}?dryRun=All`)
      await until('both are known', async () => (await remove()).message.includes('(2)'))
      expect(await cluster.api.remove(TEAM)).toMatchObject(
        refused('team team-a still protects routes (2): Ingress shops/cart, Ingress shops/shop'),
      )
      for (const each of routes) expect(await cluster.api.remove(each)).toMatchObject({ status: 200 })
      await until('they are known to be gone', async () => (await remove()).status === 200)
    }, 30_000)
  })

  test.each(OTHERS)('the label on a %s, where it would do nothing, is refused', async (_, route) => {
    const kind = route.kind
    expect(await create(route)).toMatchObject(refused(`the label does nothing on a ${kind}`))
    const open = { ...route, metadata: { ...route.metadata, labels: { [PROTECT]: 'false' } } }
    expect(await create(open)).toMatchObject({ status: 201 })
    expect(await cluster.api.patch(route, { metadata: { labels: LABELS } })).toMatchObject(refused('[route-kind]'))
  })

  test('a write to the status of an HTTPRoute changes neither labels nor annotations nor what is served', async () => {
    const route = gatewayRoute('status')
    expect(await create(route)).toMatchObject({ status: 201 })
    const before = await get(route)
    expect(object(object(before.metadata).annotations)).toHaveProperty([INJECTED])
    const changes = {
      metadata: { labels: { [PROTECT]: null }, annotations: { [INJECTED]: null } },
      spec: { rules },
      status: { parents: [] },
    }
    expect(await cluster.api.patch(route, changes, undefined, '/status')).toMatchObject({ status: 200 })
    const after = await get(route)
    expect(after.spec).toEqual(before.spec)
    for (const key of ['labels', 'annotations'])
      expect(object(after.metadata)[key]).toEqual(object(before.metadata)[key])
  })
})

function gatewayRoute(name: string): KubeObject {
  const made = httpRoute(name, { namespace: 'shops', labels: LABELS, hosts: [`${name}.team-a.example.com`] })
  return { ...made, spec: { ...object(made.spec), parentRefs } }
}
