// Whatever happens in what order, no write of the controller opens a route or leads it to the login of another team.
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { policyOf } from '../../src/controller/steps/team-policies.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { ENVOY_GATEWAY, gateway, gatewayClass, httpRoute, namespace, parent, team } from '../facts/cluster.ts'
import { runs } from './arbitrary.ts'
import { Cluster, isShut } from './guards-cluster.ts'

const PROTECT = 'auth.example/protect'
const ACCESS = 'auth.example/access'
const TEAM = 'auth.example/team'
const TEAMS = ['team-a', 'team-b'] as const
const NAMESPACES = ['apps', 'shop'] as const
const ROUTES = ['one', 'two', 'three'] as const

type Labels = { readonly [key: string]: string | null }
type Change = { readonly what: string; readonly to: (cluster: Cluster) => void }

function labelled(document: KubeObject, labels: Labels): KubeObject {
  const merged = { ...(document.metadata.labels as object), ...labels }
  const kept = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null))
  return { ...document, metadata: { ...document.metadata, labels: kept } }
}

function teamOf(name: string, levels: readonly string[], service: string): KubeObject {
  const access = levels.map(level => ({ name: level, allowedGroups: [`group-${level}`] }))
  const selector = { matchExpressions: [{ key: TEAM, operator: 'In', values: [name, 'both'] }] }
  return {
    ...team(name, {
      namespaces: { selector },
      access,
      proxy: {
        service: { namespace: 'auth', name: service },
        cookieDomains: ['a.example.com'],
        cookieName: `__Secure-${name}`,
      },
    }),
    metadata: { name },
  }
}

const DEFINITE = ['admins', 'robots']

function fresh(paceMs: number): Cluster {
  const cluster = new Cluster(paceMs)
  const given = [
    ...['auth', 'infra', 'portcullis'].map(name => namespace(name)),
    ...NAMESPACES.map(name => namespace(name, { [TEAM]: 'both', [PROTECT]: 'team-a' })),
    gatewayClass('envoy', ENVOY_GATEWAY),
    gateway('envoy', 'envoy'),
    ...TEAMS.map(name => teamOf(name, DEFINITE, `proxy-${name}`)),
    ...ROUTES.map((name, index) =>
      httpRoute(
        // The last one says what no team is called: the net alone closes it.
        { name, namespace: NAMESPACES[index % 2], labels: index === 2 ? { [PROTECT]: 'nobody' } : {} },
        { parentRefs: [parent('envoy')], hostnames: [`${name}.a.example.com`] },
      ),
    ),
  ]
  for (const each of given) cluster.put(each)
  cluster.settle({ writes: 1000, refused: () => false })
  cluster.tick(5000)
  return cluster
}

const change = (what: string, to: Change['to']): Change => ({ what, to })

function edited(policy: KubeObject, how: string): KubeObject {
  const spec = policy.spec as { [key: string]: unknown }
  const selectors = JSON.stringify(spec.targetSelectors ?? [])
  switch (how) {
    case 'mergeType':
      return { ...policy, spec: { ...spec, mergeType: 'StrategicMerge' } }
    case 'values':
      return {
        ...policy,
        spec: { ...spec, targetSelectors: JSON.parse(selectors.replaceAll('"true"', '"other","team-b"')) },
      }
    case 'open':
      return { ...policy, spec: { ...spec, authorization: { defaultAction: 'Allow' } } }
    default:
      return { ...policy, metadata: { ...policy.metadata, annotations: {} } }
  }
}

const anyChange: fc.Arbitrary<Change> = fc.oneof(
  fc
    .tuple(fc.constantFrom(...NAMESPACES), fc.constantFrom('team-a', 'team-b', 'both', null))
    .map(([name, value]) =>
      change(`${name} admitted by ${value}`, to => relabel(to, 'Namespace', name, { [TEAM]: value })),
    ),
  fc
    .tuple(fc.constantFrom(...NAMESPACES), fc.constantFrom('team-a', 'team-b', 'true', null))
    .map(([name, value]) =>
      change(`${name} means ${value}`, to => relabel(to, 'Namespace', name, { [PROTECT]: value })),
    ),
  fc
    .tuple(
      fc.constantFrom(...ROUTES),
      fc.constantFrom('true', '', 'team-a', 'team-b', 'nobody', 'false', null),
      fc.constantFrom('admins', 'robots', 'strange', null, null),
    )
    .map(([name, value, level]) =>
      change(`${name} says ${value}, ${level}`, to =>
        relabel(to, 'HTTPRoute', name, { [PROTECT]: value, [ACCESS]: level }),
      ),
    ),
  fc
    .tuple(fc.constantFrom(...TEAMS), fc.subarray(DEFINITE), fc.constantFrom('', '-new'))
    .map(([name, levels, suffix]) =>
      change(
        `${name} has ${levels} and proxy${suffix}`,
        to => void to.put(teamOf(name, levels, `proxy-${name}${suffix}`)),
      ),
    ),
  fc.constantFrom(...TEAMS).map(name =>
    change(`${name} goes`, to => {
      const there = to.get('AuthTeam', name)
      if (there !== undefined) to.remove(there)
    }),
  ),
  fc.nat({ max: 20 }).map(index =>
    change(`somebody deletes policy ${index}`, to => {
      const there = to.policies()
      const policy = there[index % Math.max(1, there.length)]
      if (policy !== undefined) to.remove(policy)
    }),
  ),
  fc.tuple(fc.nat({ max: 20 }), fc.constantFrom('mergeType', 'values', 'open', 'annotations')).map(([index, how]) =>
    change(`somebody edits ${how} of policy ${index}`, to => {
      const there = to.policies()
      const policy = there[index % Math.max(1, there.length)]
      if (policy !== undefined) to.put(edited(policy, how))
    }),
  ),
  fc
    .constantFrom('AuthTeam', 'Namespace', 'GatewayClass', 'Gateway', 'HTTPRoute')
    .map(kind => change(`no ${kind} among the facts`, to => to.hide(kind))),
  fc.constant(change('facts are back', to => to.show())),
  fc.constant(change('sweep', to => to.sweep())),
  fc.constantFrom(500, 2000, 70_000).map(ms => change(`${ms} ms`, to => to.tick(ms))),
)

const settling: fc.Arbitrary<Change> = fc
  .tuple(fc.constantFrom(1, 2, 3, 5, 100), fc.constantFrom('', '', '', 'team-b', 'zz-net', 'ReferenceGrant'))
  .map(([writes, refused]) =>
    change(
      `${writes} writes${refused === '' ? '' : `, ${refused} refused`}`,
      to => void to.settle({ writes, refused: id => refused !== '' && id.includes(refused) }),
    ),
  )

const changes = fc.array(fc.oneof({ weight: 3, arbitrary: anyChange }, { weight: 2, arbitrary: settling }), {
  minLength: 1,
  maxLength: 24,
})

function relabel(cluster: Cluster, kind: string, name: string, labels: Labels): void {
  const there = cluster.get(kind, name)
  if (there !== undefined) cluster.put(labelled(there, labels))
}

function rest(cluster: Cluster): void {
  for (let round = 0; round < 8; round++) {
    cluster.settle({ writes: 1000, refused: () => false })
    if (round > 1 && cluster.waiting.size === 0 && cluster.atRest().length === 0) return
    cluster.tick(3000)
    cluster.sweep()
  }
}

/** At rest: a guard is in front, and asks for a login or lets nobody through. */
function isSafe(route: KubeObject, cluster: Cluster): boolean {
  const { admitted } = cluster.truth.teamsIn(String(route.metadata.namespace))
  const guard = cluster.guardOf(route)
  const team = guard === undefined ? undefined : policyOf(guard)?.team
  // A policy that is only kept for routes that can't be planned: what it has to be is not known any more, and whoever
  // edits it is past every lock.
  if (team !== undefined && admitted.every(each => each.name !== team)) return true
  // Nobody knows of a net that is missing where no team may use the namespace.
  return guard === undefined ? admitted.length === 0 : isShut(guard)
}

const paces = fc.constantFrom(0, 40, 400, 1100)

describe('writes of the controller', () => {
  test('never open a route, nor lead it to the login of another team, and come to rest', () => {
    fc.assert(
      fc.property(paces, changes, (paceMs, list) => {
        const cluster = fresh(paceMs)
        for (const { to } of list) to(cluster)
        cluster.show()
        rest(cluster)
        expect(cluster.atRest()).toEqual([])
        for (const route of cluster.labelledRoutes()) expect([route, isSafe(route, cluster)]).toEqual([route, true])
      }),
      runs(30),
    )
  }, 300_000)

  test('end at what is wanted and nothing else, once everything is said', () => {
    fc.assert(
      fc.property(paces, changes, (paceMs, list) => {
        const cluster = fresh(paceMs)
        for (const { to } of list) to(cluster)
        cluster.show()
        for (const name of TEAMS) cluster.put(teamOf(name, DEFINITE, `proxy-${name}`))
        for (const name of NAMESPACES) relabel(cluster, 'Namespace', name, { [TEAM]: 'both', [PROTECT]: 'team-b' })
        for (const name of ROUTES) relabel(cluster, 'HTTPRoute', name, { [PROTECT]: 'true', [ACCESS]: null })
        rest(cluster)
        expect(cluster.difference()).toEqual([])
        for (const route of cluster.labelledRoutes()) {
          expect(cluster.guardOf(route)?.metadata.name).toBe('portcullis-team.team-b')
        }
      }),
      runs(20),
    )
  }, 300_000)
})
