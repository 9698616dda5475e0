// Who the webhook is may do what it needs, which is to read, and nothing else; and what who the controller is may do for
// certificates. That a run uses each of these rights is shown in certificates-self.test.ts and certificates-idle.test.ts.
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
const CONTROLLER = serviceAccount('portcullis', 'portcullis-controller')
const SECRETS = '/api/v1/namespaces/portcullis/secrets'
const CONFIGURATIONS = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'].map(
  each => `/apis/admissionregistration.k8s.io/v1/${each}`,
)
const OF_CA = '?fieldSelector=metadata.name%3Dportcullis-ca'
const OF_OURS = '?fieldSelector=metadata.name%3Dportcullis'

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
    const shared = namespace === 'portcullis' ? ['secrets [] [portcullis-ca] [list watch get]'] : []
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

  test('suffice to read, list and watch the Secret with the authority, by its name', async () => {
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'portcullis', name: 'portcullis-ca' } }
    expect(await api.create(secret)).toMatchObject({ status: 201 })
    expect(await status(`${SECRETS}/portcullis-ca`)).toBe(200)
    expect(await status(`${SECRETS}${OF_CA}`)).toBe(200)
    expect(await status(`${SECRETS}${OF_CA}&watch=true&timeoutSeconds=1`)).toBe(200)
  }, 30_000)

  test.each([
    [SECRETS, OF_CA, 200],
    [SECRETS, '', 403],
    [SECRETS, OF_OURS, 403],
    ...CONFIGURATIONS.flatMap((path): [string, string, number][] => [
      [path, OF_OURS, 200],
      [path, '', 403],
      [path, OF_CA, 403],
    ]),
  ])(
    'let the controller list and watch %s%s: %i',
    async (path, query, code) => {
      const asked = async (more: string) => (await api.read(`${path}${query}${more}`, CONTROLLER)).status
      const also = query === '' ? '?' : '&'
      expect([await asked(''), await asked(`${also}watch=true&timeoutSeconds=1`)]).toEqual([code, code])
    },
    30_000,
  )

  test('are the controller’s in our namespace and over our configurations, for certificates', async () => {
    const { objects } = await rightsOf(controlPlane, CONTROLLER, 'portcullis')
    expect(objects.filter(line => /^secrets|webhookconfigurations/.test(line))).toEqual([
      'mutatingwebhookconfigurations.admissionregistration.k8s.io [] [portcullis] [list watch get patch]',
      'secrets [] [] [create]',
      'secrets [] [portcullis-ca] [list watch get patch delete]',
      'validatingwebhookconfigurations.admissionregistration.k8s.io [] [portcullis] [list watch get patch]',
    ])
  }, 30_000)

  test.each([
    ['GET', '/api/v1/secrets'],
    ['GET', SECRETS],
    ['GET', `${SECRETS}?watch=true&timeoutSeconds=1`],
    ['GET', `${SECRETS}?fieldSelector=metadata.name%3Dportcullis-webhook-tls`],
    ['GET', `${SECRETS}?fieldSelector=metadata.name%21%3Dportcullis-ca`],
    ['GET', `/api/v1/secrets${OF_CA}`],
    ['GET', `${CONFIGURATIONS[0]}${OF_OURS}`],
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
