// The controller against others who write: a tool that applies the original again and again, somebody who undoes what it
// writes, and objects that have its names already.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { parseAuthTeam } from '../../src/api/auth-team.ts'
import { array, object, strings } from '../../src/core/json.ts'
import { NET_PREFIX, passthroughName } from '../../src/core/names.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { middlewareName } from '../../src/gateways/traefik/middleware.ts'
import type { TestProxy } from '../kube/proxy.ts'
import { describeWithParts } from '../parts/require.ts'
import { until } from './api.ts'
import { CONFIG, httpRoute, ingress, namespace, securityPolicy, team } from './cluster-objects.ts'
import {
  type ControllerCluster,
  controllerParts,
  hasRecord,
  serve,
  startControllerCluster,
} from './controller-cluster.ts'
import { applied, inYaml, succeeds } from './objects.ts'
import type { Pod } from './pods.ts'
import { print } from './print.ts'
import { type Recorded, record } from './recorder.ts'
import { behindTraefik, TRAEFIK } from './traefik-objects.ts'

const CYCLE_MS = 5000
const CYCLES = 4
const REPAIR_MS = 5000
const INGRESSES = '/apis/networking.k8s.io/v1/namespaces/shops/ingresses'
const HTTPROUTES = '/apis/gateway.networking.k8s.io/v1/namespaces/shops/httproutes'
const POLICIES = '/apis/gateway.envoyproxy.io/v1alpha1/namespaces/shops/securitypolicies'
const OPEN = { spec: { authorization: { defaultAction: 'Allow' } } }
const LATE_MS = 500
const config: KubeObject = {
  ...CONFIG,
  controllers: [...CONFIG.controllers, { controller: 'traefik.io/gateway-controller', gateway: 'traefik' }],
}

const SHOP = ingress('shop', 'shop.team-a.example.com')
const CART = httpRoute('cart', 'shops', 'cart.team-a.example.com')
const DESK = behindTraefik(httpRoute('desk', 'shops', 'desk.team-a.example.com'))
const TEAM_POLICY = securityPolicy('portcullis-team.team-a', 'shops')

describeWithParts('the controller against others who write', controllerParts, () => {
  let cluster: ControllerCluster
  let controller: Pod
  let proxy: TestProxy

  beforeAll(async () => {
    cluster = await startControllerCluster()
    await applied(cluster.controlPlane, namespace('shops'), ...TRAEFIK)
    proxy = await cluster.proxy()
    controller = (await serve(cluster, config, [`--kubeconfig=${proxy.kubeconfig}`])).controller
    await applied(cluster.controlPlane, team('team-a', 'shops'))
  }, 240_000)

  afterAll(() => cluster?.stop(), 60_000)

  const follow = (paths: readonly string[], hear?: (event: Recorded) => void) =>
    record(cluster.controlPlane, cluster.api, paths, hear)
  const tried = (route: KubeObject) => cluster.api.create(route, undefined, '?dryRun=All')
  const kubectlApplies = async (...routes: KubeObject[]) => {
    const { code, stderr } = await cluster.controlPlane.kubectl(['apply', '-f', '-'], inYaml(routes))
    return code === 0 ? '' : stderr
  }
  const writesOf = (of: string, name: string, since = 0) =>
    cluster.audit.writes().filter(each => each.namespace === of && each.name === name && each.at >= since)
  const events = async (reason: string) =>
    (await cluster.all('events.v1.events.k8s.io', '-A'))
      .filter(each => each.reason === reason)
      .map(each => String(object(each.regarding).name))
  const isTeamReady = async (name: string) => (await cluster.ready(name)).status === 'True'

  test('objects that have its names are reported and left alone, the rest is made, and routes are refused meanwhile', async () => {
    const { api, controlPlane } = cluster
    const owner = team('team-t', 'taken', 't.example.com')
    const parsed = parseAuthTeam(owner)
    if (!('value' in parsed)) throw new Error('not valid')
    const variant = { team: parsed.value, access: undefined, client: 'browser', trustForwardHeader: false } as const
    const route = httpRoute('cart', 'taken', 'cart.t.example.com')
    const targetRefs = [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'own' }]
    const theirs: KubeObject[] = [
      {
        apiVersion: 'gateway.envoyproxy.io/v1alpha1',
        kind: 'SecurityPolicy',
        metadata: { name: 'portcullis-team.team-t', namespace: 'taken' },
        spec: { targetRefs, authorization: { defaultAction: 'Allow' } },
      },
      {
        apiVersion: 'traefik.io/v1alpha1',
        kind: 'Middleware',
        metadata: { name: middlewareName(variant), namespace: 'taken' },
        spec: { stripPrefix: { prefixes: ['/x'] } },
      },
      unlabelled({
        ...route,
        metadata: {
          name: passthroughName({ kind: 'HTTPRoute', namespace: 'taken', name: 'cart' }),
          namespace: 'taken',
        },
      }),
    ]
    await applied(controlPlane, namespace('taken'))
    for (const each of theirs) expect(await api.create(each)).toMatchObject({ status: 201 })
    const before = await Promise.all(theirs.map(cluster.get))
    await applied(controlPlane, owner)
    await until('two are reported', async () => (await events('NotOurs')).length >= 2)
    const made = async () =>
      [...(await cluster.all('securitypolicies', '-n', 'taken')), ...(await cluster.all('middlewares', '-n', 'taken'))]
        .filter(isOurs)
        .map(each => String(each.metadata.name))
    await until('the rest is made', async () => (await made()).length >= 2)
    const isPrepared = async () => !(await tried(route)).message.includes('gateway-preparing')
    await until('the Gateway is prepared', isPrepared, 60_000)
    const refused = [await tried(route), await tried(behindTraefik(route))]
    print(
      `taken names: made all the same: ${await made()}; reported: ${await events('NotOurs')}; ${refused[0]?.message}`,
    )
    expect(await made()).toContainEqual(expect.stringMatching(/^portcullis-zz/))
    for (const each of refused) expect(each.message).toContain('guards-missing')
    expect(await isTeamReady('team-t')).toBe(false)
    await until('the team says so', async () => (await cluster.ready('team-t')).reason === 'NameTaken')
    const [policy, middleware, login] = theirs as [KubeObject, KubeObject, KubeObject]
    // What is renamed or removed is no longer in the way.
    for (const each of [policy, middleware]) await api.remove(each)
    const removedAt = Date.now()
    await until('the team is ready', () => isTeamReady('team-t'), 90_000)
    print(`taken names: ready ${Date.now() - removedAt} ms after they were free`)
    await until('admitted', async () => (await kubectlApplies(route)) === '')
    await until('the login is reported', async () => (await events('NotOurs')).includes(String(login.metadata.name)))
    expect([before[0], before[1]].every(each => each !== undefined)).toBe(true)
    expect(versionOf(await cluster.get(login))).toBe(versionOf(before[2]))
    for (const each of [policy, middleware]) {
      const touched = writesOf('taken', String(each.metadata.name)).filter(({ at }) => at < removedAt)
      expect(touched).toEqual([])
    }
    await api.remove(route)
    await api.remove(login)
  }, 300_000)

  test('a tool that applies the originals every 5 s finds them protected, and nothing has to be written', async () => {
    await until('admitted', async () => (await kubectlApplies(SHOP, CART, DESK)) === '', 60_000)
    await until('logins', async () => (await cluster.all('httproutes', '-n', 'shops')).length === 4)
    const recorder = await follow([INGRESSES, HTTPROUTES])
    const began = Date.now()
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      expect(await kubectlApplies(SHOP, CART, DESK)).toBe('')
      await succeeds(cluster.controlPlane, ['replace'], [SHOP, CART, DESK])
      await sleep(Math.max(0, began + (cycle + 1) * CYCLE_MS - Date.now()))
    }
    const versions = (await recorder.upToNow()).filter(each => isRoute(each) && each.at >= began)
    recorder.stop()
    const ours = ['shop', 'cart', 'desk'].flatMap(name => writesOf('shops', name, began))
    const open = versions.filter(each => !isProtected(each.object))
    print(
      `reapplied ${CYCLES} times: ${versions.length} versions stored, ${open.length} of them open, ${ours.length} writes of ours`,
    )
    expect(versions.length).toBeGreaterThanOrEqual(CYCLES)
    expect(open).toEqual([])
    expect(ours.length).toBe(0)
  }, 180_000)

  test.each([
    ['edits a companion', (policy: KubeObject) => cluster.api.patch(policy, OPEN)],
    ['removes a companion', (policy: KubeObject) => cluster.api.remove(policy)],
  ])('who %s between our write of it and the answer to that write has it undone', async (_, harm) => {
    // As on a busy machine, where the watch tells of both before the answer is read.
    proxy.late = ({ method, url }) => (method === 'PATCH' && url?.includes('/securitypolicies/') ? LATE_MS : 0)
    let writes = 0
    const hostile = await follow([POLICIES], ({ type, object: each }) => {
      if (type === 'remove' || each.metadata.name !== TEAM_POLICY.metadata.name || isOpen(each)) return
      if (++writes === 1) void harm(each)
    })
    await cluster.api.patch(TEAM_POLICY, OPEN)
    await until('it is written again', () => writes >= 2, 20_000).finally(() => {
      proxy.late = undefined
    })
    const policy = await cluster.get(TEAM_POLICY)
    expect(policy !== undefined && isOpen(policy)).toBe(false)
    hostile.stop()
  })

  test('the same without webhook and policies: open for no longer than a repair takes, one write a cycle', async () => {
    await cluster.withoutAdmission()
    for (const replica of cluster.installed.replicas) await replica.kill()
    const recorder = await follow([INGRESSES, HTTPROUTES])
    const began = Date.now()
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      await until('applied', async () => (await kubectlApplies(SHOP, CART, DESK)) === '')
      await sleep(Math.max(0, began + (cycle + 1) * CYCLE_MS - Date.now()))
    }
    const versions = (await recorder.upToNow()).filter(each => isRoute(each) && each.at >= began)
    recorder.stop()
    const spells = openSpells(versions)
    const counts = ['shop', 'cart', 'desk'].map(name => writesOf('shops', name, began).length)
    print(`reapplied ${CYCLES} times, nobody asked: open ${JSON.stringify(spells)} ms, writes of ours ${counts}`)
    expect(spells.length).toBeGreaterThan(0)
    for (const each of spells) expect(each).toBeLessThan(REPAIR_MS)
    for (const count of counts) expect(count).toBeLessThanOrEqual(2 * CYCLES)
    // The filter alone is in what is applied; annotations that the tool never had stay.
    expect(counts[0]).toBe(0)
  }, 180_000)

  test('a net that somebody opens is shut again, where no team may use the namespace any more', async () => {
    const owner = team('team-l', 'lone', 'l.example.com')
    const route = httpRoute('cart', 'lone', 'cart.l.example.com')
    await applied(cluster.controlPlane, namespace('lone'), owner, route)
    await until('the route is protected', async () => hasRecord((await cluster.get(route)) ?? route))
    const teams = () => controller.metric('portcullis_facts{kind="AuthTeam"}')
    const before = await teams()
    await succeeds(cluster.controlPlane, ['delete', 'authteam', 'team-l'])
    await until('it is known', async () => (await teams()) < before)
    const nets = async () => {
      const policies = await cluster.all('securitypolicies', '-n', 'lone')
      return policies.filter(({ metadata }) => String(metadata.name).startsWith(NET_PREFIX))
    }
    const [net, ...others] = await nets()
    expect(others).toEqual([])
    if (net === undefined) throw new Error('there is no net')
    await cluster.api.patch(net, OPEN)
    await until('the net is shut', async () => {
      const there = await cluster.get(net)
      return there !== undefined && versionOf(there) !== versionOf(net) && !isOpen(there)
    })
  }, 180_000)

  test('a companion that somebody reverts each time is written no more than six times a minute, and it is said', async () => {
    let reverts = 0
    const hostile = await follow([POLICIES], ({ type, object: each }) => {
      if (type === 'remove' || each.metadata.name !== TEAM_POLICY.metadata.name || isOpen(each)) return
      reverts++
      void cluster.api.patch(TEAM_POLICY, OPEN)
    })
    const began = Date.now()
    await cluster.api.patch(TEAM_POLICY, OPEN)
    await until('it rests', async () => (await controller.metric('portcullis_resting_objects')) === 1, 60_000)
    const took = Date.now() - began
    await sleep(10_000)
    hostile.stop()
    const writes = writesOf('shops', String(TEAM_POLICY.metadata.name), began).length
    print(`hostile to a policy: ${writes} writes, ${reverts} reverts, rests after ${took} ms`)
    expect(writes).toBeLessThanOrEqual(6)
    expect(await events('LoopGuard')).toContain('portcullis-team.team-a')
    expect(await controller.metric('portcullis_drift_total{kind="SecurityPolicy"}')).toBeGreaterThan(0)
  }, 180_000)

  test('a route that somebody reverts each time is left alone too, and its neighbours are still repaired', async () => {
    let reverts = 0
    const hostile = await follow([INGRESSES], ({ type, object: each }) => {
      if (type === 'remove' || each.metadata.name !== 'shop' || !hasRecord(each)) return
      reverts++
      void cluster.api.patch(SHOP, { metadata: { annotations: null } })
    })
    const began = Date.now()
    await cluster.api.patch(SHOP, { metadata: { annotations: null } })
    await until('it rests', async () => (await controller.metric('portcullis_resting_objects')) === 2, 60_000)
    await sleep(10_000)
    hostile.stop()
    const writes = writesOf('shops', 'shop', began).length
    print(`hostile to a route: ${writes} writes, ${reverts} reverts`)
    expect(writes).toBeLessThanOrEqual(6)
    expect(await events('LoopGuard')).toContain('shop')
    const sale = ingress('sale', 'sale.team-a.example.com')
    await applied(cluster.controlPlane, sale)
    await until('the neighbour is protected', async () => hasRecord((await cluster.get(sale)) ?? sale))
  }, 180_000)
})

function unlabelled({ metadata: { name, namespace: of }, ...rest }: KubeObject): KubeObject {
  return { ...rest, metadata: { name, namespace: of } }
}

function isOurs({ metadata }: KubeObject): boolean {
  return strings(metadata.labels)['app.kubernetes.io/managed-by'] === 'portcullis'
}

function versionOf(each: KubeObject | undefined): unknown {
  return each?.metadata.resourceVersion
}

function isOpen(policy: KubeObject): boolean {
  return object(object(policy.spec).authorization).defaultAction !== 'Deny'
}

function isRoute({ object: each }: Recorded): boolean {
  return ['shop', 'cart', 'desk'].includes(String(each.metadata.name))
}

/** In the route itself; behind Envoy Gateway it is the label by which companions choose it. */
function isProtected(route: KubeObject): boolean {
  if (!hasRecord(route)) return false
  if (route.kind === 'Ingress')
    return strings(route.metadata.annotations)['nginx.ingress.kubernetes.io/auth-url'] !== undefined
  if (route.metadata.name !== 'desk') return strings(route.metadata.labels)['auth.example/protect'] === 'true'
  return array(object(route.spec).rules).every(rule => object(array(object(rule).filters)[0]).type === 'ExtensionRef')
}

/** ms for which a route was stored without its protection, each time. */
function openSpells(versions: readonly Recorded[]): number[] {
  const since = new Map<string, number>()
  const spells: number[] = []
  for (const { at, object: route } of versions) {
    const name = String(route.metadata.name)
    const opened = since.get(name)
    if (!isProtected(route)) since.set(name, opened ?? at)
    else if (opened !== undefined) {
      spells.push(at - opened)
      since.delete(name)
    }
  }
  return [...spells, ...[...since.values()].map(() => Number.POSITIVE_INFINITY)]
}
