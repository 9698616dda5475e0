// Two versions of Portcullis behind one Service, as while a rollout is under way: what one has not finished is tried
// again by whoever asked, and nobody is refused.
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { object } from '../../src/core/json.ts'
import { INJECTED, PROTECT } from '../../src/core/keys.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { describeWithParts } from '../parts/require.ts'
import { until } from './api.ts'
import { NGINX, namespace, team } from './cluster-objects.ts'
import type { Replica, Start } from './installed.ts'
import { type InstalledCluster, installedParts, shippedConfig, startInstalled } from './installed-cluster.ts'
import { applied, inYaml, selector, stored } from './objects.ts'
import { ingress } from './policy-objects.ts'

const AUTH_URL = 'nginx.ingress.kubernetes.io/auth-url'
/** So that a replica goes without a word, though not in as long as it takes in a large cluster. */
const args = ['--drain-delay', '5']
const OLDER: Start = { config: shippedConfig({ injectionFormat: 1 }), args }
const NEWER: Start = { config: shippedConfig({ injectionFormat: 2 }), args }

const TEAM = team('team-a', 'shops')
const routes = (prefix: string, count: number): KubeObject[] =>
  Array.from({ length: count }, (_, i) => routeOf(`${prefix}-${i}`))

describeWithParts('two versions behind the Service', installedParts, () => {
  let cluster: InstalledCluster
  let older: Replica
  let newer: Replica
  const made: KubeObject[] = []

  const replace = async (old: Replica, start: Start): Promise<Replica> => {
    const { installed } = cluster
    const next = await installed.start(start)
    await next.ready()
    await old.terminate()
    return next
  }
  const kubectl = async (args: readonly string[], documents: readonly KubeObject[]) => {
    const { code, stderr } = await cluster.controlPlane.kubectl([...args, '-f', '-'], inYaml(documents))
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  }
  /** As many at a time as make the API server use several connections. */
  const atOnce = (args: readonly string[], documents: readonly KubeObject[]) =>
    Promise.all(
      Array.from({ length: AT_ONCE }, (_, i) =>
        kubectl(
          args,
          documents.filter((_, index) => index % AT_ONCE === i),
        ),
      ),
    )
  const formats = async (documents: readonly KubeObject[]) => {
    const annotations = (await stored(cluster.controlPlane, documents)).map(each => object(each.metadata.annotations))
    for (const each of annotations) expect(each[AUTH_URL]).toMatch(/^http:\/\/oauth2-proxy\.shops\.svc/)
    return new Set(annotations.map(each => JSON.parse(String(each[INJECTED])).format))
  }

  beforeAll(async () => {
    cluster = await startInstalled({ replicas: [NEWER] })
    newer = cluster.installed.replicas[0] as Replica
    await applied(cluster.controlPlane, NGINX, namespace('shops'), TEAM)
    await until('the team is known', async () => {
      return (await cluster.api.create(routeOf('probe'), undefined, '?dryRun=All')).status === 201
    })
  }, 180_000)

  afterAll(async () => {
    await cluster?.stop()
  })

  test('an edit that meets the older one, on a connection that stays, finds the newer one by itself', async () => {
    const early = routes('early', 3)
    await kubectl(APPLY, early)
    older = await replace(newer, OLDER)
    await until('the older one is asked', async () => {
      await cluster.api.create(routeOf('probe'), undefined, '?dryRun=All')
      return said(older, 'probe').some(each => each.entry === 'validate')
    })
    newer = await cluster.installed.start(NEWER)
    await newer.ready()
    await kubectl(APPLY, early.map(withTwoPaths))
    expect(said(older, 'early').some(each => each.codes.includes('injection-other'))).toBe(true)
    expect(await formats(early)).toEqual(new Set([2]))
    made.push(...early)
  }, 60_000)

  test('what one has begun the other does not finish: it is tried again, in either order, and nobody is refused', async () => {
    const crossed = (replica: Replica) =>
      said(replica, 'mixed').filter(({ entry, codes }) => entry === 'validate' && codes.includes('injection-other'))
    for (let round = 0; round < 10; round++) {
      const mixed = routes(`mixed-${round}`, 4 * AT_ONCE)
      await atOnce(APPLY, mixed)
      made.push(...mixed)
      if (round > 1 && crossed(older).length > 0 && crossed(newer).length > 0) break
    }
    expect(crossed(older).length).toBeGreaterThan(0)
    expect(crossed(newer).length).toBeGreaterThan(0)
    for (const each of [older, newer])
      expect(
        said(each, 'mixed').filter(({ outcome, codes }) => outcome === 'deny' && !codes.includes('injection-other')),
      ).toEqual([])
    const known = await formats(made)
    for (const each of known) expect([1, 2]).toContain(each)
  }, 120_000)

  test('what either has written can be edited meanwhile', async () => {
    await atOnce(APPLY, made.map(withTwoPaths))
    await formats(made)
  }, 120_000)

  test('once all are of the new version, everything is made, edited and taken back as ever', async () => {
    await replace(older, NEWER)
    await kubectl(
      APPLY,
      made.map(each => withTwoPaths(withTwoPaths(each))),
    )
    expect(await formats(made)).toEqual(new Set([2]))
    const route = made.at(-1) as KubeObject
    await kubectl(APPLY, routes('late', 3))
    const args = ['label', ...selector(route), `${PROTECT}-`]
    expect(await cluster.controlPlane.kubectl(args)).toMatchObject({ code: 0, stderr: '' })
    expect(object((await stored(cluster.controlPlane, [route]))[0]?.metadata.annotations)).toEqual({})
  }, 120_000)
})

const AT_ONCE = 6
/** What is not in the documents, such as the record, stays. */
const APPLY = ['apply', '--server-side']

type Said = {
  readonly entry: string
  readonly ref: string
  readonly outcome: string
  readonly codes: readonly string[]
}

/** What a replica answered about routes of this name. */
function said(replica: Replica, prefix: string): Said[] {
  const lines = replica.log().split('\n')
  const all: Said[] = lines.filter(line => line.includes('"msg":"admission"')).map(line => JSON.parse(line))
  return all.filter(({ ref }) => ref.startsWith(`Ingress/shops/${prefix}`))
}

function routeOf(name: string): KubeObject {
  const hosts = [`${name}.team-a.example.com`]
  const made = ingress(name, { namespace: 'shops', labels: { [PROTECT]: 'true' }, hosts })
  return { ...made, spec: { ...object(made.spec), ingressClassName: 'nginx' } }
}

/** Another spec, which has to be judged. */
function withTwoPaths(route: KubeObject): KubeObject {
  const { rules, ...spec } = object(route.spec)
  const [rule] = rules as [{ host: string; http: { paths: { path: string }[] } }]
  const path = rule.http.paths[0]
  const paths = [...rule.http.paths, { ...path, path: `/${rule.http.paths.length}` }]
  return { ...route, spec: { ...spec, rules: [{ ...rule, http: { paths } }] } }
}
