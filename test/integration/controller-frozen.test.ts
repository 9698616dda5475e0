// Facts that go missing, on a real API server with the controller running: nothing stored changes, it is said, and what
// is new is refused until they are back.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { stringify } from 'yaml'
import { status } from '../../src/commands/status.ts'
import { valuesOf } from '../../src/controller/steps/team-policies.ts'
import { array, object } from '../../src/core/json.ts'
import { NET_PREFIX } from '../../src/core/names.ts'
import { listPaths } from '../../src/kube/kinds.ts'
import { captured } from '../commands/portcullis.ts'
import type { TestProxy } from '../kube/proxy.ts'
import { MANIFESTS } from '../manifests/documents.ts'
import { describeWithParts } from '../parts/require.ts'
import { until } from './api.ts'
import { CONFIG, ENVOY, GATEWAY, NGINX, namespace, securityPolicy, team } from './cluster-objects.ts'
import { type ControllerCluster, controllerParts, serve, startControllerCluster } from './controller-cluster.ts'
import { lookedAtEverything, untilAtRest } from './controller-pod.ts'
import { applied, succeeds } from './objects.ts'
import type { Pod } from './pods.ts'
import { SHOP_ROUTES, shopNamespace, shopRoute, shopTeam, storedVersions, TEAM_LABEL, WATCHED } from './shop-facts.ts'

const config = { ...CONFIG, settleSeconds: 1 }
function inStatus(frozen: readonly (readonly [route: string, word: string])[]): object {
  return Object.fromEntries(frozen.map(([route]) => [route, 'frozen']))
}

type Labelled = 'Ingress' | 'HTTPRoute'

describeWithParts('facts that go missing', controllerParts, () => {
  let cluster: ControllerCluster
  let proxy: TestProxy
  let controller: Pod
  let before: ReadonlyMap<string, string>

  const stored = () => storedVersions(cluster.api)
  const refusedNow = async (kind: Labelled, level?: string): Promise<string | undefined> => {
    const name = `new-${Math.random().toString(36).slice(2)}`
    const { status: code, message } = await cluster.api.create(shopRoute(kind, name, level), undefined, '?dryRun=All')
    return code === 201 ? undefined : message
  }
  const isFrozen = async (name: string, code: string) => {
    const { body } = await cluster.api.send('GET', '/apis/events.k8s.io/v1/namespaces/shops/events')
    const notes = array(body.items).map(object)
    return notes.some(
      ({ reason, regarding, note }) =>
        reason === 'Frozen' && object(regarding).name === name && String(note).includes(code),
    )
  }
  const statusOf = async () => {
    const file = join(cluster.controlPlane.dir, 'status-config.yaml')
    writeFileSync(file, stringify(config))
    const io = captured()
    await status({ kubeconfig: cluster.controlPlane.kubeconfig, config: file, output: 'json' }, io)
    const rows = array(object(JSON.parse(io.text.out || '{}')).routes).map(object)
    return { problem: io.text.err, ...Object.fromEntries(rows.map(({ name, state }) => [String(name), String(state)])) }
  }

  type Missing = {
    readonly go: () => Promise<unknown>
    readonly back: () => Promise<unknown>
    /** Refused meanwhile. */
    readonly kinds: readonly Labelled[]
    readonly level?: string
    /** What is frozen, and a word of the reason. */
    readonly frozen: readonly (readonly [route: string, word: string])[]
    /** By `portcullis status`; unless said otherwise, that they are frozen. */
    readonly said?: object
  }
  const changesNothing = async ({ go, back, kinds, level, frozen, said = inStatus(frozen) }: Missing) => {
    try {
      await go()
      for (const kind of kinds)
        await until(`a new ${kind} is refused`, async () => (await refusedNow(kind, level)) !== undefined)
      await lookedAtEverything(cluster, controller)
      await lookedAtEverything(cluster, controller)
      expect(await stored()).toEqual(before)
      for (const [route, word] of frozen) await until(`${route}: ${word}`, () => isFrozen(route, word))
      expect(await statusOf()).toMatchObject(said)
    } finally {
      await back()
    }
    for (const kind of kinds)
      await until(`a new ${kind} is taken`, async () => (await refusedNow(kind, level)) === undefined)
    await lookedAtEverything(cluster, controller)
    await untilAtRest(controller)
    expect(await stored()).toEqual(before)
    expect(await statusOf()).toMatchObject({ old: 'protected', cart: 'protected', office: 'protected' })
  }

  beforeAll(async () => {
    cluster = await startControllerCluster()
    proxy = await cluster.proxy()
    controller = (await serve(cluster, config, [`--kubeconfig=${proxy.kubeconfig}`])).controller
    await applied(cluster.controlPlane, namespace('auth'), shopNamespace(), shopTeam())
    for (const each of SHOP_ROUTES)
      await until(`${each.metadata.name} is admitted`, async () => (await cluster.api.create(each)).status === 201)
    await untilAtRest(controller)
    before = await stored()
  }, 240_000)

  afterAll(() => cluster?.stop())

  test('are these: routes and companions of every kind that there is here', () => {
    const kinds = new Set([...before.keys()].map(each => each.split('/').at(-3)))
    expect([...kinds].sort()).toEqual(
      ['ClientTrafficPolicy', 'HTTPRoute', 'Ingress', 'ReferenceGrant', 'SecurityPolicy'].map(k => `${k}List`),
    )
    expect(before.size).toBeGreaterThan(10)
  })

  test('the definition of AuthTeams', async () => {
    await changesNothing({
      go: () => succeeds(cluster.controlPlane, ['delete', 'crd', 'authteams.auth.example']),
      back: async () => {
        await cluster.controlPlane.applyCrds(join(MANIFESTS, 'crds/authteams.yaml'))
        await until('the team is back', async () => (await cluster.api.create(shopTeam())).status === 201)
      },
      kinds: ['Ingress', 'HTTPRoute'],
      frozen: [
        ['old', 'team'],
        ['cart', 'team'],
        ['office', 'team'],
      ],
      said: { problem: expect.stringContaining('AuthTeam') },
    })
  }, 240_000)

  test('the IngressClass', async () => {
    await changesNothing({
      go: () => cluster.api.remove(NGINX),
      back: () => applied(cluster.controlPlane, NGINX),
      kinds: ['Ingress'],
      frozen: [['old', 'class']],
    })
  }, 240_000)

  test('the GatewayClass and the Gateway', async () => {
    await changesNothing({
      go: async () => {
        await cluster.api.remove(ENVOY)
        await cluster.api.remove(GATEWAY)
      },
      back: () => applied(cluster.controlPlane, GATEWAY, ENVOY),
      kinds: ['HTTPRoute'],
      frozen: [
        ['cart', 'Gateway'],
        ['office', 'Gateway'],
      ],
    })
  }, 240_000)

  test('the label of the namespace that lets it use the team', async () => {
    await changesNothing({
      go: () => cluster.api.patch(shopNamespace(), { metadata: { labels: { [TEAM_LABEL]: null } } }),
      back: () => cluster.api.patch(shopNamespace(), { metadata: { labels: { [TEAM_LABEL]: 'team-a' } } }),
      kinds: ['Ingress', 'HTTPRoute'],
      frozen: [
        ['old', 'team'],
        ['cart', 'team'],
        ['office', 'team'],
      ],
    })
  }, 240_000)

  test('what the team says of the namespace', async () => {
    const selector = (value: string) => ({
      spec: { namespaces: { selector: { matchLabels: { [TEAM_LABEL]: value } } } },
    })
    await changesNothing({
      go: () => cluster.api.patch(shopTeam(), selector('team-b')),
      back: () => cluster.api.patch(shopTeam(), selector('team-a')),
      kinds: ['Ingress', 'HTTPRoute'],
      frozen: [
        ['old', 'team'],
        ['cart', 'team'],
        ['office', 'team'],
      ],
    })
  }, 240_000)

  test('an access level that routes use', async () => {
    await changesNothing({
      go: () => cluster.api.patch(shopTeam(), { spec: { access: [] } }),
      back: () => cluster.api.patch(shopTeam(), { spec: { access: object(shopTeam().spec).access } }),
      kinds: ['HTTPRoute'],
      level: 'admins',
      frozen: [['office', 'admins']],
    })
  }, 240_000)

  const passes = () => controller.metric('portcullis_passes_total{complete="true"}')
  const startAgain = async () => {
    controller = await cluster.installed.startController({ config, args: [`--kubeconfig=${proxy.kubeconfig}`] })
    await controller.ready()
    await until('a pass', async () => (await passes()) >= 1)
  }

  /** A list of nothing, in the version that the real one has. */
  const empty = (paths: readonly string[]) => {
    proxy.fault = ({ path, kind }, response) => {
      if (!paths.includes(path) || kind === 'watch') return false
      void cluster.api.send('GET', `${path}?limit=1`).then(({ body }) => {
        const { apiVersion, kind: of, metadata } = body
        const { resourceVersion } = object(metadata)
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ apiVersion, kind: of, metadata: { resourceVersion }, items: [] }))
      })
      return true
    }
  }
  const pathsOf = (...kinds: string[]) => Object.values(listPaths(kinds))

  test.each([
    [['AuthTeam']],
    [['Namespace']],
    [['IngressClass', 'GatewayClass', 'Gateway']],
    [['Ingress', 'HTTPRoute']],
    [['SecurityPolicy', 'ClientTrafficPolicy', 'ReferenceGrant']],
  ])('a controller that starts and is told of none: %s', async kinds => {
    await controller.terminate()
    empty(pathsOf(...kinds))
    await startAgain()
    await sleep(3_000)
    expect(await stored()).toEqual(before)
    proxy.fault = undefined
  }, 120_000)

  test('a re-list of every kind that is empty, and the next one that is not', async () => {
    await controller.terminate()
    await startAgain()
    const paths = pathsOf(...WATCHED)
    // Not the team: its status is written when its routes seem to go, and with that it is heard of again.
    const counted = ['Namespace', 'Ingress', 'HTTPRoute', 'SecurityPolicy', 'Gateway']
    const objects = async () => {
      const counts = counted.map(kind => controller.metric(`portcullis_facts{kind="${kind}"}`))
      return (await Promise.all(counts)).join(' ')
    }
    const full = await objects()
    empty(paths)
    expireWatches(proxy, paths)
    await until('nothing is known', async () => (await objects()) === '0 0 0 0 0').catch(async () => {
      throw new Error(`known: ${await objects()} of ${full}`)
    })
    await until('another pass', async () => (await passes()) >= 2)
    await sleep(3_000)
    expect(await stored()).toEqual(before)
    proxy.fault = undefined
    expireWatches(proxy, paths)
    // A watch lists again a minute after it did, at the earliest.
    await sleep(20_000)
    await until('everything is known again', async () => (await objects()) === full)
    await sleep(3_000)
    expect(await stored()).toEqual(before)
    expect(await refusedNow('HTTPRoute')).toBeUndefined()
    process.stderr.write(`frozen: ${before.size} routes and companions, none of them written once\n`)
  }, 240_000)

  test('a controller that starts while HTTPRoutes are not served yet, and another team may use the namespace since', async () => {
    await controller.terminate()
    const [path] = pathsOf('HTTPRoute')
    proxy.fault = (seen, response) => {
      if (seen.path !== path) return false
      response.writeHead(404, { 'content-type': 'text/plain' })
      response.end('404 page not found\n')
      return true
    }
    const another = team('team-z', 'shops', 'z.example.com')
    const spec = { ...object(another.spec), namespaces: { names: ['shops'] } }
    const lots = { ...shopNamespace(), metadata: { name: 'lots', labels: { [TEAM_LABEL]: 'team-a' } } }
    await applied(cluster.controlPlane, { ...another, spec }, lots)
    await startAgain()
    const policies = (of: string, name: string) =>
      cluster
        .get(securityPolicy(`portcullis-team.${name}`, of))
        .then(each => (each === undefined ? [] : valuesOf(each)))
    await until('the other team has its policy', async () => (await policies('shops', 'team-z')).includes('team-z'))
    await until('a new namespace has its own', async () => (await policies('lots', 'team-a')).includes('team-a'))
    await lookedAtEverything(cluster, controller)
    // Which of the two a route of before goes by is known from the routes alone. A net follows the younger policy.
    const held = [...before].filter(([id]) => !id.includes(NET_PREFIX))
    expect([...(await stored())]).toEqual(expect.arrayContaining(held))
    expect(await policies('lots', 'team-a')).toEqual(['team-a'])
    proxy.fault = undefined
    await until('the new namespace has what "true" means', async () =>
      (await policies('lots', 'team-a')).includes('true'),
    )
    await untilAtRest(controller)
    expect([...(await stored())]).toEqual(expect.arrayContaining(held))
  }, 240_000)
})

/** As when the server has forgotten where they were. */
function expireWatches({ live }: TestProxy, paths: readonly string[]): void {
  const gone = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Expired', code: 410 }
  for (const { seen, client, abandon } of live) {
    if (!paths.includes(seen.path)) continue
    client.end(`${JSON.stringify({ type: 'ERROR', object: gone })}\n`)
    abandon()
  }
}
