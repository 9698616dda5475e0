// Watches of every kind that is watched in a cluster: one that comes and goes, all of them at once, and very many objects.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { defaultConfig } from '../../src/api/config.ts'
import { FactStore } from '../../src/facts/store.ts'
import { type Connection, connect } from '../../src/kube/connection.ts'
import { FACT_PATHS } from '../../src/kube/kinds.ts'
import { watchAll } from '../../src/kube/watch-all.ts'
import { ask, startMirror, until } from '../kube/mirror.ts'
import { startProxy, type TestProxy } from '../kube/proxy.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { describeWithParts } from '../parts/require.ts'
import { gatewayDefinitions } from './gateway-definitions.ts'
import { print } from './print.ts'
import { INGRESSES, ingress } from './stirred.ts'

const OUR_CRDS = ['authteams', 'authexemptions'].map(name =>
  join(import.meta.dirname, `../../manifests/crds/${name}.yaml`),
)
// To make 12,000 takes the API server half a minute; what is remembered of that many is measured in the unit tests.
const MANY = 3000

describeWithParts('watches of kinds', [...controlPlaneParts, 'envoy-gateway-crds', 'traefik-crds'], () => {
  let controlPlane: ControlPlane
  let direct: Connection
  let proxy: TestProxy
  let connection: Connection

  beforeAll(async () => {
    controlPlane = await startControlPlane({ dir: mkdtempSync(join(tmpdir(), 'portcullis-')) })
    direct = await connect(controlPlane.kubeconfig, {})
    await ask(direct, { method: 'POST', path: INGRESSES, body: JSON.stringify(ingress('a')) })
    proxy = await startProxy(controlPlane.kubeconfig, controlPlane.dir)
    connection = await connect(proxy.kubeconfig, {})
  }, 120_000)

  afterAll(async () => {
    connection?.close()
    direct?.close()
    await proxy?.stop()
    await controlPlane?.stop()
  })

  test('count a kind that is not installed as complete, and notice when it comes and when it goes', async () => {
    const paths = { AuthTeam: FACT_PATHS.AuthTeam ?? '', Ingress: FACT_PATHS.Ingress ?? '' }
    const { kubeconfig, dir } = controlPlane
    const mirror = await startMirror({ kubeconfig, dir, direct, paths })
    const { watched, same, objects, logged } = mirror
    const teams = watched.kinds.get('AuthTeam')
    expect(teams).toMatchObject({ absent: true, synced: false })
    await controlPlane.applyCrds(...OUR_CRDS)
    await ask(direct, { method: 'POST', path: paths.AuthTeam, body: JSON.stringify(team('a')) })
    await same()
    expect(teams).toMatchObject({ absent: false, synced: true })

    // The definition goes, and with it the watch: what is known of teams is not taken for gone before the server says so.
    const definition = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/authteams.auth.example'
    await ask(direct, { method: 'DELETE', path: definition })
    await until(() => teams?.absent === true)
    expect(watched.ready()).toBe(true)
    await controlPlane.applyCrds(...OUR_CRDS)
    await ask(direct, { method: 'POST', path: paths.AuthTeam, body: JSON.stringify(team('b')) })
    await same()
    expect([...objects.keys()].filter(key => key.startsWith('AuthTeam'))).toEqual(['AuthTeam /b'])
    expect(logged.filter(({ level }) => level === 'error')).toEqual([])
    await mirror.stop()
  }, 180_000)

  test('fill the store, each on one connection, and then ask for nothing', async () => {
    await controlPlane.applyCrds(...gatewayDefinitions(), ...OUR_CRDS)
    const store = new FactStore(defaultConfig())
    const log = { info() {}, warn() {}, error() {} }
    const watched = watchAll(connection, store, { log })
    await until(() => watched.ready())
    await until(() => proxy.live.size === watched.kinds.size)
    expect([...watched.kinds.values()].filter(({ absent }) => absent)).toEqual([])
    expect([...store.teams()].map(({ name }) => name)).toEqual(['b'])
    expect(store.namespace('default')).toBeDefined()
    expect(store.routes.get({ kind: 'Ingress', namespace: 'default', name: 'a' })).toBeDefined()

    const before = proxy.seen.length
    await sleep(10_000)
    expect(proxy.seen.length - before).toBeLessThan(10)
    expect(proxy.connections).toBeLessThanOrEqual(watched.kinds.size)
    expect(watched.ageMs()).toBeLessThan(60_000)
    await watched.stop()
  }, 180_000)

  test('take thousands of Ingresses in pages, and remember little of them', async () => {
    await createMany(direct, MANY)
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    let count = 0
    const sink = {
      put() {
        count++
        return []
      },
      remove() {},
    }
    await sleep(200)
    collect()
    const before = process.memoryUsage().heapUsed
    const began = performance.now()
    const log = { info() {}, warn() {}, error() {} }
    const watched = watchAll(connection, sink, { log, paths: { Ingress: FACT_PATHS.Ingress ?? '' } })
    await until(() => watched.ready())
    const took = performance.now() - began
    collect()
    const used = process.memoryUsage().heapUsed - before
    print(`${count} Ingresses in ${Math.round(took)} ms, ${(used / 1e6).toFixed(1)} MB remembered`)
    const ingresses = watched.kinds.get('Ingress')
    expect(ingresses?.size).toBe(count)
    expect(ingresses?.size).toBeGreaterThanOrEqual(MANY)
    expect(ingresses?.counts).toMatchObject({ lists: 1, pages: Math.ceil(count / 200) })
    expect(used).toBeLessThan(3e6)
    await watched.stop()
  }, 90_000)
})

function team(name: string): object {
  return {
    apiVersion: 'auth.example/v1alpha1',
    kind: 'AuthTeam',
    metadata: { name },
    spec: {
      namespaces: { names: [name] },
      proxy: { service: { namespace: name, name: 'oauth2-proxy' }, cookieDomains: [`${name}.example.com`] },
    },
  }
}

async function createMany(connection: Connection, count: number): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < count) {
      const body = JSON.stringify(ingress(`many-${next++}`))
      await ask(connection, { method: 'POST', path: INGRESSES, body })
    }
  }
  await Promise.all(Array.from({ length: 24 }, worker))
}
