// `portcullis eject` where Portcullis is installed and serves: admission first, then the controller, then what was done.
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type EjectOptions, eject } from '../../src/commands/eject.ts'
import { object } from '../../src/core/json.ts'
import { INJECTED } from '../../src/core/keys.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { captured } from '../commands/portcullis.ts'
import { describeWithParts } from '../parts/require.ts'
import { ingress, NGINX, namespace, team } from './cluster-objects.ts'
import { type InstalledCluster, installedParts, startInstalled } from './installed-cluster.ts'
import { applied, succeeds, versions } from './objects.ts'
import { everything, leftOvers } from './protected-cluster.ts'

const CONTROLLER = { namespace: 'portcullis', name: 'portcullis-controller' }

describeWithParts('eject of an installation', installedParts, () => {
  let cluster: InstalledCluster
  const route = ingress('shop', 'shop.team-a.example.com')
  const stored = async () =>
    JSON.parse(
      await succeeds(cluster.controlPlane, ['get', 'ingress', 'shop', '-n', 'shops', '-o', 'json']),
    ) as KubeObject
  const run = async (options: EjectOptions) => {
    const io = captured()
    const code = await eject({ kubeconfig: cluster.controlPlane.kubeconfig, ...options }, io, { ask: undefined })
    return { code, ...io.text }
  }
  const admission = () =>
    succeeds(cluster.controlPlane, [
      'get',
      'validatingadmissionpolicies,validatingadmissionpolicybindings,mutatingwebhookconfigurations,validatingwebhookconfigurations',
      ...['-l', 'app.kubernetes.io/name=portcullis', '-o', 'name'],
    ])

  beforeAll(async () => {
    cluster = await startInstalled()
    const { controlPlane } = cluster
    await applied(controlPlane, namespace('shops'), NGINX, team('team-a', 'shops'), lease())
    // The webhook hears of team and class a moment later.
    for (let i = 0; i < 100 && (await cluster.api.create(route)).status !== 201; i++)
      await new Promise(resolve => setTimeout(resolve, 100))
    expect(object((await stored()).metadata.annotations)[INJECTED]).toBeDefined()
  }, 240_000)

  afterAll(() => cluster?.stop())

  test('is refused for one namespace while webhooks would put it back, and --dry-run changes nothing', async () => {
    const before = versions(await everything(cluster.controlPlane))
    const there = await admission()
    expect(await run({ yes: true, namespace: 'shops' })).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('put it back at once'),
    })
    const { code, out } = await run({ dryRun: true })
    expect(code).toBe(0)
    expect(out).toMatch(
      /^taken out of admission:\n( {2}.*\n){6,}stopped:\n {2}the controller\nundone:\n {2}Ingress shops\/shop\n/,
    )
    expect(out).toContain('PUBLIC afterwards:\n  Ingress shops/shop  shop.team-a.example.com\n')
    expect(versions(await everything(cluster.controlPlane))).toEqual(before)
    expect(await admission()).toBe(there)
  }, 60_000)

  test('takes admission out, stops the controller, waits for its lease, and then undoes', async () => {
    const { code, out } = await run({ yes: true })
    expect({ code, out }).toMatchObject({ code: 0 })
    const at = (text: string) => {
      expect(out).toContain(text)
      return out.lastIndexOf(text)
    }
    const order = [
      at('ValidatingAdmissionPolicyBinding injected.auth.example: removed'),
      at('ValidatingAdmissionPolicy injected.auth.example: removed'),
      at('ValidatingWebhookConfiguration portcullis: removed'),
      at('controller: stopped'),
      at('Ingress shops/shop: as its owner wrote it'),
    ]
    expect(order).toEqual([...order].sort((a, b) => a - b))
    expect(await admission()).toBe('')
    // No pod runs here: what counts is what the Deployment is told.
    const replicas = [
      'get',
      'deployment',
      CONTROLLER.name,
      '-n',
      CONTROLLER.namespace,
      '-o',
      'jsonpath={.spec.replicas}',
    ]
    expect(await succeeds(cluster.controlPlane, replicas)).toBe('0')
    const { metadata } = await stored()
    expect(metadata.annotations).toBeUndefined()
    expect(metadata.labels).toEqual(object(route.metadata.labels))
    expect(await leftOvers(cluster.controlPlane)).toEqual([])
  }, 90_000)

  test('and nobody is asked about a label any more', async () => {
    const { status, body } = await cluster.api.create(ingress('later', 'later.team-a.example.com'))
    expect(status).toBe(201)
    expect(object(body.metadata).annotations).toBeUndefined()
  }, 30_000)
})

/** Of a controller that was killed: nobody gives it back. */
function lease(): KubeObject {
  const renewTime = new Date().toISOString().replace('Z', '000Z')
  const spec = { holderIdentity: 'killed', leaseDurationSeconds: 2, renewTime }
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: CONTROLLER, spec }
}
