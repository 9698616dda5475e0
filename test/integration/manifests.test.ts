// `kubectl apply -k` on an API server that has never seen any of it.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { array, object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { documents, MANIFESTS, one } from '../manifests/documents.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { crdFiles } from '../parts/crds.ts'
import { describeWithParts } from '../parts/require.ts'
import { type Api, connect, pathOf } from './api.ts'

describeWithParts('the manifests', [...controlPlaneParts, 'envoy-gateway-crds', 'traefik-crds'], () => {
  let controlPlane: ControlPlane
  let api: Api

  const apply = (...args: string[]) => controlPlane.kubectl(['apply', '-k', MANIFESTS, ...args])
  const stored = async () => Promise.all(documents.map(async each => (await api.send('GET', pathOf(each))).body))
  const versions = async () => (await stored()).map(each => object(each.metadata).resourceVersion)

  beforeAll(async () => {
    controlPlane = await startControlPlane({ dir: mkdtempSync(join(tmpdir(), 'portcullis-')) })
    api = connect(controlPlane)
  }, 120_000)

  afterAll(async () => {
    api?.close()
    await controlPlane?.stop()
  })

  test('are applied with one command, to a cluster without any gateway', async () => {
    const { code, stdout, stderr } = await apply()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.trim().split('\n')).toHaveLength(documents.length + 1)
    expect(await versions()).not.toContain(undefined)
  }, 60_000)

  test('are what they were when they are applied again', async () => {
    const before = await versions()
    expect(await apply()).toMatchObject({ code: 0, stderr: '' })
    expect(await versions()).toEqual(before)
  }, 60_000)

  test('are as they were after the definitions of the gateways have come', async () => {
    const before = await versions()
    await controlPlane.applyCrds(...crdFiles('envoy-gateway'), ...crdFiles('traefik'))
    expect(await apply()).toMatchObject({ code: 0, stderr: '' })
    expect(await versions()).toEqual(before)
  }, 180_000)

  test('can be taken over by server-side apply', async () => {
    const { code, stderr } = await apply('--server-side', '--force-conflicts')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  }, 60_000)

  test('have expressions that the API server compiles', async () => {
    for (const { kind, spec, status } of await stored()) {
      if (kind !== 'ValidatingAdmissionPolicy') continue
      expect(object(spec).failurePolicy).toMatch(/^(Fail|Ignore)$/)
      expect(object(object(status).typeChecking).expressionWarnings ?? []).toEqual([])
    }
  }, 30_000)

  test.each(documents.filter(({ kind }) => kind === 'Deployment').map(each => [each.metadata.name, each] as const))(
    'hold pods of the %s that a namespace of the restricted kind takes, and no others',
    async (_, deployment) => {
      const { spec } = object(object(deployment.spec).template)
      const pod = (changes: object): KubeObject => ({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'one', namespace: 'portcullis' },
        spec: { ...object(spec), ...changes },
      })
      // kustomize would have put the tag on; any name of an image will do here.
      expect(await api.create(pod({}), undefined, '?dryRun=All')).toMatchObject({ status: 201 })
      const [container] = array(object(spec).containers).map(object)
      const root = { ...container, securityContext: { ...object(container?.securityContext), runAsUser: 0 } }
      const refused = await api.create(pod({ containers: [root] }), undefined, '?dryRun=All')
      expect(refused).toMatchObject({
        status: 403,
        message: expect.stringContaining('violates PodSecurity "restricted'),
      })
    },
    30_000,
  )

  test('let the priority of the pods be what they say', async () => {
    const { body } = await api.send('GET', pathOf(one('PriorityClass')))
    expect(body).toMatchObject({ value: 1_000_000 })
    expect(body.globalDefault ?? false).toBe(false)
  })
})
