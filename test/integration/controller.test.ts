// The controller as it is installed, on a real API server: what it makes, repairs and takes back.
import { afterAll, beforeAll, test } from '@jest/globals'
import { strings } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { describeWithParts } from '../parts/require.ts'
import { until } from './api.ts'
import { httpRoute, ingress, namespace, securityPolicy, team } from './cluster-objects.ts'
import { type ControllerCluster, controllerParts, serve, startControllerCluster } from './controller-cluster.ts'
import type { Replica } from './installed.ts'
import { applied, inYaml } from './objects.ts'

describeWithParts('the controller', controllerParts, () => {
  let cluster: ControllerCluster
  let webhook: Replica
  const names = async (kind: string) => (await cluster.all(kind, '-n', 'shops')).map(each => String(each.metadata.name))
  const isStored = async (document: KubeObject) =>
    (await cluster.controlPlane.kubectl(['apply', '-f', '-'], inYaml([document]))).code === 0

  beforeAll(async () => {
    cluster = await startControllerCluster()
    await applied(cluster.controlPlane, namespace('shops'))
    webhook = (await serve(cluster)).webhook
  }, 180_000)

  afterAll(() => cluster?.stop())

  test('makes the guards of a team before there is any route', async () => {
    await applied(cluster.controlPlane, team('team-a', 'shops'))
    await until('guards', async () => (await names('securitypolicies')).length === 2)
  }, 120_000)

  test('a labelled route is admitted once they have settled, and gets its login path', async () => {
    await until('admitted', () => isStored(httpRoute('cart', 'shops', 'cart.team-a.example.com')))
    await until('passthrough', async () => (await names('httproutes')).length === 2)
  }, 120_000)

  test('what somebody edits or deletes is right again', async () => {
    const policy = securityPolicy('portcullis-team.team-a', 'shops')
    const spec = async () => JSON.stringify((await cluster.get(policy))?.spec)
    const before = await spec()
    await cluster.api.patch(policy, { spec: { authorization: { defaultAction: 'Allow' } } })
    await until('repaired', async () => (await spec()) === before)
    await cluster.api.remove(policy)
    await until('made again', async () => (await names('securitypolicies')).length === 2)
    await until('net followed', async () => (await names('securitypolicies')).some(each => each.endsWith('net.2')))
  }, 120_000)

  test('an Ingress from before gets its protection, and loses it with its label', async () => {
    await cluster.withoutAdmission()
    await webhook.kill()
    const route = ingress('old', 'old.team-a.example.com')
    await until('stored', () => isStored(route))
    const isProtected = async () =>
      'nginx.ingress.kubernetes.io/auth-url' in strings((await cluster.get(route))?.metadata.annotations)
    await until('protected', isProtected)
    await cluster.api.patch(route, { metadata: { labels: { 'auth.example/protect': null } } })
    await until('released', async () => !(await isProtected()))
  }, 120_000)
})
