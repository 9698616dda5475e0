// The controller as it is installed, on a real API server: what it makes, repairs and takes back.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, test } from '@jest/globals'
import { object } from '../../src/core/json.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { crdFiles } from '../parts/crds.ts'
import { describeWithParts } from '../parts/require.ts'
import { CONFIG, ENVOY, GATEWAY, httpRoute, ingress, NGINX, namespace, team } from './cluster-objects.ts'
import { until } from './cluster-webhook.ts'
import { type Installed, install } from './installed.ts'
import { applied, inYaml, succeeds } from './objects.ts'
import type { Pod } from './pods.ts'

describeWithParts('the controller', [...controlPlaneParts, 'envoy-gateway-crds'], () => {
  let controlPlane: ControlPlane
  let installed: Installed
  let controller: Pod
  const names = async (kind: string, ...args: string[]) =>
    (await succeeds(controlPlane, ['get', kind, '-o', 'name', ...args])).trim().split('\n').filter(Boolean)

  beforeAll(async () => {
    controlPlane = await startControlPlane({ dir: mkdtempSync(join(tmpdir(), 'portcullis-')) })
    await controlPlane.applyCrds(...crdFiles('envoy-gateway'))
    installed = await install(controlPlane)
    await (await installed.start({ config: CONFIG })).ready()
    await applied(controlPlane, NGINX, ENVOY, namespace('gateways'), namespace('shops'), GATEWAY)
  }, 180_000)

  afterAll(async () => {
    await installed?.stop()
    await controlPlane?.stop()
  })

  test('makes the guards of a team before there is any route', async () => {
    controller = await installed.startController({ config: CONFIG })
    await controller.ready()
    await until(async () => (await controller.metric('portcullis_leader')) === 1, 'it leads')
    await applied(controlPlane, team('team-a', 'shops'))
    await until(async () => (await names('securitypolicies', '-n', 'shops')).length === 2, 'guards')
  }, 120_000)

  test('a labelled route is admitted once they have settled, and gets its login path', async () => {
    const route = httpRoute('cart', 'shops', 'cart.team-a.example.com')
    await until(async () => (await controlPlane.kubectl(['apply', '-f', '-'], inYaml([route]))).code === 0, 'admitted')
    await until(async () => (await names('httproutes', '-n', 'shops')).length === 2, 'passthrough')
  }, 120_000)

  test('what somebody edits or deletes is right again', async () => {
    const guard = 'securitypolicy/portcullis-team.team-a'
    const spec = async () =>
      object(JSON.parse(await succeeds(controlPlane, ['get', guard, '-n', 'shops', '-o', 'json']))).spec
    const before = await spec()
    await succeeds(controlPlane, [
      'patch',
      guard,
      '-n',
      'shops',
      '--type=merge',
      '-p',
      '{"spec":{"authorization":{"defaultAction":"Allow"}}}',
    ])
    await until(async () => JSON.stringify(await spec()) === JSON.stringify(before), 'repaired')
    await succeeds(controlPlane, ['delete', guard, '-n', 'shops'])
    await until(async () => (await names('securitypolicies', '-n', 'shops')).length === 2, 'made again')
    await until(
      async () => (await names('securitypolicies', '-n', 'shops')).some(each => each.endsWith('net.2')),
      'net followed',
    )
  }, 120_000)

  test('an Ingress from before gets its protection, and loses it with its label', async () => {
    for (const replica of installed.replicas) await replica.kill()
    const off = 'validatingadmissionpolicybindings,validatingwebhookconfigurations,mutatingwebhookconfigurations'
    await succeeds(controlPlane, ['delete', off, '-l', 'app.kubernetes.io/name=portcullis'])
    const route = ingress('old', 'old.team-a.example.com')
    await until(async () => (await controlPlane.kubectl(['apply', '-f', '-'], inYaml([route]))).code === 0, 'stored')
    const annotations = async () => {
      const { metadata } = JSON.parse(
        await succeeds(controlPlane, ['get', 'ingress', 'old', '-n', 'shops', '-o', 'json']),
      )
      return object(metadata.annotations)
    }
    await until(async () => 'nginx.ingress.kubernetes.io/auth-url' in (await annotations()), 'protected')
    await succeeds(controlPlane, ['label', 'ingress', 'old', '-n', 'shops', 'auth.example/protect-'])
    await until(async () => !('nginx.ingress.kubernetes.io/auth-url' in (await annotations())), 'released')
  }, 120_000)
})
