// Hosts that belong to a team, on a real API server with no pod of ours: who may use them, and what that costs.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ACME_SOLVER, MANAGED_BY, MANAGER } from '../../src/core/keys.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { MANIFESTS } from '../manifests/documents.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { describeWithParts } from '../parts/require.ts'
import { type Api, connect, person, serviceAccount, until } from './api.ts'
import { gatewayDefinitions } from './gateway-definitions.ts'
import { succeeds } from './objects.ts'
import { httpRoute, ingress, namespace, routeEditors } from './policy-objects.ts'

const SOLVER = serviceAccount('cert-manager', 'cert-manager')
const EDITOR = person('editor')
const TEAMS = 500

type Route = typeof ingress

const grpcRoute: Route = (name, of) => ({ ...httpRoute(name, of), kind: 'GRPCRoute' })

const team = (
  name: string,
  namespaces: object,
  hosts?: readonly string[],
  domain = `${name}.example.com`,
): KubeObject => ({
  apiVersion: 'auth.example/v1alpha1',
  kind: 'AuthTeam',
  metadata: { name },
  spec: {
    namespaces,
    ...(hosts === undefined ? {} : { hosts }),
    proxy: { service: { namespace: `login-${name}`, name: 'oauth2-proxy' }, cookieDomains: [domain] },
  },
})

const selector = (key: string, operator: string, values?: readonly string[]) => ({
  selector: { matchExpressions: [{ key, operator, ...(values === undefined ? {} : { values }) }] },
})

describeWithParts('hosts of teams', [...controlPlaneParts, 'envoy-gateway-crds', 'traefik-crds'], () => {
  let controlPlane: ControlPlane
  let api: Api

  const dryRun = (route: KubeObject, user = EDITOR) => api.create(route, user, '?dryRun=All')
  const allowed = async (route: KubeObject, user = EDITOR): Promise<boolean> => {
    const { status, message } = await dryRun(route, user)
    if (status === 201) return true
    expect({ status, message }).toEqual({ status: 403, message: expect.stringContaining('is reserved for team') })
    return false
  }
  const uses = (host: string, namespace = 'strangers', route: Route = ingress) =>
    allowed(route('r', { namespace, hosts: [host] }))

  beforeAll(async () => {
    controlPlane = await startControlPlane({ dir: mkdtempSync(join(tmpdir(), 'portcullis-')) })
    await controlPlane.applyCrds(...gatewayDefinitions())
    await succeeds(controlPlane, ['apply', '-k', MANIFESTS])
    api = connect(controlPlane)
    // A definition that is new is not served at once.
    const teams = '/apis/auth.example/v1alpha1/authteams'
    await until('AuthTeams', async () => (await api.send('GET', teams)).status === 200)
    // Nobody answers for them here.
    const configurations = 'validatingwebhookconfiguration/portcullis mutatingwebhookconfiguration/portcullis'
    await succeeds(controlPlane, ['delete', ...configurations.split(' ')])
    const documents = [
      ...routeEditors('editor', SOLVER.name),
      ...['strangers', 'by-name', 'login-default'].map(name => namespace(name)),
      namespace('labelled', { stage: 'production', team: 'l' }),
      team('default', { names: ['by-name'] }),
      team(
        'named',
        { names: ['by-name'] },
        ['*.named.example.net', '*-named.example.net', 'named.example.net'],
        'named.example.net',
      ),
      team('l', { selector: { matchLabels: { team: 'l', stage: 'production' } } }),
      team('in', selector('stage', 'In', ['test', 'production'])),
      team('notin', selector('stage', 'NotIn', ['production'])),
      team('exists', selector('stage', 'Exists')),
      team('absent', selector('stage', 'DoesNotExist')),
    ]
    for (const each of documents) expect(await api.create(each)).toMatchObject({ status: 201, message: '' })
    await until('the policy', async () => !(await uses('app.absent.example.com', 'labelled')))
    await until('the policy', async () => !(await uses('app.default.example.com')))
  }, 180_000)

  afterAll(async () => {
    api?.close()
    await controlPlane?.stop()
  })

  describe.each([
    ['an Ingress', ingress],
    ['an HTTPRoute', httpRoute],
    ['a GRPCRoute', grpcRoute],
  ] as const)('on %s', (_, route) => {
    test.each([
      // Without hosts of its own a team has its cookie domain and all under it.
      ['default.example.com', false],
      ['app.default.example.com', false],
      ['a.b.default.example.com', false],
      ['*.default.example.com', false],
      ['xdefault.example.com', true],
      ['default.example.com.example.org', true],
      ['named.example.net', false],
      ['app.named.example.net', false],
      ['app-named.example.net', false],
      ['unnamed.example.net', true],
      // A wildcard counts where it serves a host of the team.
      ['*.example.net', false],
      ['*.example.com', false],
      ['*.app.named.example.net', false],
      ['*.example.org', true],
      ['app.example.org', true],
    ])('%s in a namespace of nobody: %s', async (host, expected) => {
      expect(await uses(host, 'strangers', route)).toBe(expected)
    })

    test('is for namespaces that the team admits by name, and for that of its oauth2-proxy', async () => {
      expect(await uses('app.default.example.com', 'by-name', route)).toBe(true)
      expect(await uses('app.default.example.com', 'login-default', route)).toBe(true)
      expect(await uses('app.named.example.net', 'login-default', route)).toBe(false)
    })

    test.each([
      ['l', true, false],
      ['in', true, false],
      ['notin', false, true],
      ['exists', true, false],
      ['absent', false, true],
    ])('is for namespaces that the selector of team %s selects', async (name, labelled, strangers) => {
      expect(await uses(`app.${name}.example.com`, 'labelled', route)).toBe(labelled)
      expect(await uses(`app.${name}.example.com`, 'strangers', route)).toBe(strangers)
    })

    test('is found among others', async () => {
      const hosts = ['a.example.org', 'b.example.org', 'c.default.example.com']
      const { message } = await dryRun(route('r', { namespace: 'strangers', hosts }))
      expect(message).toContain(
        'host c.default.example.com is reserved for team default, which does not admit namespace strangers; use another',
      )
    })

    test('is written by Portcullis itself if it writes the kind, and nobody else under its label', async () => {
      const of = { namespace: 'strangers', hosts: ['app.default.example.com'], labels: { [MANAGED_BY]: MANAGER } }
      const status = route === grpcRoute ? 403 : 201
      expect(await api.create(route('r', of), undefined, '?dryRun=All')).toMatchObject({ status })
      expect(await dryRun(route('r', of))).toMatchObject({ status: 403 })
    })

    test('is written by cert-manager to answer a challenge, and by nobody who says so', async () => {
      const of = { namespace: 'strangers', hosts: ['app.default.example.com'] }
      const challenge = route('r', { ...of, labels: { [ACME_SOLVER]: 'true' } })
      expect(await allowed(challenge, SOLVER)).toBe(true)
      expect(await allowed(challenge, EDITOR)).toBe(false)
      expect(await allowed(route('r', of), SOLVER)).toBe(false)
    })

    test('stays writable but for its spec where it was there before the team', async () => {
      const late = `late-${route.name.toLowerCase()}`
      const host = `app.${late}.example.com`
      const old = route('old', { namespace: 'strangers', hosts: [host] })
      expect(await api.create(old, EDITOR)).toMatchObject({ status: 201 })
      expect(await api.create(team(late, { names: ['by-name'] }))).toMatchObject({ status: 201 })
      await until('the new team', async () => !(await uses(host)))
      const metadata = { annotations: { a: 'b' }, finalizers: ['example.com/a'] }
      expect(await api.patch(old, { metadata }, EDITOR)).toMatchObject({ status: 200 })
      const { spec } = route('other', { namespace: 'strangers', hosts: [host] })
      expect(await api.patch(old, { spec }, EDITOR)).toMatchObject({ status: 403 })
      expect(await api.patch(old, { metadata: { finalizers: null } }, EDITOR)).toMatchObject({ status: 200 })
      expect(await api.remove(old, EDITOR)).toMatchObject({ status: 200 })
    })
  })

  test('is free on a route for every host', async () => {
    const spec = { defaultBackend: { service: { name: 'a', port: { number: 80 } } } }
    expect(await allowed({ ...ingress('r', { namespace: 'strangers' }), spec })).toBe(true)
  })

  describe('cost what the API server lets them cost', () => {
    const long = (start: string) => `${start}${'.abcdefghi'.repeat(24)}`.slice(0, 240)
    const filler = (count: number) => Array.from({ length: count }, (_, i) => `*.${long(`h${i}`)}.org`)

    beforeAll(async () => {
      // Nothing of a team could be longer than this.
      const hosts = Array.from({ length: 63 }, (_, i) => `*.${long(`p${i}`)}.com`)
      const large = team('large', { names: ['by-name'] }, [...hosts, '*.large.example.com'])
      expect(await api.create(large)).toMatchObject({ status: 201, message: '' })
      await until('the large team', async () => !(await uses('app.large.example.com')))
    })

    test('with as many and as long hosts as are looked through: the last one is found', async () => {
      const hosts = [...filler(92), 'app.large.example.com']
      expect(await allowed(ingress('r', { namespace: 'strangers', hosts }))).toBe(false)
      expect(await allowed(ingress('r', { namespace: 'by-name', hosts }))).toBe(true)
    }, 30_000)

    test('with more: the route is refused, except where it may use the hosts', async () => {
      const more = { ...ingress('r', { namespace: 'strangers', hosts: filler(200) }) }
      expect(await dryRun(more)).toMatchObject({ status: 403, message: expect.stringContaining('has more rules than') })
      await api.remove(team('large', {}))
      await until('the team is gone', async () => (await dryRun(more)).status === 201)
      expect(await dryRun(ingress('r', { namespace: 'strangers', hosts: filler(501) }))).toMatchObject({ status: 403 })
    }, 30_000)

    test('and no expression ever ended with an error', async () => {
      const { text } = await api.read('/metrics')
      const lines = text.split('\n').filter(line => line.includes('"hosts.auth.example"'))
      expect(lines.filter(line => line.includes('match_condition_evaluation_seconds_count'))).not.toEqual([])
      // A refusal counts as invalid_error.
      expect(lines.filter(line => /evaluation_errors|compile_error|out_of_budget/.test(line))).toEqual([])
    })
  })

  const teamOf = (i: number) => team(`t${i}`, { names: [`n${i}`] }, [`*.t${i}.example.net`], `t${i}.example.net`)

  const cpuMs = async () =>
    Number(/^process_cpu_seconds_total (.+)$/m.exec((await api.read('/metrics')).text)?.[1]) * 1000

  /** By the clock, and of the API server's time on a processor, which other work on the machine does not lengthen. */
  const spent = async (route: KubeObject): Promise<string> => {
    const times: number[] = []
    const before = await cpuMs()
    for (let i = 0; i < 40; i++) {
      const begun = performance.now()
      expect((await dryRun(route)).status).toBe(201)
      times.push(performance.now() - begun)
    }
    const [cpu, median] = [((await cpuMs()) - before) / times.length, times.sort((a, b) => a - b)[20]!]
    return `${median.toFixed(1)} ms, ${cpu.toFixed(1)} ms of CPU`
  }

  test(`are looked up among ${TEAMS} teams`, async () => {
    for (let i = 0; i < TEAMS; i += 50) {
      const some = Array.from({ length: 50 }, (_, j) => teamOf(i + j))
      await Promise.all(some.map(async each => expect((await api.create(each)).status).toBe(201)))
    }
    await until('the last team', async () => !(await uses(`app.t${TEAMS - 1}.example.net`)))
    const routes = [ingress, httpRoute].map(route => route('r', { namespace: 'strangers' }))
    const bound: string[] = []
    for (const route of routes) bound.push(await spent(route))
    await succeeds(controlPlane, ['delete', 'validatingadmissionpolicybinding', 'hosts.auth.example'])
    await until('the policy is unbound', () => uses('app.t0.example.net'))
    for (const [i, route] of routes.entries()) {
      const says = `creating one ${route.kind} among ${TEAMS} teams took ${bound[i]}`
      process.stderr.write(`${says}; without the policy of hosts ${await spent(route)}\n`)
    }
  }, 90_000)
})
