// The control plane that the integration tests run on holds the gateways' own definitions.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { crdFiles } from '../parts/crds.ts'
import { describeWithParts } from '../parts/require.ts'

const objects = `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: default}
spec:
  parentRefs: [{name: public}]
  hostnames: [shop.example.com]
  rules: [{backendRefs: [{name: shop, port: 80}]}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: shop, namespace: default}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop}]
  extAuth: {http: {backendRefs: [{name: oauth2-proxy, port: 80}]}}
---
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: shop, namespace: default}
spec:
  forwardAuth: {address: "http://oauth2-proxy.auth.svc/oauth2/auth"}
`

const twoTargets = `
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: refused, namespace: default}
spec:
  targetRef: {group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop}
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop}]
`

describeWithParts('a control plane', [...controlPlaneParts, 'envoy-gateway-crds', 'traefik-crds'], () => {
  let controlPlane: ControlPlane

  beforeAll(async () => {
    controlPlane = await startControlPlane({ dir: mkdtempSync(join(tmpdir(), 'portcullis-')) })
    await controlPlane.applyCrds(...crdFiles('envoy-gateway'), ...crdFiles('traefik'))
  }, 120_000)

  afterAll(() => controlPlane?.stop())

  test('stores a route and what each gateway needs to protect it', async () => {
    const applied = await controlPlane.kubectl(['apply', '--server-side', '-f', '-'], objects)
    expect(applied).toMatchObject({ code: 0, stderr: '' })

    const listed = await controlPlane.kubectl([
      'get',
      'httproutes,securitypolicies,middlewares.traefik.io',
      '-o',
      'name',
    ])
    expect(listed).toEqual({
      code: 0,
      stdout: [
        'httproute.gateway.networking.k8s.io/shop',
        'securitypolicy.gateway.envoyproxy.io/shop',
        'middleware.traefik.io/shop\n',
      ].join('\n'),
      stderr: '',
    })
  }, 30_000)

  test('refuses what a rule of a definition forbids, and gives kubectl its exit code and sentence', async () => {
    const refused = await controlPlane.kubectl(['create', '-f', '-'], twoTargets)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('either targetRef or targetRefs must be used')
  }, 30_000)

  test('gives a Service a clusterIP that a local process can listen on', async () => {
    const args = ['create', 'service', 'clusterip', 'webhook', '--tcp=443', '-o', 'jsonpath={.spec.clusterIP}']
    expect((await controlPlane.kubectl(args)).stdout).toMatch(/^127\.96\.\d+\.\d+$/)
  }, 30_000)
})
