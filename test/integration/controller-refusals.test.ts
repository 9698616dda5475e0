// The controller where it cannot do what it should: kinds that are not installed, an API server that refuses, a
// configuration that is broken, owners that are gone.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { object, strings } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { controllerManagerParts, startControllerManager } from '../parts/controller-manager.ts'
import { crdFiles } from '../parts/crds.ts'
import type { RunningPart } from '../parts/process.ts'
import { describeWithParts } from '../parts/require.ts'
import { until } from './api.ts'
import { CONFIG, ENVOY, GATEWAY, httpRoute, ingress, namespace, team } from './cluster-objects.ts'
import {
  type ControllerCluster,
  controllerParts,
  hasRecord,
  serve,
  startControllerCluster,
} from './controller-cluster.ts'
import { lookedAtEverything, reconfigure } from './controller-pod.ts'
import { gatewayDefinitions } from './gateway-definitions.ts'
import { applied, inYaml, succeeds } from './objects.ts'
import { withoutCel, withoutVersion } from './older-definition.ts'
import type { Pod } from './pods.ts'
import { print } from './print.ts'
import { refusingPolicy } from './refusing-policy.ts'

const NOTICED_MS = 60_000
const TEN_MINUTES_MS = 600_000
/** One whose team goes, and one that goes itself. */
const LEAVING = ['leaving', 'emptied']
const NOT_HERE = refusingPolicy({
  name: 'not-here',
  apiGroup: 'gateway.envoyproxy.io',
  resource: 'securitypolicies',
  operations: ['CREATE', 'UPDATE'],
  namespace: 'policy',
  expression: "!object.metadata.name.startsWith('portcullis-team.')",
  message: 'not here',
})
const parts = [...controllerParts, ...controllerManagerParts, 'gateway-api-crds'] as const

describeWithParts('the controller where it cannot', parts, () => {
  let cluster: ControllerCluster
  let controller: Pod
  let manager: RunningPart | undefined

  beforeAll(async () => {
    cluster = await startControllerCluster({ hasGateways: false })
    controller = (await serve(cluster)).controller
    await applied(cluster.controlPlane, namespace('shops'), namespace('logins'), team('team-a', 'shops'))
  }, 240_000)

  afterAll(async () => {
    await manager?.stop('SIGKILL')
    await cluster?.stop()
  }, 60_000)

  const tried = (route: KubeObject) => cluster.api.create(route, undefined, '?dryRun=All')
  const admitted = async (route: KubeObject) => {
    const applies = async () => (await cluster.controlPlane.kubectl(['apply', '-f', '-'], inYaml([route]))).code === 0
    await until(`${route.kind} ${String(route.metadata.name)} is admitted`, applies, 90_000)
  }
  const policies = async (of: string) =>
    (await cluster.all('securitypolicies', '-n', of)).map(each => String(each.metadata.name)).sort()
  const events = async (reason: string, of: string) =>
    (await cluster.all('events.v1.events.k8s.io', '-n', of)).filter(each => each.reason === reason)
  const writesIn = (of: string, since: number) =>
    cluster.audit
      .writes()
      .filter(each => each.namespace === of && each.at >= since && !each.resource.startsWith('events'))

  const left = { at: 0 }
  const ofLeaving = async () => {
    const kinds = 'securitypolicies,referencegrants,httproutes,middlewares,backendtlspolicies'
    const all = await cluster.all(kinds, '-A', '-l', 'app.kubernetes.io/managed-by=portcullis')
    return all
      .filter(each => LEAVING.some(name => new RegExp(`/${name}\\b`).test(scopeOf(each))))
      .map(each => `${each.kind} ${String(each.metadata.namespace)}/${String(each.metadata.name)}`)
  }

  test('without the kinds of gateways Ingresses are protected, and the kinds are noticed when they come', async () => {
    const shop = ingress('shop', 'shop.team-a.example.com')
    await admitted(shop)
    expect(hasRecord(await cluster.get(shop))).toBe(true)
    await until('its login', async () => (await cluster.all('ingresses', '-n', 'shops')).length === 2)
    await until('the team is ready', async () => (await cluster.ready('team-a')).status === 'True')
    const cameAt = Date.now()
    await cluster.controlPlane.applyCrds(...gatewayDefinitions())
    await applied(cluster.controlPlane, ENVOY, GATEWAY)
    await until('guards', async () => (await policies('shops')).length === 2, 90_000)
    const took = Date.now() - cameAt
    await admitted(httpRoute('cart', 'shops', 'cart.team-a.example.com'))
    print(`kinds that came were noticed, and the guards there, after ${took} ms`)
    expect(took).toBeLessThan(NOTICED_MS)
  }, 240_000)

  test('the login of a route that is deleted goes at once, and what facts are missing for stays at first', async () => {
    manager = await startControllerManager(cluster.controlPlane)
    await applied(cluster.controlPlane, ...LEAVING.flatMap(each => [namespace(each), elsewhere(each)]))
    for (const name of LEAVING) {
      await until(`${name} is ready`, async () => (await cluster.ready(name)).status === 'True', 60_000)
      await admitted(httpRoute('cart', name, `cart.${name}.example.com`))
    }
    const logins = async () => (await ofLeaving()).filter(each => each.startsWith('HTTPRoute')).length
    await until('logins', async () => (await logins()) === 2)
    left.at = Date.now()
    await succeeds(cluster.controlPlane, ['delete', 'httproute', 'cart', '-n', 'leaving'])
    await until('its login is gone', async () => (await logins()) === 1)
    print(`orphans: ${(await ofLeaving()).length} left; a login went ${Date.now() - left.at} ms after its route`)
    // One team without its routes, and one namespace with all that is in it.
    await succeeds(cluster.controlPlane, ['delete', 'authteam', 'leaving'])
    await succeeds(cluster.controlPlane, ['delete', 'namespace', 'emptied', '--wait=false'])
    const isGone = async () => (await cluster.all('namespaces')).every(each => each.metadata.name !== 'emptied')
    await until('the namespace is gone', isGone, 90_000)
    await lookedAtEverything(cluster, controller)
    expect(await policies('leaving')).toHaveLength(2)
  }, 300_000)

  test('what a quota or a policy refuses is said, tried again in peace, and made once it may be', async () => {
    const { api, controlPlane } = cluster
    const resource = 'count/securitypolicies.gateway.envoyproxy.io'
    await applied(controlPlane, namespace('quota'), namespace('policy'), ...NOT_HERE)
    const quota = quotaOf('quota', resource)
    expect(await api.create(quota)).toMatchObject({ status: 201 })
    const status = { hard: { [resource]: '1' }, used: { [resource]: '0' } }
    expect(await api.patch(quota, { status }, undefined, '/status')).toMatchObject({ status: 200 })
    const targetRefs = [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'a' }]
    const probe = {
      apiVersion: 'gateway.envoyproxy.io/v1alpha1',
      kind: 'SecurityPolicy',
      metadata: { name: 'portcullis-team.x', namespace: 'policy' },
      spec: { targetRefs, authorization: { defaultAction: 'Deny' } },
    }
    await until('the policy is in force', async () => (await tried(probe)).message.includes('not here'))
    const began = Date.now()
    await applied(
      controlPlane,
      team('by-quota', 'quota', 'quota.example.com'),
      team('by-policy', 'policy', 'policy.example.com'),
    )
    for (const name of ['by-quota', 'by-policy'])
      await until(`${name} says so`, async () => (await cluster.ready(name)).reason === 'Refused')
    for (const where of ['quota', 'policy'])
      await until(`an Event in ${where}`, async () => (await events('Refused', where)).length > 0)
    const messages = [(await cluster.ready('by-quota')).message, (await cluster.ready('by-policy')).message]
    const refused = [
      await tried(httpRoute('a', 'quota', 'a.quota.example.com')),
      await tried(httpRoute('a', 'policy', 'a.policy.example.com')),
    ]
    await sleep(Math.max(0, began + 45_000 - Date.now()))
    const counts = ['quota', 'policy'].map(where => writesIn(where, began).length)
    print(
      `refused: ${messages.join(' | ')}; in the quota ${await policies('quota')}, beside the policy ${await policies('policy')}`,
    )
    print(
      `refused: ${counts} writes in ${Date.now() - began} ms; Events ${(await events('Refused', 'quota')).length}, ${(await events('Refused', 'policy')).length}`,
    )
    print(await succeeds(controlPlane, ['get', 'authteams']))
    for (const each of refused) expect(each.message).toContain('guards-missing')
    expect(await policies('policy')).toEqual([expect.stringMatching(/^portcullis-zz/)])
    for (const count of counts) expect(count).toBeLessThan(20)
    await api.remove(quota)
    await succeeds(controlPlane, ['delete', 'validatingadmissionpolicybinding,validatingadmissionpolicy', 'not-here'])
    const liftedAt = Date.now()
    for (const name of ['by-quota', 'by-policy'])
      await until(`${name} is ready`, async () => (await cluster.ready(name)).status === 'True', 120_000)
    print(`refused: all made ${Date.now() - liftedAt} ms after it was lifted`)
    expect([await policies('quota'), await policies('policy')].map(each => each.length)).toEqual([2, 2])
  }, 300_000)

  test('a definition that lacks a field is said by name, the net is made, and what was there stays', async () => {
    const { controlPlane } = cluster
    const name = 'securitypolicies.gateway.envoyproxy.io'
    const crd: KubeObject = JSON.parse(await succeeds(controlPlane, ['get', 'crd', name, '-o', 'json']))
    const before = await policies('shops')
    await succeeds(controlPlane, ['replace'], [withoutCel(crd)])
    await applied(controlPlane, namespace('older'), team('older', 'older', 'older.example.com'))
    await until('the team says so', async () => (await cluster.ready('older')).reason === 'Refused')
    const { message } = await cluster.ready('older')
    await until('the net', async () => (await policies('older')).length > 0)
    print(`a field is lacking: ${String(message)}; made: ${await policies('older')}`)
    expect(message).toContain('cel')
    expect(await policies('older')).toEqual([expect.stringMatching(/^portcullis-zz/)])
    expect(await policies('shops')).toEqual(before)
    await succeeds(controlPlane, ['replace'], [withoutVersion(crd)])
    const upgradedAt = Date.now()
    await until('the team is ready', async () => (await cluster.ready('older')).status === 'True', 120_000)
    print(`a field came: ready after ${Date.now() - upgradedAt} ms`)
  }, 300_000)

  test('a configuration that breaks leaves the last good one in use, and every team says so', async () => {
    const brokenAt = Date.now()
    reconfigure(cluster.controlPlane, controller, { ...CONFIG, controllers: 'none' })
    await until(
      'the team says so',
      async () => (await cluster.ready('team-a')).reason === 'ConfigurationBroken',
      60_000,
    )
    print(
      `configuration broken: said after ${Date.now() - brokenAt} ms: ${String((await cluster.ready('team-a')).message)}`,
    )
    expect(await controller.metric('portcullis_configuration_good')).toBe(0)
    await succeeds(cluster.controlPlane, ['delete', 'securitypolicy', 'portcullis-team.team-a', '-n', 'shops'])
    await until('it is repaired all the same', async () => (await policies('shops')).length === 2)
    reconfigure(cluster.controlPlane, controller, CONFIG)
    await until('the team is ready', async () => (await cluster.ready('team-a')).status === 'True', 60_000)
    expect(await controller.metric('portcullis_configuration_good')).toBe(1)
  }, 240_000)

  test('definitions that are upgraded underneath cost no companion, and repairs go on', async () => {
    const before = await policies('shops')
    const began = Date.now()
    await cluster.controlPlane.applyCrds(...crdFiles('gateway-api'))
    await sleep(10_000)
    const writes = writesIn('shops', began)
    await succeeds(cluster.controlPlane, [
      'delete',
      'httproutes',
      '-n',
      'shops',
      '-l',
      'app.kubernetes.io/managed-by=portcullis',
    ])
    const deletedAt = Date.now()
    await until('the login is back', async () => (await cluster.all('httproutes', '-n', 'shops')).length === 2, 60_000)
    print(
      `upgraded underneath: ${writes.length} writes, a login is back ${Date.now() - deletedAt} ms after it was deleted`,
    )
    expect(writes).toEqual([])
    expect(await policies('shops')).toEqual(before)
  }, 180_000)

  test('what belonged to a team and to a namespace that are gone is gone after minutes, guards last', async () => {
    while ((await ofLeaving()).length > 0 && Date.now() < left.at + TEN_MINUTES_MS) {
      await lookedAtEverything(cluster, controller)
      await sleep(10_000)
    }
    const took = Date.now() - left.at
    const removed = cluster.audit.writes().filter(each => each.verb === 'delete' && each.at >= left.at)
    const order = removed
      .map(each => `${each.resource.split('.')[0]} ${each.namespace}/${each.name}`)
      .filter(each => LEAVING.some(name => each.includes(name)))
    print(`orphans: ${(await ofLeaving()).length} left after ${took} ms; in order: ${order.join(', ')}`)
    expect(await ofLeaving()).toEqual([])
    const at = (text: string) => order.findIndex(each => each.includes(text))
    expect(at('leaving/portcullis-team.leaving')).toBeGreaterThanOrEqual(0)
    expect(at('leaving/portcullis-zz')).toBeGreaterThan(at('leaving/portcullis-team.leaving'))
    expect(at('referencegrants logins/portcullis-from.leaving')).toBeGreaterThan(at('leaving/portcullis-zz'))
  }, 660_000)
})

function elsewhere(name: string): KubeObject {
  const { spec, ...rest } = team(name, name, `${name}.example.com`)
  const proxy = { ...object(object(spec).proxy), service: { namespace: 'logins', name: 'oauth2-proxy' } }
  return { ...rest, spec: { ...object(spec), proxy } }
}

function quotaOf(of: string, resource: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'few', namespace: of },
    spec: { hard: { [resource]: '1' } },
  }
}

function scopeOf({ metadata }: KubeObject): string {
  return strings(metadata.annotations)['auth.example/scope'] ?? ''
}
