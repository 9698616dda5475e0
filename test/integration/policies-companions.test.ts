// Companions on a real API server with no pod of ours: only those write them whom a policy lets through.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { MANAGED_BY, MANAGER } from '../../src/core/keys.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { MANIFESTS } from '../manifests/documents.ts'
import { madeCompanions } from '../manifests/made-companions.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { describeWithParts } from '../parts/require.ts'
import { type Api, connect, pathOf, person, type Reply, serviceAccount, until } from './api.ts'
import { gatewayDefinitions } from './gateway-definitions.ts'
import { succeeds } from './objects.ts'
import { ingress, namespace, routeEditors } from './policy-objects.ts'

const CONTROLLER = serviceAccount('portcullis', 'portcullis-controller')
const NAMESPACE_CONTROLLER = serviceAccount('kube-system', 'namespace-controller')
const GARBAGE_COLLECTOR = serviceAccount('kube-system', 'generic-garbage-collector')
/** May write what companions are, everywhere; the writer has our verb besides. */
const EDITOR = person('editor')
const WRITER = person('writer')
/** May do everything there is, our verb too, in one namespace. */
const TENANT = person('tenant')

/** Changes that would open something. */
const SPECS: Readonly<Record<string, object>> = {
  Ingress: { ingressClassName: 'mine' },
  HTTPRoute: { hostnames: ['mine.example.org'] },
  SecurityPolicy: { authorization: { defaultAction: 'Allow' } },
  Middleware: { forwardAuth: { address: 'http://mine.example.org' } },
  ReferenceGrant: { to: [{ group: '', kind: 'Service' }] },
}

const OURS = { [MANAGED_BY]: MANAGER }
const REFUSED = { status: 403, message: expect.stringContaining('is written by Portcullis alone') }

describeWithParts('companions', [...controlPlaneParts, 'envoy-gateway-crds', 'traefik-crds'], () => {
  let controlPlane: ControlPlane
  let api: Api
  let companions: readonly KubeObject[]

  const everyKind = () => [...new Map(companions.map(each => [each.kind, each])).values()]
  const inShop = () => companions.filter(each => each.metadata.namespace === 'shop')
  const expectAll = async (replies: Promise<Reply>[], expected: object) => {
    expect(replies.length).toBeGreaterThan(0)
    for (const reply of await Promise.all(replies)) expect(reply).toMatchObject(expected)
  }

  beforeAll(async () => {
    controlPlane = await startControlPlane({ dir: mkdtempSync(join(tmpdir(), 'portcullis-')) })
    await controlPlane.applyCrds(...gatewayDefinitions())
    await succeeds(controlPlane, ['apply', '-k', MANIFESTS])
    api = connect(controlPlane)
    const made = (await madeCompanions()).map(each => each.object)
    companions = [...new Map(made.map(each => [pathOf(each), each])).values()]
    const names = new Set(companions.map(each => String(each.metadata.namespace)))
    const needed = [...[...names].map(name => namespace(name)), ...routeEditors('editor', 'writer', CONTROLLER.name)]
    for (const each of needed) await api.create(each)
    await succeeds(
      controlPlane,
      'create clusterrolebinding w --clusterrole=portcullis-companion-writer --user=writer'.split(' '),
    )
    await succeeds(controlPlane, 'create rolebinding t -n shop --clusterrole=cluster-admin --user=tenant'.split(' '))
    const probe = ingress('probe', { namespace: 'shop', labels: OURS })
    await until('the policy', async () => (await api.create(probe, EDITOR, '?dryRun=All')).status === 403)
  }, 180_000)

  afterAll(async () => {
    api?.close()
    await controlPlane?.stop()
  })

  test('are made by the controller, of every kind', async () => {
    expect(everyKind().length).toBeGreaterThan(6)
    await expectAll(
      companions.map(each => api.create(each, CONTROLLER)),
      { status: 201 },
    )
  }, 30_000)

  test('are not made, changed, given away or deleted by somebody else', async () => {
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'mine', uid: 'x' }
    const changes = [
      { labels: { [MANAGED_BY]: null } },
      { labels: { ...OURS, another: 'label' } },
      { annotations: { a: 'b' } },
      { ownerReferences: [owner] },
    ]
    for (const each of everyKind()) {
      const another = { ...each, metadata: { ...each.metadata, name: 'another' } }
      await expectAll([api.create(another, EDITOR), api.remove(each, EDITOR)], REFUSED)
      const spec = SPECS[each.kind]
      const patches = [...changes.map(metadata => ({ metadata })), ...(spec === undefined ? [] : [{ spec }])]
      await expectAll(
        patches.map(patch => api.patch(each, patch, EDITOR)),
        REFUSED,
      )
    }
  }, 30_000)

  test('are out of reach of a tenant who may do everything in the namespace', async () => {
    expect(inShop().length).toBeGreaterThan(3)
    await expectAll(
      inShop().map(each => api.remove(each, TENANT)),
      REFUSED,
    )
    const path = pathOf(inShop()[0] as KubeObject)
    expect(await api.send('DELETE', path.slice(0, path.lastIndexOf('/')), undefined, TENANT)).toMatchObject(REFUSED)
    expect((await api.send('GET', path)).status).toBe(200)
  }, 30_000)

  test('are not what a tenant can make a route of theirs look like', async () => {
    const own = ingress('own', { namespace: 'shop' })
    expect(await api.create(own, TENANT)).toMatchObject({ status: 201 })
    const label = { metadata: { labels: OURS } }
    await expectAll([api.patch(own, label, TENANT), api.patch(own, label, TENANT, '/status')], REFUSED)
    // Nobody else's label is in the way.
    const labelled = { metadata: { labels: { [MANAGED_BY]: 'Helm' } } }
    expect(await api.patch(own, labelled, TENANT)).toMatchObject({ status: 200 })
    expect(await api.remove(own, TENANT)).toMatchObject({ status: 200 })
  })

  test('are written by who holds our verb in the whole cluster', async () => {
    const change = { metadata: { annotations: { a: 'b' } } }
    await expectAll(
      everyKind().map(each => api.patch(each, change, WRITER)),
      { status: 200 },
    )
  })

  test('get finalizers and a status from others', async () => {
    const passthrough = everyKind().find(each => each.kind === 'Ingress') as KubeObject
    for (const finalizers of [['example.com/balancer'], null])
      expect(await api.patch(passthrough, { metadata: { finalizers } }, EDITOR)).toMatchObject({ status: 200 })
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } }
    expect(await api.patch(passthrough, { status }, EDITOR, '/status')).toMatchObject({ status: 200 })
  })

  test('are deleted by what empties a namespace, what collects garbage, and anybody while the namespace goes', async () => {
    const [first, second, third, ...others] = inShop() as [KubeObject, KubeObject, KubeObject, ...KubeObject[]]
    expect(await api.remove(first, NAMESPACE_CONTROLLER)).toMatchObject({ status: 200 })
    expect(await api.remove(second, GARBAGE_COLLECTOR)).toMatchObject({ status: 200 })
    expect(await api.remove(third, TENANT)).toMatchObject(REFUSED)
    await api.remove(namespace('shop'))
    await until('the policy sees it', async () => (await api.remove(third, TENANT)).status === 200)
    await expectAll(
      others.map(each => api.remove(each, NAMESPACE_CONTROLLER)),
      { status: 200 },
    )
  }, 60_000)
})
