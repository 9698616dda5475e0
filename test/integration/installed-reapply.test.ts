// What tools do that apply the same manifests again and again, and upgrades of definitions underneath: routes stay
// protected at every moment, and as they are where nothing was changed.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { array, object } from '../../src/core/json.ts'
import { INJECTED, PROTECT } from '../../src/core/keys.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { crdFiles } from '../parts/crds.ts'
import { describeWithParts } from '../parts/require.ts'
import { pathOf, until } from './api.ts'
import { NGINX, team } from './cluster-objects.ts'
import { companionsOf } from './companions-of.ts'
import { type InstalledCluster, installedParts, startInstalled } from './installed-cluster.ts'
import { applied, succeeds } from './objects.ts'
import { httpRoute, ingress, namespace } from './policy-objects.ts'
import { TRAEFIK } from './traefik-objects.ts'

const AUTH_URL = 'nginx.ingress.kubernetes.io/auth-url'
const LABELS = { [PROTECT]: 'true' }
const parentRefs = [{ name: 'traefik', namespace: 'gateways' }]
/**
 * As GitOps tools apply. The rules of an HTTPRoute are one field to the API server, of which whoever else has written them
 * is an owner too, so that without force the next one is told of a conflict.
 */
const GITOPS = ['--server-side', '--field-manager=gitops', '--force-conflicts']

const TEAM = team('team-a', 'shops')
const facts = [
  namespace('shops'),
  namespace('given', { [PROTECT]: 'true' }),
  namespace('gateways'),
  NGINX,
  ...TRAEFIK,
  { ...TEAM, spec: { ...object(TEAM.spec), namespaces: { names: ['shops', 'given'], default: true } } },
]

/** As they are in Git: two on ingress-nginx, of which one gets its label from the namespace, one on Traefik. */
function manifests(port = 80): readonly KubeObject[] {
  const nginx = ingress('nginx', { namespace: 'shops', labels: LABELS, hosts: ['nginx.team-a.example.com'] })
  const given = ingress('given', { namespace: 'given', hosts: ['given.team-a.example.com'] })
  const route = httpRoute('route', { namespace: 'shops', labels: LABELS, hosts: ['route.team-a.example.com'] })
  const rules = [{ backendRefs: [{ name: 'route', port }] }]
  return [
    withClass(nginx, port),
    withClass(given, port),
    { ...route, spec: { ...object(route.spec), parentRefs, rules } },
  ]
}

function withClass(route: KubeObject, port: number): KubeObject {
  const spec = JSON.parse(JSON.stringify(route.spec).replace('"number":80', `"number":${port}`))
  return { ...route, spec: { ...spec, ingressClassName: 'nginx' } }
}

describeWithParts('routes that are applied again and again', installedParts, () => {
  let cluster: InstalledCluster

  const get = async (document: KubeObject) => (await cluster.api.send('GET', pathOf(document))).body
  const versions = async () =>
    Promise.all(manifests().map(async each => object((await get(each)).metadata).resourceVersion))
  const apply = (documents: readonly KubeObject[], ...args: string[]) =>
    succeeds(cluster.controlPlane, ['apply', ...args], documents)
  /** Whether each of them was protected whenever it was looked at while something was done. */
  const watching = async (act: () => Promise<void>) => {
    const seen = { looks: 0, open: [] as unknown[], done: false }
    const look = async () => {
      while (!seen.done) {
        for (const each of manifests()) {
          const stored = await get(each)
          seen.looks++
          if (!isShut(stored)) seen.open.push(stored)
        }
        await sleep(20)
      }
    }
    const looking = look()
    await act().finally(() => {
      seen.done = true
    })
    await looking
    expect(seen.open).toEqual([])
    expect(seen.looks).toBeGreaterThan(manifests().length)
  }

  beforeAll(async () => {
    cluster = await startInstalled({ replicas: [{}, {}] })
    await applied(cluster.controlPlane, ...facts)
    await applied(cluster.controlPlane, ...(await companionsOf([...facts, ...manifests()])))
    for (const each of manifests())
      await until(`${each.metadata.name} is known`, async () => {
        const { status, body } = await cluster.api.create(each, undefined, '?dryRun=All')
        return status === 201 && isShut(body)
      })
    await apply(manifests(), ...GITOPS)
  }, 180_000)

  afterAll(async () => {
    await cluster?.stop()
  })

  test.each([
    ['one that the API server merges for', GITOPS],
    ['one that merges itself', []],
  ])(
    'by %s: nothing moves, and it sees no difference',
    async (_, args) => {
      await watching(async () => {
        await apply(manifests(), ...args)
        const before = await versions()
        for (let round = 0; round < 4; round++) {
          await apply(manifests(), ...args)
          expect(await versions()).toEqual(before)
          await sleep(300)
        }
      })
      expect(await succeeds(cluster.controlPlane, ['diff', ...args], manifests())).toBe('')
    },
    60_000,
  )

  test('with changes of their owner: each is stored, and nothing is open in between', async () => {
    await watching(async () => {
      for (const port of [81, 82]) {
        await apply(manifests(port), ...GITOPS)
        await apply(manifests(port))
        for (const each of manifests()) expect(JSON.stringify((await get(each)).spec)).toContain(`:${port}`)
      }
      await apply(manifests())
    })
  }, 60_000)

  test('with a login of their owner’s in the manifest: ours stays in force', async () => {
    const [nginx] = manifests() as [KubeObject]
    const own = { ...nginx, metadata: { ...nginx.metadata, annotations: { [AUTH_URL]: 'http://own.shops.svc/auth' } } }
    const applyTwice = async (...args: string[]) => {
      await apply([own], ...args)
      const { resourceVersion } = object((await get(own)).metadata)
      await apply([own], ...args)
      expect(object((await get(own)).metadata).resourceVersion).toBe(resourceVersion)
    }
    await watching(async () => {
      await applyTwice(...GITOPS)
      await applyTwice()
      await apply([nginx], ...GITOPS)
      await apply([nginx])
    })
  }, 60_000)

  describe('on definitions that are replaced underneath', () => {
    const settled = async () => {
      for (const replica of cluster.installed.replicas) {
        await replica.ready()
        expect(await replica.metric('portcullis_watch_absent{kind="HTTPRoute"}')).toBe(0)
      }
      const [, , route] = manifests() as [KubeObject, KubeObject, KubeObject]
      const another = { ...route, metadata: { ...route.metadata, name: 'another' } }
      const { status, body } = await cluster.api.create(another, undefined, '?dryRun=All')
      expect({ status, isShut: isShut(body) }).toEqual({ status: 201, isShut: true })
    }

    const replaceDefinitions = (from: 'gateway-api' | 'envoy-gateway') =>
      succeeds(cluster.controlPlane, [
        'apply',
        '--server-side',
        '--force-conflicts',
        ...crdFiles(from).map(file => `-f=${file}`),
      ])

    test.each(['gateway-api', 'envoy-gateway'] as const)('by those of %s: everything stays as it is', async from => {
      await apply(manifests(), ...GITOPS)
      const before = await versions()
      await watching(async () => {
        await replaceDefinitions(from)
        await settled()
        await apply(manifests(), ...GITOPS)
        // It lets no other channel in behind it.
        const guard = 'safe-upgrades.gateway.networking.k8s.io'
        const guards = ['validatingadmissionpolicy', 'validatingadmissionpolicybinding']
        for (const each of guards) await succeeds(cluster.controlPlane, ['delete', '--ignore-not-found', each, guard])
        await sleep(2_000)
      })
      expect(await versions()).toEqual(before)
    }, 90_000)

    test('by ours, applied again: everything stays as it is', async () => {
      const before = await versions()
      await watching(async () => {
        await succeeds(cluster.controlPlane, ['apply', '-k', `${cluster.controlPlane.dir}/certs`])
        await settled()
      })
      expect(await versions()).toEqual(before)
    }, 60_000)
  })
})

function isShut(route: Readonly<Record<string, unknown>>): boolean {
  const { labels, annotations } = object(route.metadata)
  if (object(labels)[PROTECT] !== 'true' || object(annotations)[INJECTED] === undefined) return false
  if (route.kind === 'Ingress') return String(object(annotations)[AUTH_URL]).includes('oauth2-proxy.shops.svc')
  return array(object(route.spec).rules).every(rule => object(array(object(rule).filters)[0]).type === 'ExtensionRef')
}
