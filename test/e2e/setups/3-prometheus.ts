// Prometheus, which can log nobody in itself, behind ingress-nginx with one central oauth2-proxy.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { KubeObject } from '../../../src/core/types.ts'
import { until } from '../../integration/api.ts'
import { applied, inYaml, selector, succeeds } from '../../integration/objects.ts'
import { type Ground, outcome, untilOpen } from '../protected.ts'
import { type Client, clientOf } from '../stage/client.ts'
import { GROUPS } from '../stage/people.ts'
import { INGRESS_NGINX } from '../stage/route-kinds.ts'
import { faultsOf } from './faults.ts'
import { PREFLIGHT } from './preflight.ts'
import { describePromises } from './promises.ts'
import { annotated, placeOf, readSetup } from './setup.ts'
import { testTakenOver } from './taken-over.ts'
import type { OnStage } from './traefik-stage.ts'

const DOMAIN = 'central.corp.test'
const TITLE = '3: ingress-nginx with one central oauth2-proxy in front of Prometheus'
const leaveFault = faultsOf(TITLE)
const renamed = { 'example.com': DOMAIN, '"namespace":"oauth2-proxy"': '"namespace":"oauth2-central"' }
const AUTH_URL = 'nginx.ingress.kubernetes.io/auth-url'

export const central = readSetup({
  name: '3-ingress-nginx-with-one-oauth2-proxy',
  renamed,
  spec: { access: [{ name: 'admins', allowedGroups: [GROUPS.admins] }], passthrough: 'Always' },
})
const [bare] = central.applications as [KubeObject]
const [byHand] = readSetup({ name: '3-ingress-nginx-with-one-oauth2-proxy-made-by-hand', renamed }).applications as [
  KubeObject,
]

export function describeCentral(on: OnStage): void {
  describe(TITLE, () => {
    describeByHand(on)
    describePromises({
      kind: { ...INGRESS_NGINX, title: TITLE, slug: 'setup-3', ownLogin: true },
      stage: on.stage,
      inA: placeOf(bare),
      inB: on.elsewhere,
      teams: () => [on.running(central).team, on.otherTeam()],
      groups: false,
      more(ground) {
        testMissing(ground)
        testAnsweredPreflight(ground)
      },
    })
  })
}

function describeByHand({ stage }: OnStage): void {
  describe('made by hand', () => {
    const { url } = placeOf(byHand)
    let client: Client

    beforeAll(async () => {
      client = clientOf(stage())
      await applied(stage().cluster.controlPlane, byHand)
      await until('it is closed', async () => {
        const { status, reached } = await client.ask(url('/'))
        return status !== 404 && reached === undefined
      })
    }, 90_000)

    afterAll(async () => {
      client?.close()
      await succeeds(stage().cluster.controlPlane, ['delete'], [byHand])
    }, 60_000)

    test('a single missing annotation leaves Prometheus open', async () => {
      await applied(stage().cluster.controlPlane, annotated(byHand, { [AUTH_URL]: undefined }))
      await untilOpen(client, url('/'))
      const got = await client.ask(url('/api/v1/query?query=up'))
      expect(outcome(got)).toEqual([200, 'prometheus'])
      const seen = `without auth-url anybody got ${got.status} from Prometheus`
      leaveFault('one annotation missing', seen, 'the annotation is back in the same request')
    }, 60_000)

    testTakenOver(stage, byHand, () => applied(stage().cluster.controlPlane, byHand))
  })
}

function testMissing({ stage, inA, fresh }: Ground): void {
  const { route, url } = inA
  const get = async () =>
    succeeds(stage().cluster.controlPlane, ['get', ...selector(route()), '-o', 'jsonpath={.metadata.annotations}'])

  test('an annotation that somebody takes out is back before the object is stored', async () => {
    const before = await get()
    expect(JSON.parse(before)).toHaveProperty([AUTH_URL])
    await succeeds(stage().cluster.controlPlane, ['annotate', ...selector(route()), `${AUTH_URL}-`])
    expect(await get()).toBe(before)
    expect(outcome(await fresh().ask(url('/')))).toEqual([302, undefined])
  })

  test('where an administrator requires a login, the route without the label is refused', async () => {
    const { controlPlane } = stage().cluster
    const require = (value: string) =>
      succeeds(controlPlane, ['label', '--overwrite', 'namespace', inA.namespace, `auth.example/require${value}`])
    const other = { ...route(), metadata: { ...route().metadata, name: 'prometheus-again' } }
    const refusal = async () =>
      (await controlPlane.kubectl(['create', '--dry-run=server', '-f', '-'], inYaml([other]))).stderr
    await require('=enforce')
    await until('it is required', async () => (await refusal()).includes('[protection-required]'))
    await require('-')
    await until('it is not', async () => (await refusal()) === '')
  }, 60_000)
}

function testAnsweredPreflight({ stage, fresh }: Ground): void {
  test('with enable-cors the gateway answers preflights, and a login is asked for as before', async () => {
    const { controlPlane } = stage().cluster
    const { origin } = PREFLIGHT.headers
    const cors = { 'enable-cors': 'true', 'cors-allow-origin': origin, 'cors-allow-methods': 'PUT' }
    const annotations = Object.entries(cors).map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value])
    const there = { ...bare, metadata: { ...bare.metadata, labels: { 'auth.example/protect': 'true' } } }
    await applied(controlPlane, annotated(there, Object.fromEntries(annotations)))
    const { url } = placeOf(bare)
    const ask = () => fresh().ask(url('/api'), PREFLIGHT)
    await until('preflights are answered', async () => (await ask()).header('access-control-allow-origin') === origin)
    expect((await ask()).reached).toBeUndefined()
    expect(outcome(await fresh().ask(url('/api'), { method: 'PUT', body: 'x', headers: { origin } }))).toEqual([
      302,
      undefined,
    ])
    await applied(controlPlane, there)
    await until('they are not', async () => (await ask()).header('access-control-allow-origin') === undefined)
  }, 60_000)
}
