// Orphans and the contents of namespaces go as they do in a cluster, by the hands that do it there.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type ControlPlane, startControlPlane } from '../parts/control-plane.ts'
import { controllerManagerParts, startControllerManager } from '../parts/controller-manager.ts'
import type { RunningPart } from '../parts/process.ts'
import { describeWithParts } from '../parts/require.ts'
import { until } from './api.ts'

const restricted = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: collector-only}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [''], apiVersions: [v1], resources: [configmaps], operations: [DELETE]}]
  matchConditions: [{name: marked, expression: "'collector-only' in oldObject.metadata.?labels.orValue({})"}]
  validations:
  - expression: request.userInfo.username == 'system:serviceaccount:kube-system:generic-garbage-collector'
    message: only the garbage collector may
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: collector-only}
spec: {policyName: collector-only, validationActions: [Deny]}
`

describeWithParts('a control plane with controllers', controllerManagerParts, () => {
  let controlPlane: ControlPlane
  let controllerManager: RunningPart

  beforeAll(async () => {
    controlPlane = await startControlPlane({ dir: mkdtempSync(join(tmpdir(), 'portcullis-')) })
    controllerManager = await startControllerManager(controlPlane)
  }, 120_000)

  afterAll(async () => {
    await controllerManager?.stop('SIGKILL')
    await controlPlane?.stop()
  })

  const kubectl = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await controlPlane.kubectl(args)
    if (code !== 0) throw new Error(stderr)
    return stdout.trim()
  }
  const isGone = async (...what: string[]): Promise<boolean> =>
    (await kubectl('get', ...what, '--ignore-not-found', '-o', 'name')) === ''
  const create = async (...objects: object[]): Promise<void> => {
    const list = { apiVersion: 'v1', kind: 'List', items: objects }
    const { code, stderr } = await controlPlane.kubectl(['create', '-f', '-'], JSON.stringify(list))
    if (code !== 0) throw new Error(stderr)
  }
  const configMap = (name: string, metadata: object = {}) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default', ...metadata },
  })
  const ownedBy = async (owner: string) => {
    const uid = await kubectl('get', 'configmap', owner, '-o', 'jsonpath={.metadata.uid}')
    return { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: owner, uid }] }
  }

  test('an object whose owner is deleted is collected, and one whose owner lives is not', async () => {
    await create(configMap('owner'), configMap('other-owner'))
    await create(configMap('owned', await ownedBy('owner')), configMap('kept', await ownedBy('other-owner')))
    await kubectl('delete', 'configmap', 'owner')
    await until('the owned object is gone', () => isGone('configmap', 'owned'))
    expect(await isGone('configmap', 'kept')).toBe(false)
  }, 90_000)

  test('a deleted namespace goes, with what is in it', async () => {
    await create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'going' } })
    await create(configMap('inside', { namespace: 'going' }))
    await kubectl('delete', 'namespace', 'going', '--wait=false')
    await until('the namespace is gone', () => isGone('namespace', 'going'))
    expect(await isGone('configmap', 'inside', '--namespace=going')).toBe(true)
  }, 90_000)

  test('the garbage collector acts as the service account that a cluster gives it', async () => {
    const applied = await controlPlane.kubectl(['apply', '--server-side', '-f', '-'], restricted)
    expect(applied).toMatchObject({ code: 0, stderr: '' })
    await create(configMap('first'), configMap('probe', { labels: { 'collector-only': '' } }))
    const refusesOthers = async () =>
      (await controlPlane.kubectl(['delete', 'configmap', 'probe', '--dry-run=server'])).code !== 0
    await until('the policy is in force', refusesOthers)
    await create(configMap('marked', { labels: { 'collector-only': '' }, ...(await ownedBy('first')) }))
    await kubectl('delete', 'configmap', 'first')
    await until('the marked object is gone', () => isGone('configmap', 'marked'))
  }, 90_000)

  test('the controllers outlive a restart of the API server', async () => {
    await controlPlane.restartApiServer()
    await create(configMap('elder'))
    await create(configMap('younger', await ownedBy('elder')))
    await kubectl('delete', 'configmap', 'elder')
    await until('the owned object is gone', () => isGone('configmap', 'younger'))
    expect(controllerManager.hasEnded()).toBe(false)
  }, 120_000)
})
