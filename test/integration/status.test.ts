// `portcullis status` on a real API server, with no more rights than the webhook has: every route, by whom or why not.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { parse, stringify } from 'yaml'
import { type StatusOptions, status } from '../../src/commands/status.ts'
import { array, type JsonObject, object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { captured } from '../commands/portcullis.ts'
import { MANIFESTS } from '../manifests/documents.ts'
import type { ControlPlane } from '../parts/control-plane.ts'
import { describeWithParts } from '../parts/require.ts'
import { applied, succeeds, versions } from './objects.ts'
import {
  configFile,
  everything,
  type Protected,
  protect,
  protectedParts,
  setups,
  startCluster,
} from './protected-cluster.ts'

describeWithParts('status', protectedParts, () => {
  let controlPlane: ControlPlane
  let cluster: Protected
  let base: Pick<StatusOptions, 'kubeconfig' | 'config'>
  const run = async (options: Partial<StatusOptions> = {}) => {
    const io = captured()
    const code = await status({ ...base, output: 'table', ...options }, io)
    return { code, ...io.text }
  }
  const rows = async (options: Partial<StatusOptions> = {}) => {
    const { out } = await run({ ...options, output: 'json' })
    return array(JSON.parse(out).routes).map(object)
  }
  const row = async (kind: string, namespace: string, name: string) =>
    object((await rows()).find(each => each.kind === kind && each.namespace === namespace && each.name === name))
  const codes = (of: JsonObject) => array(of.reasons).map(each => object(each).code)

  beforeAll(async () => {
    controlPlane = await startCluster()
    const config = configFile(controlPlane)
    writeFileSync(config, stringify(quick(parse(readFileSync(config, 'utf8')))))
    cluster = await protect(controlPlane, setups({ byHand: false }))
    await controlPlane.apply(join(MANIFESTS, 'namespace.yaml'), join(MANIFESTS, 'webhook/rbac.yaml'))
    base = { kubeconfig: await readOnly(controlPlane), config }
  }, 240_000)

  afterAll(() => controlPlane?.stop())

  test('ends with 0 once every labelled route is protected, says by whom, and writes nothing', async () => {
    const before = versions(await everything(controlPlane))
    const waiting = await rows()
    expect(waiting.length).toBe(cluster.labelled.length)
    // Guards and Gateways count when they have been there for a while.
    for (let i = 0; i < 60 && (await run()).code !== 0; i++) await sleep(500)
    const { code, out, err } = await run()
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^NAMESPACE +KIND +NAME +HOSTS +TEAM +ACCESS +STATE +BY OR WHY\n/)
    expect(out).toMatch(
      /^monitoring +Ingress +prometheus +prometheus\.example\.com +monitoring +- +protected +ingress-nginx$/m,
    )
    expect(out).toMatch(/^monitoring-team-a +HTTPRoute +prometheus +\S+ +team-a +- +protected +envoy-gateway$/m)
    expect(out).toMatch(new RegExp(`\n${cluster.labelled.length} routes: ${cluster.labelled.length} protected\n$`))
    const names = out.split('\n').slice(1, cluster.labelled.length + 1)
    expect(names).toEqual([...names].sort())
    expect(versions(await everything(controlPlane))).toEqual(before)
  }, 60_000)

  test('tells -n of one namespace only, and says that it took defaults where it may not read the configuration', async () => {
    expect((await rows({ namespace: 'whoami' })).map(each => each.name)).toEqual(['whoami'])
    const { kubeconfig } = base
    const io = captured()
    await status({ ...(kubeconfig === undefined ? {} : { kubeconfig }), output: 'table' }, io)
    expect(io.text.err).toMatch(/^note: ConfigMap portcullis\/portcullis cannot be read .*--config names a file\n$/)
    // By defaults no Gateway is handed over.
    expect(io.text.out).toMatch(/^Gateway envoy-gateway\/main: .*\[gateway-open\]$/m)
    const misspelt = { code: 2, out: '', err: 'there is no namespace whoarewe; correct -n\n' }
    expect(await run({ namespace: 'whoarewe' })).toEqual(misspelt)
  }, 60_000)

  test('says of each route what is the matter, and ends with 1', async () => {
    const required = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'strict', labels: { 'auth.example/require': 'enforce' } },
    }
    const wanting = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'mild', labels: { 'auth.example/require': 'warn' } },
    }
    await applied(
      controlPlane,
      ...([required, wanting] as KubeObject[]),
      ingress('unwritten', 'monitoring', { 'auth.example/protect': 'true' }),
      ingress('refused', 'monitoring', { 'auth.example/protect': 'nobody' }),
      ingress('on-purpose', 'monitoring', { 'auth.example/protect': 'false' }),
      ingress('unlabelled', 'monitoring', {}),
      ingress('open', 'strict', {}),
      ingress('open', 'mild', {}),
    )
    await succeeds(controlPlane, [
      'annotate',
      'ingress',
      'reports',
      '-n',
      'reports',
      '--overwrite',
      'nginx.ingress.kubernetes.io/auth-url=http://other.example.com',
    ])
    await succeeds(controlPlane, ['delete', 'securitypolicy', 'portcullis-team.team-a', '-n', 'monitoring-team-a'])
    await succeeds(controlPlane, ['delete', 'authteam', 'everybody'])
    expect((await run()).code).toBe(1)
    const expected: [string, string, string, string, string][] = [
      ['Ingress', 'monitoring', 'unwritten', 'waits', 'injection-missing'],
      ['Ingress', 'monitoring', 'refused', 'refused', 'team-unknown'],
      ['Ingress', 'monitoring', 'on-purpose', 'open', 'opted-out'],
      ['Ingress', 'strict', 'open', 'open', 'protection-required'],
      ['Ingress', 'mild', 'open', 'open', 'protection-wanted'],
      ['Ingress', 'reports', 'reports', 'waits', 'injection-altered'],
      ['HTTPRoute', 'monitoring-team-a', 'prometheus', 'waits', 'guards-missing'],
      ['Ingress', 'whoami', 'whoami', 'frozen', 'team-gone'],
    ]
    for (const [kind, namespace, name, state, code] of expected) {
      const found = await row(kind, namespace, name)
      expect({ name, state: found.state, codes: codes(found) }).toEqual({
        name,
        state,
        codes: expect.arrayContaining([code]),
      })
    }
    expect((await rows()).some(each => each.name === 'unlabelled')).toBe(false)
    // Open on purpose, or where it is only warned about, is no failure.
    expect((await run({ namespace: 'mild' })).code).toBe(0)
    expect((await run({ namespace: 'strict' })).code).toBe(1)
    const { out } = await run()
    expect(out).toMatch(/^AuthTeam team-a: what guards \S+team-a is being made;/m)
    expect(out).toMatch(/^whoami +Ingress +whoami +whoami\.example\.com +- +- +frozen +\S.*\[team-gone\]$/m)
  }, 90_000)

  test('ends with 2 where there is nobody to ask, or no right to', async () => {
    const nobody = join(controlPlane.dir, 'nobody')
    const admin = JSON.parse(readFileSync(controlPlane.kubeconfig, 'utf8'))
    writeFileSync(nobody, JSON.stringify({ ...admin, users: [{ name: 'admin', user: {} }] }))
    expect(await run({ kubeconfig: nobody })).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('cannot list AuthTeam: 403'),
    })
    expect(await run({ kubeconfig: join(controlPlane.dir, 'none') })).toMatchObject({ code: 2, out: '' })
  }, 30_000)
})

/** Nothing has to be waited for but what is fixed. */
function quick(config: JsonObject): JsonObject {
  const controllers = array(config.controllers)
    .map(object)
    .map(each => ({
      ...each,
      ...(each.handedOver === undefined
        ? {}
        : { handedOver: array(each.handedOver).map(gateway => ({ ...object(gateway), drainSeconds: 0 })) }),
    }))
  return { ...config, settleSeconds: 1, controllers }
}

/** The webhook's ServiceAccount, with the rights that the manifests give it. */
async function readOnly(controlPlane: ControlPlane): Promise<string> {
  const name = 'portcullis-webhook'
  const token = await succeeds(controlPlane, ['create', 'token', name, '-n', 'portcullis'])
  const admin = JSON.parse(readFileSync(controlPlane.kubeconfig, 'utf8'))
  const file = join(controlPlane.dir, name)
  writeFileSync(file, JSON.stringify({ ...admin, users: [{ name: 'admin', user: { token: token.trim() } }] }))
  return file
}

function ingress(name: string, namespace: string, labels: object): KubeObject {
  const backend = { service: { name: 'x', port: { number: 80 } } }
  const rules = [{ host: `${name}.example.com`, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }]
  const spec = { ingressClassName: 'nginx', rules }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace, labels },
    spec,
  } as KubeObject
}
