// Portcullis leaves: what its owners wrote is all that is left, in every kind that the API server knows. And the one line
// that takes it out of everybody's way without touching anything else.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { eject } from '../../src/commands/eject.ts'
import { object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { captured } from '../commands/portcullis.ts'
import { MANIFESTS, text } from '../manifests/documents.ts'
import { type ControlPlane, startControlPlane } from '../parts/control-plane.ts'
import { controllerManagerParts, startControllerManager } from '../parts/controller-manager.ts'
import type { RunningPart } from '../parts/process.ts'
import { describeWithParts } from '../parts/require.ts'
import { type Api, connect, pathOf, until } from './api.ts'
import { CONFIG, ENVOY, GATEWAY, httpRoute, NGINX, namespace } from './cluster-objects.ts'
import { labelled, TEAM } from './faults.ts'
import { gatewayDefinitions } from './gateway-definitions.ts'
import { type Installed, install } from './installed.ts'
import { isProtected } from './load.ts'
import { applied, content, succeeds } from './objects.ts'
import type { Pod } from './pods.ts'

const WITHIN_MS = 120_000
const INGRESS = labelled('shop')
const ROUTES = [INGRESS, httpRoute('cart', 'shops', 'cart.team-a.example.com')]

const parts = [...controllerManagerParts, 'envoy-gateway-crds', 'traefik-crds'] as const
describeWithParts('Portcullis, when it goes', parts, () => {
  let controlPlane: ControlPlane
  let manager: RunningPart
  let api: Api
  let installed: Installed
  let controller: Pod
  let before: readonly string[]
  let bare: readonly object[]

  const kubectl = (...args: string[]) => succeeds(controlPlane, args)
  /** Of every kind but Events, which go by themselves within the hour. */
  const everything = async () => {
    const kinds = (await kubectl('api-resources', '--verbs=list', '-o', 'name')).trim().split('\n')
    const kept = kinds.filter(each => !each.startsWith('events'))
    const lines = await kubectl(
      ...['get', kept.join(','), '-A', '--no-headers', '-o'],
      'custom-columns=A:.apiVersion,K:.kind,S:.metadata.namespace,N:.metadata.name',
    )
    return lines
      .trim()
      .split('\n')
      .map(line => line.split(/ +/).join(' '))
      .sort()
  }
  const stored = async () => {
    const documents = ROUTES.map(async each => (await api.send('GET', pathOf(each))).body as unknown as KubeObject)
    return Promise.all(documents)
  }

  beforeAll(async () => {
    controlPlane = await startControlPlane({ dir: mkdtempSync(join(tmpdir(), 'portcullis-')) })
    await controlPlane.applyCrds(...gatewayDefinitions())
    manager = await startControllerManager(controlPlane)
    api = connect(controlPlane)
    await applied(controlPlane, NGINX, ENVOY, namespace('shops'), namespace('gateways'), GATEWAY)
    await succeeds(controlPlane, ['apply'], ROUTES)
    bare = (await stored()).map(content)
    before = await everything()
    installed = await install(controlPlane, 'self')
    const config = CONFIG as unknown as KubeObject
    controller = await installed.startController({ config })
    await installed.start({ config })
    await until('a team is admitted', async () => (await api.create(TEAM)).status === 201, WITHIN_MS)
    const isDone = async () =>
      (await stored()).every(each => JSON.stringify(content(each)).includes('auth.example/injected'))
    await until('what was there before is protected', isDone, WITHIN_MS)
  }, 300_000)

  afterAll(async () => {
    api?.close()
    await installed?.stop()
    await manager?.stop('SIGKILL')
    await controlPlane?.stop()
  }, 60_000)

  test('is out of everybody’s way after the line that the README has for it, and comes back with one', async () => {
    const [line] = /^kubectl delete .*$/m.exec(text('README.md').split('## Switching it off')[1] ?? '') ?? []
    expect(line).toBeDefined()
    await Promise.all(installed.replicas.map(each => each.kill()))
    const later = labelled('later')
    await until('nobody answers for a label', async () => (await api.create(later)).status === 500)
    const began = performance.now()
    await kubectl(...String(line).split(' ').slice(1))
    await until('nobody is asked', async () => (await api.create(later)).status === 201)
    process.stdout.write(`the glass broken: a route is taken after ${Math.round(performance.now() - began)} ms\n`)
    for (const each of await stored()) expect(JSON.stringify(content(each))).toContain('auth.example/injected')
    const changed = { metadata: { annotations: { 'nginx.ingress.kubernetes.io/auth-url': 'http://other.example' } } }
    expect(await api.patch(INGRESS, changed, undefined, '?dryRun=All')).toMatchObject({ status: 200 })
    await kubectl('apply', '-k', MANIFESTS)
    await installed.start({ config: CONFIG as unknown as KubeObject })
    await until(
      'it is back',
      async () => (await api.create(labelled('probe'), undefined, '?dryRun=All')).status === 201,
    )
    const isRight = async () => {
      const { body } = await api.send('GET', pathOf(later))
      return isProtected(object(body.metadata))
    }
    await until('what came in meanwhile is protected', isRight, WITHIN_MS)
    expect(await api.remove(later)).toMatchObject({ status: 200 })
  }, 200_000)

  test('leaves nothing behind after eject and kubectl delete -k', async () => {
    const own = (await everything()).filter(each => !before.includes(each))
    expect(own.length).toBeGreaterThan(30)
    // What kubelets do when the Deployment is scaled down.
    const told = ['get', 'deployment', 'portcullis-controller', '-n', 'portcullis', '-o', 'jsonpath={.spec.replicas}']
    const followed = until('it is told to end', async () => (await kubectl(...told)) === '0', WITHIN_MS).then(() =>
      controller.terminate(),
    )
    const io = captured()
    const code = await eject({ kubeconfig: controlPlane.kubeconfig, yes: true }, io, { ask: undefined })
    await followed
    expect({ code, err: io.text.err }).toEqual({ code: 0, err: '' })
    const [, line] = /&& kubectl (delete .*)$/m.exec(text('README.md')) ?? []
    await kubectl(...String(line).replace('manifests', MANIFESTS).split(' '))
    await until('all of it is gone', async () => (await everything()).length === before.length, WITHIN_MS).catch(
      () => {},
    )
    const after = await everything()
    process.stdout.write(`of ${own.length} objects are left: ${after.length - before.length}\n`)
    expect(after).toEqual(before)
    expect((await stored()).map(content)).toEqual(bare)
    expect(await api.create(labelled('free'))).toMatchObject({ status: 201 })
  }, 300_000)
})
