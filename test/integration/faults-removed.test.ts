// What Portcullis stands on is taken away: the definition of teams, every replica, its configuration. Nothing opens.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { array, type JsonObject, object } from '../../src/core/json.ts'
import { PROTECT } from '../../src/core/keys.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { MANIFESTS } from '../manifests/documents.ts'
import { startControllerManager } from '../parts/controller-manager.ts'
import type { RunningPart } from '../parts/process.ts'
import { describeWithParts } from '../parts/require.ts'
import { pathOf, until } from './api.ts'
import { namespace } from './cluster-objects.ts'
import { type Cluster, labelled, startCluster, TEAM, unlabelled } from './faults.ts'
import type { Replica } from './installed.ts'
import { installedParts } from './installed-cluster.ts'
import { failed, figures, isProtected, type Load, notYet, startLoad, texts, unprotected } from './load.ts'
import { applied, inYaml, succeeds } from './objects.ts'

const DEFINITION = 'authteams.auth.example'
const AUTH_URL = 'nginx.ingress.kubernetes.io/auth-url'
const PER_SECOND = 50
const ROUTES = Array.from({ length: 20 }, (_, i) => labelled(`kept-${i}`))

describeWithParts('a cluster with protected routes', installedParts, () => {
  let cluster: Cluster
  const loads: Load[] = []

  const stored = async (): Promise<JsonObject[]> => {
    const { body } = await cluster.api.send('GET', '/apis/networking.k8s.io/v1/namespaces/shops/ingresses')
    return array(body.items).map(object)
  }
  const versions = async () =>
    (await stored()).map(({ metadata }) => [object(metadata).name, object(metadata).resourceVersion])
  const dryPatch = (route: KubeObject, changes: object) =>
    cluster.api.send('PATCH', `${pathOf(route)}?dryRun=All`, changes)
  const metric = (name: string) => (cluster.installed.replicas[0] as Replica).metric(name)
  const serves = () => until('it serves', async () => (await cluster.tried(labelled('probe'))).status === 201)

  beforeAll(async () => {
    cluster = await startCluster(1)
    for (const route of ROUTES) expect(await cluster.api.create(route)).toMatchObject({ status: 201 })
  }, 180_000)

  afterAll(async () => {
    for (const each of loads) await each.stop()
    await cluster?.stop()
  }, 60_000)

  describe('and no definition of teams, deleted under load', () => {
    let before: unknown[]
    let sent: Awaited<ReturnType<Load['stop']>>
    const [kept] = ROUTES as [KubeObject]
    const moved = object(labelled('moved').spec)

    beforeAll(async () => {
      before = await versions()
      const load = startLoad(cluster.controlPlane, {
        perSecond: PER_SECOND,
        route: turn => (turn % 2 === 0 ? labelled : unlabelled)(`load-${turn}`),
        isDryRun: () => true,
      })
      loads.push(load)
      await until('it is under way', async () => load.answered.length > PER_SECOND)
      await succeeds(cluster.controlPlane, ['delete', 'customresourcedefinition', DEFINITION])
      await until('its teams are gone', async () => (await metric('portcullis_facts{kind="AuthTeam"}')) === 0)
      await until('it is missed', async () => (await metric('portcullis_watch_absent{kind="AuthTeam"}')) === 1)
      const soFar = load.answered.length
      await until('the load has seen it', async () => load.answered.length > soFar + 2 * PER_SECOND)
      sent = await load.stop()
      process.stdout.write(figures('the definition of teams deleted', sent))
      process.stdout.write(`${texts(sent).join('\n')}\n`)
    }, 120_000)

    test('refuses new labels in words, and is in nobody else’s way', async () => {
      expect(unprotected(sent)).toEqual([])
      expect(sent.filter(({ isLabelled, status }) => !isLabelled && status !== 201)).toEqual([])
      const refused = [...failed(sent), ...notYet(sent)]
      expect(refused.length).toBeGreaterThan(0)
      for (const { status, message } of refused)
        expect({ status, message }).toEqual({
          status: status === 429 ? 429 : 403,
          message: expect.stringContaining('team'),
        })
    })

    test('has not touched one stored route', async () => {
      expect(before).toHaveLength(ROUTES.length)
      expect(await versions()).toEqual(before)
    })

    test('lets owners write what decides nothing, and take nothing off but the label', async () => {
      const note = { metadata: { annotations: { note: 'a' } } }
      expect(await dryPatch(kept, note)).toMatchObject({ status: 200 })
      for (const changes of [{ metadata: { annotations: { [AUTH_URL]: null } } }, { spec: { rules: moved.rules } }])
        expect(await dryPatch(kept, changes)).toMatchObject({ status: 403 })
      const released = await dryPatch(kept, { metadata: { labels: { [PROTECT]: null } } })
      expect(released).toMatchObject({ status: 200 })
      expect(object(object(released.body.metadata).annotations)[AUTH_URL]).toBeUndefined()
    })

    test('has everything back with the definition and the teams, by itself', async () => {
      await cluster.controlPlane.applyCrds(`${MANIFESTS}/crds`)
      await applied(cluster.controlPlane, TEAM)
      await serves()
      expect(await metric('portcullis_facts{kind="AuthTeam"}')).toBe(1)
      expect(await metric('portcullis_facts{kind="Ingress"}')).toBe(ROUTES.length)
      expect(await versions()).toEqual(before)
      const planned = await dryPatch(kept, { spec: { rules: moved.rules } })
      expect(planned).toMatchObject({ status: 200 })
      expect(isProtected(object(planned.body.metadata))).toBe(true)
    }, 120_000)
  })

  describe('and no replica, killed', () => {
    const kubectl = (command: string, document: KubeObject) =>
      cluster.controlPlane.kubectl([command, '-f', '-'], inYaml([document]))
    const [kept] = ROUTES as [KubeObject]

    beforeAll(() => (cluster.installed.replicas[0] as Replica).kill())

    test('takes routes without the label from kubectl, and says about one with it who did not answer', async () => {
      for (const command of ['create', 'apply'])
        expect(await kubectl(command, unlabelled(`by-${command}`))).toMatchObject({ code: 0, stderr: '' })
      expect(await kubectl('apply', unlabelled('by-create'))).toMatchObject({ code: 0 })
      expect(await kubectl('create', labelled('refused'))).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/failed calling webhook "validate\.auth\.example".*portcullis-webhook/),
      })
      const label = ['label', 'ingress', 'by-create', '-n', 'shops', `${PROTECT}=true`]
      expect(await cluster.controlPlane.kubectl(label)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('failed calling webhook "validate.auth.example"'),
      })
      expect(await kubectl('delete', unlabelled('by-create'))).toMatchObject({ code: 0 })
      expect(await kubectl('delete', ROUTES[1] as KubeObject)).toMatchObject({ code: 0 })
    }, 60_000)

    test('and no configuration that asks one, still takes no new label without its protection', async () => {
      await succeeds(cluster.controlPlane, ['delete', 'validatingwebhookconfiguration', 'portcullis'])
      await until('it is not asked', async () => (await cluster.tried(labelled('refused'))).status === 422)
      expect(await kubectl('create', labelled('refused'))).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('validatingwebhookconfiguration-portcullis-is-missing'),
      })
      expect(await kubectl('create', unlabelled('without'))).toMatchObject({ code: 0, stderr: '' })
      await succeeds(cluster.controlPlane, ['apply', '-k', `${cluster.controlPlane.dir}/certs`])
    }, 60_000)

    test('nor where the configuration lets it go on without an answer', async () => {
      const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/portcullis'
      const { body } = await cluster.api.send('GET', path)
      const webhooks = array(body.webhooks).map(each => ({ ...object(each), failurePolicy: 'Ignore' }))
      expect(await cluster.api.send('PUT', path, { ...body, webhooks })).toMatchObject({ status: 200 })
      await until('the policy decides', async () => (await cluster.tried(labelled('refused'))).status === 403)
      for (const refused of [
        await kubectl('create', labelled('refused')),
        await cluster.controlPlane.kubectl(['label', 'ingress', 'without', '-n', 'shops', `${PROTECT}=true`]),
      ])
        expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('but not the protection') })
      expect(await dryPatch(kept, { metadata: { annotations: { [AUTH_URL]: null } } })).toMatchObject({ status: 403 })
      expect((await stored()).filter(isOpen)).toEqual([])
      await succeeds(cluster.controlPlane, ['apply', '-k', `${cluster.controlPlane.dir}/certs`])
    }, 60_000)
  })

  describeWithParts('and nothing of ours that runs', ['kube-controller-manager'], () => {
    let controllers: RunningPart

    beforeAll(async () => {
      controllers = await startControllerManager(cluster.controlPlane)
    }, 60_000)

    afterAll(() => controllers?.stop('SIGKILL'))

    test('loses a namespace that is deleted, with its routes, however strict it is', async () => {
      const strict = { [PROTECT]: 'true', 'auth.example/require': 'enforce' }
      expect(await cluster.api.patch(namespace('shops'), { metadata: { labels: strict } })).toMatchObject({
        status: 200,
      })
      expect((await stored()).length).toBeGreaterThan(ROUTES.length - 2)
      await succeeds(cluster.controlPlane, ['delete', 'namespace', 'shops', '--wait=false'])
      const gone = async () => (await cluster.api.send('GET', '/api/v1/namespaces/shops')).status === 404
      await until('the namespace is gone', gone)
      expect(await stored()).toEqual([])
    }, 90_000)
  })

  test('serves the label again as soon as a replica is ready', async () => {
    await (await cluster.installed.start()).ready()
    await until('the namespace can be made', async () => {
      const { status } = await cluster.api.create(namespace('shops'))
      return status === 201 || status === 409
    })
    await serves()
    expect(await cluster.api.create(labelled('refused'))).toMatchObject({ status: 201 })
    expect((await stored()).filter(isOpen)).toEqual([])
  }, 90_000)
})

/** It has the label, and nothing asks for a login. */
function isOpen({ metadata }: JsonObject): boolean {
  return object(object(metadata).labels)[PROTECT] !== undefined && !isProtected(object(metadata))
}
