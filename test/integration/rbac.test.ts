// Who the webhook is may do what it needs, which is to read, and nothing else.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { array, object } from '../../src/core/json.ts'
import { MANIFESTS, one } from '../manifests/documents.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { describeWithParts } from '../parts/require.ts'
import { type Api, connect, serviceAccount, until } from './api.ts'
import { gatewayDefinitions } from './gateway-definitions.ts'
import { EVERYBODY, rightsOf } from './rights.ts'

const WEBHOOK = serviceAccount('portcullis', 'portcullis-webhook')

/** Kinds with the version in which they are read. */
const READ: Readonly<Record<string, readonly string[]>> = {
  'apis/auth.example/v1alpha1': ['authteams', 'authexemptions'],
  'api/v1': ['namespaces'],
  'apis/networking.k8s.io/v1': ['ingressclasses', 'ingresses'],
  'apis/gateway.networking.k8s.io/v1': ['gatewayclasses', 'gateways', 'httproutes'],
  'apis/gateway.envoyproxy.io/v1alpha1': ['securitypolicies', 'clienttrafficpolicies'],
  'apis/traefik.io/v1alpha1': ['middlewares'],
}
const LISTS = Object.entries(READ).flatMap(([root, kinds]) => kinds.map(kind => `/${root}/${kind}`))

describeWithParts('the webhook’s own rights', [...controlPlaneParts, 'envoy-gateway-crds', 'traefik-crds'], () => {
  let controlPlane: ControlPlane
  let api: Api

  beforeAll(async () => {
    controlPlane = await startControlPlane({ dir: mkdtempSync(join(tmpdir(), 'portcullis-')) })
    await controlPlane.applyCrds(...gatewayDefinitions())
    expect(await controlPlane.kubectl(['apply', '-k', MANIFESTS])).toMatchObject({ code: 0 })
    api = connect(controlPlane)
    // A definition that is new is not served at once.
    for (const list of LISTS) await until(list, async () => (await api.send('GET', list)).status === 200)
  }, 180_000)

  afterAll(async () => {
    api?.close()
    await controlPlane?.stop()
  })

  test.each([
    'portcullis',
    'kube-system',
    'default',
  ])('are these and no more, in namespace %s as everywhere', async namespace => {
    const { objects, urls } = await rightsOf(controlPlane, WEBHOOK, namespace)
    const own = Object.entries(READ).flatMap(([root, kinds]) => {
      const group = root.split('/')[1] ?? ''
      return kinds.map(kind => `${group === 'v1' ? kind : `${kind}.${group}`} [] [] [list watch]`)
    })
    const shared = namespace === 'portcullis' ? ['secrets [] [portcullis-ca] [get]'] : []
    expect(objects).toEqual([...EVERYBODY, ...own, ...shared].sort())
    // What every account may ask for that has one: health, versions, discovery.
    for (const line of urls) expect(line).toMatch(/\[get]$/)
  }, 30_000)

  const status = async (path: string) => (await api.read(path, WEBHOOK)).status
  const each = async (ask: (path: string) => Promise<number>) =>
    Object.fromEntries(await Promise.all(LISTS.map(async path => [path, await ask(path)])))
  const all = (expected: number) => Object.fromEntries(LISTS.map(path => [path, expected]))

  test('suffice to list each of them and to watch it', async () => {
    expect(await each(status)).toEqual(all(200))
    expect(await each(path => status(`${path}?watch=true&timeoutSeconds=1`))).toEqual(all(200))
  }, 30_000)

  test.each([
    ['GET', '/api/v1/secrets'],
    ['GET', '/api/v1/namespaces/portcullis/secrets'],
    ['PATCH', '/api/v1/namespaces/portcullis/secrets/portcullis-ca'],
    ['GET', '/api/v1/namespaces/portcullis/secrets/portcullis-webhook-tls'],
    ['GET', '/api/v1/namespaces/portcullis/configmaps'],
    ['POST', '/apis/networking.k8s.io/v1/namespaces/default/ingresses'],
    ['PATCH', '/apis/auth.example/v1alpha1/authteams/a'],
    ['PATCH', '/apis/auth.example/v1alpha1/authteams/a/status'],
    ['DELETE', '/apis/gateway.envoyproxy.io/v1alpha1/namespaces/default/securitypolicies/a'],
    ['PATCH', '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/portcullis'],
    ['POST', '/apis/coordination.k8s.io/v1/namespaces/portcullis/leases'],
    ['POST', '/api/v1/namespaces/portcullis/serviceaccounts/portcullis-webhook/token'],
  ])('do not reach as far as %s %s', async (method, path) => {
    expect((await api.send(method, path, method === 'GET' ? undefined : {}, WEBHOOK)).status).toBe(403)
  })

  test('are asked for by the ClusterRole as they are listed here', () => {
    const rules = array(one('ClusterRole', 'portcullis-webhook').rules).map(object)
    const named = rules.flatMap(({ apiGroups, resources }) =>
      array(resources).map(each => `${String(each)}.${String(array(apiGroups)[0])}`),
    )
    const read = Object.entries(READ).flatMap(([root, kinds]) =>
      kinds.map(kind => `${kind}.${root === 'api/v1' ? '' : root.split('/')[1]}`),
    )
    expect(named).toEqual(read)
  })
})
