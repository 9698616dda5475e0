// The webhook in a cluster: ready when it knows all, alive whatever happens, and never ahead of its guards.
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { type Connection, connect, type Reply } from '../../src/kube/connection.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { crdFiles } from '../parts/crds.ts'
import type { RunningPart } from '../parts/process.ts'
import { describeWithParts } from '../parts/require.ts'
import { until } from './api.ts'
import {
  CONFIG,
  ENVOY,
  GATEWAY,
  httpRoute,
  ingress,
  NGINX,
  namespace,
  SETTLE_SECONDS,
  team,
} from './cluster-objects.ts'
import {
  type ClusterWebhook,
  configureWebhooks,
  type Prepared,
  prepareCluster,
  startClusterWebhook,
} from './cluster-webhook.ts'
import { companionsOf } from './companions-of.ts'
import { applied, fromYaml, inYaml, succeeds } from './objects.ts'

const OUR_CRDS = join(import.meta.dirname, '../../manifests/crds')

describeWithParts('the webhook in a cluster', [...controlPlaneParts, 'envoy-gateway-crds'], () => {
  let controlPlane: ControlPlane
  let prepared: Prepared
  let direct: Connection
  let webhook: ClusterWebhook
  const started: RunningPart[] = []

  const start = async (...more: readonly string[]): Promise<ClusterWebhook> => {
    const next = await startClusterWebhook(controlPlane, prepared, ...more)
    started.push(next.part)
    return next
  }
  /** As a client that does not try again by itself. */
  const create = (route: KubeObject): Promise<Reply> => {
    const { apiVersion, kind, metadata } = route
    const path = `/apis/${apiVersion}/namespaces/${metadata.namespace}/${kind.toLowerCase()}${kind.endsWith('s') ? 'es' : 's'}`
    return direct.request({
      method: 'POST',
      path: `${path}?dryRun=All`,
      body: JSON.stringify(route),
      timeoutMs: 10_000,
    })
  }

  beforeAll(async () => {
    controlPlane = await startControlPlane({ dir: mkdtempSync(join(tmpdir(), 'portcullis-')) })
    direct = await connect(controlPlane.kubeconfig, {})
    prepared = await prepareCluster(controlPlane)
  }, 120_000)

  afterAll(async () => {
    direct?.close()
    for (const part of started) await part.stop('SIGKILL')
    await controlPlane?.stop()
  })

  test('is alive at once, ready when its own definitions are there, and needs nobody else’s', async () => {
    webhook = await start('--drain-delay', '10')
    await until('no AuthTeam', async () => (await webhook.health('/readyz')).text.includes('AuthTeam is not installed'))
    expect(await webhook.health('/healthz')).toMatchObject({ status: 200, text: 'ok\n' })
    expect(await webhook.health('/readyz')).toMatchObject({
      status: 503,
      text: expect.stringMatching(
        /^not ready:\nfacts: AuthTeam is not installed; [^\n]+\nfacts: AuthExemption [^\n]+\n$/,
      ),
    })
    expect(await webhook.metric('portcullis_ready')).toBe(0)
    await controlPlane.applyCrds(OUR_CRDS)
    await webhook.ready()
    expect(await webhook.metric('portcullis_ready')).toBe(1)
    expect(await webhook.metric('portcullis_watch_synced{kind="AuthTeam"}')).toBe(1)
    expect(await webhook.metric('portcullis_watch_absent{kind="HTTPRoute"}')).toBe(1)
    await configureWebhooks(controlPlane, prepared)
  }, 90_000)

  test('uses facts made with kubectl for the next admission, and others when they change', async () => {
    await applied(controlPlane, NGINX, namespace('shops'), team('team-a', 'shops'))
    await until('the team is known', async () => (await webhook.metric('portcullis_facts{kind="AuthTeam"}')) === 1)
    await until('admitted', async () => (await create(ingress('probe', 'shop.team-a.example.com'))).status === 201)
    await applied(controlPlane, ingress('shop', 'shop.team-a.example.com'))
    const stored = await succeeds(controlPlane, ['get', 'ingress', 'shop', '-n', 'shops', '-o', 'yaml'])
    expect(object(fromYaml(stored)[0]?.metadata.annotations)).toMatchObject({
      'nginx.ingress.kubernetes.io/auth-url': expect.stringContaining('oauth2-proxy.shops.svc'),
    })
    expect((await create(ingress('other', 'shop.team-b.example.com'))).status).toBe(403)
    await applied(controlPlane, team('team-a', 'shops', 'team-b.example.com'))
    await until('the new host', async () => (await create(ingress('other', 'shop.team-b.example.com'))).status === 201)
  }, 60_000)

  test('counts admissions by entry, outcome and code, and nothing by what a user wrote', async () => {
    const of = (labels: string) => webhook.metric(`portcullis_admissions_total{${labels}}`)
    expect(await of('entry="mutate",outcome="protect",code=""')).toBeGreaterThan(0)
    expect(await of('entry="validate",outcome="protect",code=""')).toBeGreaterThan(0)
    expect(await of('entry="validate",outcome="deny",code="host-of-others"')).toBeGreaterThan(0)
    expect(await webhook.metric('portcullis_admission_duration_seconds_count{entry="validate"}')).toBeGreaterThan(0)
    expect(await webhook.metric('portcullis_watch_lists_total{kind="Ingress"}')).toBe(1)
    expect(await webhook.metric('portcullis_facts{kind="Ingress"}')).toBe(1)
    expect(await webhook.metric('portcullis_watch_age_seconds{kind="Ingress"}')).toBeLessThan(90)
    expect(await webhook.metric('portcullis_certificate_expiry_seconds')).toBeGreaterThan(24 * 60 * 60)
    expect(await webhook.metric('portcullis_in_flight_requests')).toBe(0)
    expect(await webhook.metric('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0)
    expect((await webhook.health('/metrics')).text).not.toMatch(/shop|team-a|example\.com/)
  }, 30_000)

  test('lives and answers from what it knows while the API server is away, and is right again afterwards', async () => {
    await controlPlane.restartApiServer(async () => {
      const setbacks = 'portcullis_watch_setbacks_total{kind="AuthTeam",cause="unreachable"}'
      await until('it has noticed', async () => (await webhook.metric(setbacks)) > 1)
      expect((await webhook.health('/healthz')).status).toBe(200)
      expect(await webhook.health('/readyz')).toMatchObject({ status: 200, text: 'ready\n' })
      const { status, text } = await webhook.review('mutate', ingress('away', 'away.team-b.example.com'))
      expect({ status, response: JSON.parse(text).response }).toMatchObject({
        status: 200,
        response: { allowed: true, patchType: 'JSONPatch' },
      })
    })
    await applied(controlPlane, team('team-a', 'shops', 'team-c.example.com'))
    await until('the new host', async () => (await create(ingress('new', 'shop.team-c.example.com'))).status === 201)
    expect(await webhook.metric('portcullis_watch_lists_total{kind="AuthTeam"}')).toBeLessThanOrEqual(3)
    expect(webhook.part.hasEnded()).toBe(false)
  }, 90_000)

  test('told to end, is unready at once, answers for the delay, gives its connections up, and ends well', async () => {
    process.kill(webhook.part.pid, 'SIGTERM')
    await until('unready', async () => (await webhook.health('/readyz')).status === 503)
    expect((await webhook.health('/readyz')).text).toBe('not ready:\nit is shutting down\n')
    const answer = await webhook.review('validate', ingress('late', 'shop.team-c.example.com'))
    expect({ status: answer.status, connection: answer.headers.connection }).toEqual({
      status: 200,
      connection: 'close',
    })
    expect((await webhook.health('/healthz')).status).toBe(200)
    await until('ended', () => webhook.part.hasEnded())
    expect(webhook.log()).toContain('"msg":"shutting down"')
  }, 90_000)

  describe('on Envoy Gateway', () => {
    const facts = [namespace('gateways'), ENVOY, GATEWAY]
    const route = httpRoute('cart', 'shops', 'cart.team-c.example.com')

    beforeAll(async () => {
      await controlPlane.applyCrds(...crdFiles('envoy-gateway'))
      await applied(controlPlane, namespace('portcullis'), ...facts)
      const config = join(controlPlane.dir, 'config.yaml')
      writeFileSync(config, inYaml([CONFIG]))
      webhook = await start('--config', config)
      await webhook.ready()
    }, 60_000)

    test('says "not yet" while guards are missing or too young, then admits', async () => {
      const before = await create(route)
      expect(before).toMatchObject({ status: 429, retryAfterMs: expect.any(Number) })
      expect(JSON.parse(before.body).message).toMatch(/guards/)
      const guards = await companionsOf([
        ...facts,
        CONFIG,
        team('team-a', 'shops', 'team-c.example.com'),
        namespace('shops'),
        route,
      ])
      const applying = performance.now()
      await applied(controlPlane, ...guards)
      const statuses = new Set<number>()
      await until('admitted', async () => {
        const { status } = await create(route)
        statuses.add(status)
        return status === 201
      })
      // Times of creation are in whole seconds.
      expect(performance.now() - applying).toBeGreaterThan((SETTLE_SECONDS - 1) * 1000)
      expect([...statuses]).toContain(429)
    }, 60_000)

    test('says it again when a guard is edited, and until the right one has been there for a while', async () => {
      const guard =
        (await succeeds(controlPlane, ['get', 'securitypolicy', '-n', 'shops', '-o', 'name'])).split('\n')[0] ?? ''
      const before = await succeeds(controlPlane, ['get', guard, '-n', 'shops', '-o', 'json'])
      const [stored] = fromYaml(before)
      const edit = [{ op: 'add', path: '/spec/authorization', value: { defaultAction: 'Allow' } }]
      await succeeds(controlPlane, ['patch', guard, '-n', 'shops', '--type=json', '-p', JSON.stringify(edit)])
      await until('refused', async () => (await create(route)).status === 429, 5_000)
      const spec = [{ op: 'replace', path: '/spec', value: stored?.spec }]
      await succeeds(controlPlane, ['patch', guard, '-n', 'shops', '--type=json', '-p', JSON.stringify(spec)])
      const righted = performance.now()
      await sleep(500)
      expect((await create(route)).status).toBe(429)
      await until('admitted', async () => (await create(route)).status === 201)
      expect(performance.now() - righted).toBeGreaterThan((SETTLE_SECONDS - 1) * 1000)
    }, 60_000)

    test('lets kubectl apply namespace, route and all in one go, by its own retries', async () => {
      const late = httpRoute('late', 'late', 'late.late.example.com')
      const all = [namespace('late'), team('late', 'late', 'late.example.com'), late]
      const applying = controlPlane.kubectl(['apply', '-f', '-'], inYaml(all))
      await until('the team is known', async () => (await webhook.metric('portcullis_facts{kind="AuthTeam"}')) === 2)
      await applied(controlPlane, ...(await companionsOf([...facts, CONFIG, ...all])))
      expect(await applying).toMatchObject({ code: 0, stderr: '' })
    }, 60_000)
  })
})
