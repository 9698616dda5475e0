// What was there before Portcullis, was written while nobody of ours was asked, or was changed by somebody behind its
// back: all of it comes in line, quickly; and what is deleted goes with all that belongs to it.
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { array, type JsonObject, object, strings } from '../../src/core/json.ts'
import { INJECTED, PROTECT } from '../../src/core/keys.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { controllerManagerParts, startControllerManager } from '../parts/controller-manager.ts'
import type { RunningPart } from '../parts/process.ts'
import { describeWithParts } from '../parts/require.ts'
import { pathOf, until } from './api.ts'
import { CONFIG, httpRoute, ingress, NGINX, namespace } from './cluster-objects.ts'
import { type ControllerCluster, controllerParts, serve, startControllerCluster } from './controller-cluster.ts'
import { untilAtRest } from './controller-pod.ts'
import { applied } from './objects.ts'
import type { Pod } from './pods.ts'

const AUTH_URL = 'nginx.ingress.kubernetes.io/auth-url'
const RESPONSE_HEADERS = 'nginx.ingress.kubernetes.io/auth-response-headers'
const TRAEFIK = 'traefik.ingress.kubernetes.io/router.middlewares'
const MANY = 30
const BY_TRAEFIK = { controller: 'traefik.io/ingress-controller', gateway: 'traefik' }
const config = { ...CONFIG, settleSeconds: 1, controllers: [...CONFIG.controllers, BY_TRAEFIK] }

const TEAM: KubeObject = {
  apiVersion: 'auth.example/v1alpha1',
  kind: 'AuthTeam',
  metadata: { name: 'team-a' },
  spec: {
    namespaces: { names: ['shops', 'going'] },
    hosts: ['*.team-a.example.com'],
    proxy: { service: { namespace: 'auth', name: 'oauth2-proxy' }, cookieDomains: ['team-a.example.com'] },
  },
}

function hostOf(name: string): string {
  return `${name}.team-a.example.com`
}

describeWithParts('backfill and drift', [...controllerParts, ...controllerManagerParts], () => {
  let cluster: ControllerCluster
  let controller: Pod
  let manager: RunningPart

  const get = async (document: KubeObject): Promise<JsonObject> =>
    (await cluster.api.send('GET', pathOf(document))).body
  const metadata = async (document: KubeObject) => object((await get(document)).metadata)
  const annotations = async (document: KubeObject) => strings((await metadata(document)).annotations)
  const isInjected = async (route: KubeObject) => AUTH_URL in (await annotations(route))
  const isRecorded = async (route: KubeObject) => INJECTED in (await annotations(route))
  const created = async (...documents: KubeObject[]) => {
    for (const each of documents) {
      const { status, message } = await cluster.api.create(each)
      if (status !== 201) throw new Error(`${pathOf(each)}: ${message}`)
    }
  }
  const listed = async (path: string) => array((await cluster.api.send('GET', path)).body.items).map(object)
  const eventsOn = async (name: string) => {
    const all = await listed('/apis/events.k8s.io/v1/namespaces/shops/events')
    return all.filter(each => object(each.regarding).name === name).map(({ reason }) => String(reason))
  }
  const logins = async (of: string, kind = 'httproutes') => {
    const group = kind === 'httproutes' ? 'gateway.networking.k8s.io' : 'networking.k8s.io'
    const all = await listed(`/apis/${group}/v1/${kind}`)
    return all.filter(each => {
      const { labels, annotations: marks } = object(each.metadata)
      return (
        strings(labels)['app.kubernetes.io/managed-by'] === 'portcullis' &&
        String(strings(marks)['auth.example/scope']).endsWith(`/${of}`)
      )
    })
  }
  const policies = () => listed('/apis/gateway.envoyproxy.io/v1alpha1/securitypolicies')
  const old = ingress('old', hostOf('old'))
  const cart = httpRoute('cart', 'shops', hostOf('cart'))

  beforeAll(async () => {
    cluster = await startControllerCluster()
    controller = (await serve(cluster, config)).controller
    await cluster.withoutAdmission()
    manager = await startControllerManager(cluster.controlPlane)
    await applied(cluster.controlPlane, namespace('auth'), namespace('shops'), namespace('going'))
  }, 240_000)

  afterAll(async () => {
    await manager?.stop('SIGKILL')
    await cluster?.stop()
  })

  test('routes from before there was a team are protected once there is one, and told of it once', async () => {
    await created(old, cart)
    await untilAtRest(controller)
    expect([await isInjected(old), await isRecorded(cart)]).toEqual([false, false])
    await created(TEAM)
    await until('the Ingress is protected', () => isInjected(old))
    await until('the HTTPRoute is protected', () => isRecorded(cart))
    await untilAtRest(controller)
    for (const each of [old, cart]) {
      await until('it is said', async () => (await eventsOn(String(each.metadata.name))).length > 0)
      const told = await eventsOn(String(each.metadata.name))
      expect(told.filter(reason => reason === 'Protected')).toEqual(['Protected'])
    }
  }, 120_000)

  test('so is what is written while nobody is asked, and what lost its label then is released', async () => {
    const late = ingress('late', hostOf('late'))
    await created(late)
    await until('protected', () => isInjected(late))
    await cluster.api.patch(late, { metadata: { labels: { [PROTECT]: null } } })
    await until('released', async () => !(await isInjected(late)) && !(await isRecorded(late)))
    expect(await annotations(late)).toEqual({})
    await until('it is said', async () => (await eventsOn('late')).includes('Released'))
  }, 120_000)

  test('an injection that somebody edits or takes out is put right', async () => {
    const right = (await annotations(old))[AUTH_URL]
    for (const change of [{ [AUTH_URL]: 'http://example.org' }, { [AUTH_URL]: null, [INJECTED]: null }]) {
      await cluster.api.patch(old, { metadata: { annotations: change } })
      await until(`right after ${JSON.stringify(change)}`, async () => {
        const now = await annotations(old)
        return now[AUTH_URL] === right && now[INJECTED] !== undefined
      })
    }
    await until('it is said', async () => (await eventsOn('old')).includes('Repaired'))
  }, 120_000)

  test('a changed AuthTeam reaches routes and companions', async () => {
    await cluster.api.patch(TEAM, { spec: { proxy: { pathPrefix: '/login' }, headers: { accessToken: true } } })
    await until('its path', async () => (await annotations(old))[AUTH_URL]?.endsWith('/login/auth') === true)
    await until(
      'its headers',
      async () => (await annotations(old))[RESPONSE_HEADERS]?.includes('X-Auth-Request-Access-Token') === true,
    )
    await until('its login on the host', async () => JSON.stringify(await logins('cart')).includes('/login/'))
    const policy = async () =>
      JSON.stringify((await policies()).filter(({ metadata: of }) => object(of).name === 'portcullis-team.team-a'))
    await until('its policy', async () => (await policy()).includes('x-auth-request-access-token'))
    await cluster.api.patch(TEAM, { spec: { proxy: { pathPrefix: '/oauth2' }, headers: null } })
    await until('and back', async () => (await annotations(old))[AUTH_URL]?.endsWith('/oauth2/auth') === true)
  }, 120_000)

  test('an IngressClass that another controller takes: the old protection goes and the new one comes', async () => {
    // Not one of those before: what is written often rests for a while.
    const moved = ingress('moved', hostOf('moved'))
    await created(moved)
    await until('protected', () => isInjected(moved))
    const before = await annotations(moved)
    await cluster.api.remove(NGINX)
    await applied(cluster.controlPlane, { ...NGINX, spec: { controller: 'traefik.io/ingress-controller' } })
    await until('by Traefik', async () => {
      const now = await annotations(moved)
      return TRAEFIK in now && !(AUTH_URL in now)
    })
    await cluster.api.remove(NGINX)
    await applied(cluster.controlPlane, NGINX)
    await until('and back', async () => (await annotations(moved))[AUTH_URL] === before[AUTH_URL])
    expect(await annotations(moved)).toEqual(before)
  }, 120_000)

  test('repairs are quick: routes whose injection and companions whose content somebody takes away', async () => {
    const names = Array.from({ length: MANY }, (_, index) => `shop-${index}`)
    const ingresses = names.map(name => ingress(name, hostOf(name)))
    const routes = names.map(name => httpRoute(name, 'shops', hostOf(name)))
    await created(...ingresses, ...routes)
    await until('all are protected', async () =>
      (await Promise.all([...ingresses.map(isInjected), ...routes.map(isRecorded)])).every(Boolean),
    )
    await untilAtRest(controller)
    const spoilt: number[] = []
    for (const route of ingresses) {
      spoilt.push(
        await repaired(
          () => cluster.api.patch(route, { metadata: { annotations: { [AUTH_URL]: 'http://x' } } }),
          async () => (await annotations(route))[AUTH_URL] !== 'http://x',
        ),
      )
    }
    for (const route of routes) {
      spoilt.push(
        await repaired(
          () => cluster.api.patch(route, { metadata: { annotations: { [INJECTED]: null } } }),
          () => isRecorded(route),
        ),
      )
    }
    const companions = (await Promise.all(names.flatMap(name => [logins(name), logins(name, 'ingresses')]))).flat()
    const edited: number[] = []
    const deleted: number[] = []
    for (const [index, companion] of companions.entries()) {
      const document = typed(companion)
      if (index % 2 === 0) {
        const spoil =
          document.kind === 'Ingress'
            ? { spec: { rules: [{ host: 'x.example.org' }] } }
            : { spec: { hostnames: ['x.example.org'] } }
        edited.push(
          await repaired(
            () => cluster.api.patch(document, spoil),
            async () => !JSON.stringify((await get(document)).spec).includes('x.example.org'),
          ),
        )
      } else {
        deleted.push(
          await repaired(
            () => cluster.api.remove(document),
            async () => (await get(document)).kind === document.kind,
          ),
        )
      }
    }
    for (const [title, took] of Object.entries({
      'routes edited': spoilt,
      'companions edited': edited,
      'companions deleted': deleted,
    })) {
      process.stderr.write(`repairs, ${title}: ${took.length}, p50 ${at(took, 0.5)} ms, p99 ${at(took, 0.99)} ms\n`)
    }
    expect(spoilt.length).toBeGreaterThanOrEqual(50)
    expect(edited.length + deleted.length).toBeGreaterThanOrEqual(50)
  }, 240_000)

  test('nothing that is not ours has a finalizer, and what belongs to a route beside it says so', async () => {
    const all = [
      ...(await listed('/apis/networking.k8s.io/v1/ingresses')),
      ...(await listed('/apis/gateway.networking.k8s.io/v1/httproutes')),
      ...(await policies()),
    ]
    expect(all.length).toBeGreaterThan(MANY)
    for (const each of all) expect(object(each.metadata).finalizers ?? []).toEqual([])
  }, 60_000)

  test('a route that is deleted takes its login along, and a namespace everything that is in it', async () => {
    // Whose proxy is in the namespace of its routes has their logins there too.
    const { name: _, ...rest } = TEAM.metadata
    const beside: KubeObject = {
      ...TEAM,
      metadata: { ...rest, name: 'team-g' },
      spec: {
        namespaces: { names: ['going2'] },
        hosts: ['*.team-g.example.com'],
        proxy: { service: { namespace: 'going2', name: 'oauth2-proxy' }, cookieDomains: ['team-g.example.com'] },
      },
    }
    await created(namespace('going2'), beside)
    const [first, second] = ['first', 'second'].map(name =>
      httpRoute(name, 'going2', `${name}.team-g.example.com`),
    ) as [KubeObject, KubeObject]
    await created(first, second)
    await until('logins', async () => (await logins('first')).length + (await logins('second')).length === 2)
    const [login] = await logins('first')
    const owners = array(object(object(login).metadata).ownerReferences).map(object)
    expect(owners).toMatchObject([{ kind: 'HTTPRoute', name: 'first', uid: (await metadata(first)).uid }])
    expect(owners[0]?.blockOwnerDeletion).toBeUndefined()
    await cluster.api.remove(first)
    await until('its login is gone', async () => (await logins('first')).length === 0)
    await cluster.api.remove(namespace('going2'))
    await until(
      'the namespace is gone',
      async () => (await cluster.api.send('GET', pathOf(namespace('going2')))).status === 404,
    )
    expect((await policies()).filter(({ metadata: of }) => object(of).namespace === 'going2')).toEqual([])
    await untilAtRest(controller)
    const errors = controller
      .log()
      .split('\n')
      .filter(line => line.includes('"level":"error"'))
    // Here nobody is asked before an object is stored.
    expect(errors.filter(line => !line.includes('routes are not judged'))).toEqual([])
  }, 180_000)

  test('with no controller there, the collector takes what belonged to a route', async () => {
    const beside = httpRoute('third', 'auth', hostOf('third'))
    await cluster.api.patch(TEAM, { spec: { namespaces: { names: ['shops', 'going', 'auth'] } } })
    await created(beside)
    await until('its login', async () => (await logins('third')).length === 1)
    await controller.terminate()
    await cluster.api.remove(beside)
    await until('collected', async () => (await logins('third')).length === 0)
  }, 180_000)
})

/** ms from when it is spoilt until it is right again. */
async function repaired(spoil: () => Promise<unknown>, isRight: () => Promise<boolean>): Promise<number> {
  await spoil()
  const began = performance.now()
  const deadline = began + 30_000
  while (!(await isRight())) if (performance.now() > deadline) throw new Error('not repaired within 30 s')
  return performance.now() - began
}

function at(took: readonly number[], part: number): number {
  const sorted = [...took].sort((a, b) => a - b)
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0)
}

/** Items of a list say neither. */
function typed({ metadata, spec }: JsonObject): KubeObject {
  const isIngress = object(spec).rules !== undefined && object(array(object(spec).rules)[0]).host !== undefined
  const [apiVersion, kind] = isIngress
    ? ['networking.k8s.io/v1', 'Ingress']
    : ['gateway.networking.k8s.io/v1', 'HTTPRoute']
  return { apiVersion, kind, metadata: object(metadata), spec }
}
