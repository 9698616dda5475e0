import { describe, expect, test } from '@jest/globals'
import type { Key } from '../../../src/controller/keys.ts'
import { type Found, orphans, type Read } from '../../../src/controller/orphans/orphans.ts'
import { referencesOf } from '../../../src/controller/orphans/references.ts'
import { object } from '../../../src/core/json.ts'
import type { KubeObject } from '../../../src/core/types.ts'
import { gateways } from '../../../src/gateways/index.ts'
import {
  CLUSTER,
  cluster,
  config,
  gateway,
  gatewayClass,
  httpRoute,
  namespace,
  parent,
  storeOf,
  team,
} from '../../facts/cluster.ts'
import { finish, NET, type Stored, stored } from '../stored.ts'

const APPS: Key = { of: 'namespace', namespace: 'apps' }
const GATEWAY: Key = { of: 'gateway', namespace: 'infra', name: 'envoy' }
const ROUTE: Key = { of: 'route', route: { kind: 'HTTPRoute', namespace: 'apps', name: 'app' } }

const record = (name: string) => JSON.stringify({ format: 1, gateway: 'envoy-gateway', team: name, set: {}, was: {} })

function labelled(by: string, labels: { [key: string]: string } = {}): KubeObject {
  return httpRoute(
    { labels: { 'auth.example/protect': 'true', ...labels }, annotations: { 'auth.example/injected': record(by) } },
    { parentRefs: [parent('envoy')] },
  )
}

function sweep(settled: Stored, routes: readonly KubeObject[] = [], before: Found['sweep'] = new Set()): Found {
  const references = new Set(routes.flatMap(referencesOf))
  return swept(settled, { references, isAbsent: () => false, before })
}

/** In turns of a few objects. */
function swept({ facts, owned }: Stored, read: Read, meanwhile = () => {}): Found {
  return finish(orphans(facts, owned, gateways, read, 2), meanwhile)
}

function names(found: readonly KubeObject[]): string[] {
  return found.map(each => String(each.metadata.name)).filter(name => !/^m[0-9a-f]{16}$/.test(name))
}

/** Everything of `apps` is stored, with two teams. */
function settled(...more: KubeObject[]): Stored {
  const result = stored(cluster(...more))
  result.settle(APPS, 100)
  return result
}

const ELSEWHERE = { namespaces: { names: ['elsewhere'] } }

describe('what nobody wants any more', () => {
  test('stays if it comes to be wanted while others have their turn', () => {
    const apps = settled()
    const read = { references: new Set<string>(), isAbsent: () => false, before: new Set<string>() }
    apps.facts.put(team('team-b', ELSEWHERE))
    const back = () => {
      for (const each of CLUSTER) apps.facts.put(each)
    }
    expect(names(swept(apps, read, back).remove)).toEqual([])
    apps.facts.put(team('team-b', ELSEWHERE))
    expect(names(swept(apps, read).remove)).not.toEqual([])
  })

  test('is nothing while everything is wanted', () => {
    const apps = settled()
    apps.settle(GATEWAY)
    expect(sweep(apps)).toEqual({ remove: [], kept: [], sweep: new Set() })
  })

  test('goes at once where the team is there and says so, references last', () => {
    const apps = settled()
    apps.facts.put(team('team-b', ELSEWHERE))
    expect(names(sweep(apps).remove)).toEqual([
      'portcullis-team.team-b',
      'portcullis-team.team-b.admins',
      'portcullis-team.team-b.robots',
      'portcullis-from.apps.team-b',
    ])
  })

  test('goes at once where a team has an access level no more', () => {
    const apps = settled()
    apps.facts.put(team('team-b', { access: [{ name: 'admins', allowedGroups: ['a'] }] }))
    expect(names(sweep(apps).remove)).toEqual(['portcullis-team.team-b.robots'])
  })

  test('stays while a labelled route relies on it, and with it what it refers to', () => {
    const apps = settled()
    apps.facts.put(team('team-b', ELSEWHERE))
    const found = sweep(apps, [labelled('team-b', { 'auth.example/access': 'admins' })])
    expect(names(found.remove)).toEqual(['portcullis-team.team-b', 'portcullis-team.team-b.robots'])
    expect(names(found.kept)).toEqual(['portcullis-team.team-b.admins', 'portcullis-from.apps.team-b'])
  })

  test('stays where labelled routes would have no net under them', () => {
    const apps = settled()
    apps.facts.put(team('team-b', ELSEWHERE))
    apps.owned.remove(apps.find(`${NET}.1`))
    expect(names(sweep(apps, [labelled('team-a')]).remove)).toEqual([])
  })

  test('stays where the net that labelled routes would have under them is not right', () => {
    const apps = settled()
    apps.facts.put(team('team-b', ELSEWHERE))
    const net = apps.find(`${NET}.1`)
    apps.owned.put({ ...net, spec: { ...object(net.spec), mergeType: 'StrategicMerge' } })
    const bare = httpRoute({ labels: { 'auth.example/protect': 'true' } }, { parentRefs: [parent('envoy')] })
    const removed = () => names(sweep(apps, [bare]).remove).filter(name => name.startsWith('portcullis-team.'))
    expect(removed()).toEqual([])
    apps.owned.put(net)
    expect(removed()).not.toEqual([])
  })

  test('that says a wrong scope is wanted all the same', () => {
    const apps = settled()
    const policy = apps.find('portcullis-team.team-a')
    apps.owned.put({
      ...policy,
      metadata: { ...policy.metadata, annotations: { 'auth.example/scope': 'team/nobody' } },
    })
    expect(sweep(apps).remove).toEqual([])
  })
})

describe('what no scope wants because facts are missing', () => {
  test.each([
    ['a team', team('team-b')],
    ['the namespace', namespace('apps')],
    ['the GatewayClass', gatewayClass('envoy', '')],
  ])('stays for two sweeps: %s', (_, missing) => {
    const apps = settled()
    apps.facts.remove(missing)
    const first = sweep(apps)
    expect(names(first.remove)).toEqual([])
    expect(names(first.kept)).toContain('portcullis-team.team-b')
    expect(names(sweep(apps, [], first.sweep).remove)).toContain('portcullis-team.team-b')
  })

  test('stays when the facts are back in between', () => {
    const apps = settled()
    apps.facts.remove(team('team-b'))
    const first = sweep(apps)
    apps.facts.put(team('team-b'))
    const second = sweep(apps, [], first.sweep)
    apps.facts.remove(team('team-b'))
    expect(names(sweep(apps, [], second.sweep).remove)).toEqual([])
  })

  test('stays for ever while a labelled route relies on it', () => {
    const apps = settled()
    apps.facts.remove(team('team-b'))
    const routes = [labelled('team-b')]
    const found = sweep(apps, routes, sweep(apps, routes).sweep)
    expect(names(found.remove)).toEqual(['portcullis-team.team-b.admins', 'portcullis-team.team-b.robots'])
  })

  test('stays for ever while their kind is not installed', () => {
    const apps = settled()
    apps.facts.remove(team('team-b'))
    const read = { references: new Set<string>(), isAbsent: (kind: string) => kind === 'AuthTeam' }
    const first = swept(apps, { ...read, before: new Set() })
    expect(swept(apps, { ...read, before: first.sweep }).remove).toEqual([])
  })

  test('goes with the net last of all policies', () => {
    const apps = settled()
    for (const name of ['team-a', 'team-b']) apps.facts.remove(team(name))
    const left = names(sweep(apps, [], sweep(apps).sweep).remove)
    expect(left.indexOf(`${NET}.1`)).toBe(6)
    expect(left.slice(7)).toEqual(['portcullis-from.apps.team-a', 'portcullis-from.apps.team-b'])
  })

  test('the net stays while a route of the namespace has the label', () => {
    const apps = settled()
    for (const name of ['team-a', 'team-b']) apps.facts.remove(team(name))
    const routes = [labelled('nobody')]
    expect(names(sweep(apps, routes, sweep(apps, routes).sweep).kept)).toContain(`${NET}.1`)
  })
})

describe('what belongs to a Gateway', () => {
  const NOT_HANDED_OVER = config({
    controllers: [{ controller: 'gateway.envoyproxy.io/gatewayclass-controller', gateway: 'envoy-gateway' }],
  })
  /** Stored under one configuration, judged under another. */
  const given = (from = config()): Stored => {
    const infra = stored(storeOf(CLUSTER))
    infra.settle(GATEWAY)
    return { ...infra, facts: storeOf(CLUSTER, from) }
  }

  test('goes when the Gateway is not handed over any more, unless a labelled route names it', () => {
    expect(sweep(given(NOT_HANDED_OVER)).remove).toHaveLength(3)
    expect(sweep(given(NOT_HANDED_OVER), [labelled('team-a')]).remove).toHaveLength(0)
  })

  test('stays for two sweeps when the Gateway is missing', () => {
    const infra = given()
    infra.facts.remove(gateway('envoy', 'envoy'))
    const first = sweep(infra)
    expect(first.remove).toEqual([])
    expect(sweep(infra, [], first.sweep).remove).toHaveLength(3)
  })
})

describe('what belongs to a route', () => {
  const login = (): Stored => {
    const apps = stored(cluster(labelled('team-a')))
    apps.settle(ROUTE)
    return apps
  }

  test('goes when the route has no label any more', () => {
    const apps = login()
    apps.facts.put(httpRoute({ labels: {} }, { parentRefs: [parent('envoy')] }))
    expect(sweep(apps).remove).toHaveLength(1)
  })

  test('stays when the route is protected and cannot be planned now', () => {
    const apps = login()
    apps.facts.remove(team('team-a'))
    apps.facts.remove(team('team-b'))
    expect(sweep(apps, [], sweep(apps).sweep).remove).toEqual([])
  })

  test('stays for two sweeps when the route is missing', () => {
    const apps = login()
    apps.facts.remove(labelled('team-a'))
    const first = sweep(apps)
    expect(first.remove).toEqual([])
    expect(sweep(apps, [], first.sweep).remove).toHaveLength(1)
  })
})

describe('a route relies on', () => {
  test('the Middlewares that its annotations and filters name, labelled or not', () => {
    const key = 'traefik.ingress.kubernetes.io/router.middlewares'
    const value = 'portcullis-m0123456789abcdef@kubernetescrd,other@file,portcullis_mfedcba9876543210@kubernetescrd'
    const ingress = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { namespace: 'apps', name: 'a', annotations: { [key]: value } },
    }
    expect(referencesOf(ingress)).toEqual([
      'Middleware/portcullis/m0123456789abcdef',
      'Middleware/portcullis/mfedcba9876543210',
    ])
    const filters = [{ type: 'ExtensionRef', extensionRef: { group: 'traefik.io', kind: 'Middleware', name: 'm1' } }]
    expect(referencesOf(httpRoute({ labels: {} }, { rules: [{ filters }] }))).toEqual(['Middleware/apps/m1'])
  })

  test('the policy that its record and its access level name, the net and its Gateways', () => {
    expect(referencesOf(labelled('team-b', { 'auth.example/access': 'admins' }))).toEqual([
      'labelled/apps',
      'SecurityPolicy/apps/portcullis-team.team-b.admins',
      'Gateway/infra/envoy',
    ])
  })
})
