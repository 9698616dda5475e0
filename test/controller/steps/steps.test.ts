import { describe, expect, test } from '@jest/globals'
import type { Key } from '../../../src/controller/keys.ts'
import { netWaitsMs } from '../../../src/controller/steps/namespace-steps.ts'
import { isObject, object, strings } from '../../../src/core/json.ts'
import type { KubeObject } from '../../../src/core/types.ts'
import type { FactStore } from '../../../src/facts/store.ts'
import { cluster, httpRoute, namespace, parent, team } from '../../facts/cluster.ts'
import { inWords, made, NET, NOW, type Stored, stored } from '../stored.ts'

const APPS: Key = { of: 'namespace', namespace: 'apps' }
const ROUTE: Key = { of: 'route', route: { kind: 'HTTPRoute', namespace: 'apps', name: 'app' } }
const PROTECT = 'auth.example/protect'
const SINCE = 'auth.example/since'

const record = (name: string) => JSON.stringify({ format: 1, gateway: 'envoy-gateway', team: name, set: {}, was: {} })
const NO_LEVELS = { access: [] }
/** One team and no level: one policy, one net, one grant. */
const small = (...more: KubeObject[]) =>
  cluster(
    team('team-a', { ...NO_LEVELS, namespaces: { names: ['apps'], default: true } }),
    team('team-b', { ...NO_LEVELS, namespaces: { names: ['elsewhere'] } }),
    team('team-c', { ...NO_LEVELS, namespaces: { names: ['elsewhere'] } }),
    ...more,
  )

function route(name: string, labels: { [key: string]: string }, recorded?: string): KubeObject {
  const annotations = recorded === undefined ? {} : { 'auth.example/injected': record(recorded) }
  return httpRoute({ name, labels, annotations }, { parentRefs: [parent('envoy')] })
}

/** Policies and net only. */
function policies(words: readonly string[]): string[] {
  return words.filter(each => /portcullis-(team|zz)/.test(each))
}

function changed(settled: Stored, name: string, change: (spec: { [key: string]: unknown }) => object): void {
  const there = settled.find(name)
  settled.owned.put({ ...there, spec: change(object(there.spec) as { [key: string]: unknown }) })
}

function values(policy: KubeObject): unknown {
  const text = JSON.stringify(policy.spec)
  return JSON.parse(/"key":"auth.example\/protect","operator":"In","values":(\[[^\]]*\])/.exec(text)?.[1] ?? 'null')
}

describe('in a namespace that a team may use', () => {
  test('references come first, then policies, and the net last', () => {
    expect(stored(small()).settle(APPS)).toEqual([
      expect.stringMatching(/^apply m[0-9a-f]{16}$/),
      expect.stringMatching(/^apply m[0-9a-f]{16}$/),
      'apply portcullis-from.apps.team-a',
      'apply portcullis-team.team-a',
      `apply ${NET}.1`,
    ])
  })

  test('the net comes before the policies where a labelled route would be open meanwhile', () => {
    const words = stored(small(route('app', { [PROTECT]: 'true' }))).settle(APPS)
    expect(policies(words)).toEqual([`apply ${NET}.1`, 'apply portcullis-team.team-a'])
  })

  test('nothing is left to do once all of it is there', () => {
    const settled = stored(small())
    settled.settle(APPS)
    expect(settled.next(APPS)).toEqual([])
  })

  test('nothing is done while the namespace is not among the facts', () => {
    const facts = small()
    facts.remove(namespace('apps'))
    expect(stored(facts).next(APPS)).toEqual([])
  })

  test('nothing is done when the team is not among the facts any more', () => {
    const settled = stored(small())
    settled.settle(APPS)
    settled.facts.remove(team('team-a'))
    expect(settled.next(APPS)).toEqual([])
  })

  test('a policy that cannot be written stops neither the others nor the net', () => {
    const settled = stored(cluster())
    settled.settle(APPS)
    const policy = settled.find('portcullis-team.team-b')
    settled.owned.remove(policy)
    settled.owned.remove(settled.find('portcullis-team.team-a'))
    expect(inWords(settled.next(APPS, [policy]))).toEqual(['apply portcullis-team.team-a'])
  })
})

describe('the net', () => {
  test('is followed by another when a policy is younger, and goes only then', () => {
    const settled = stored(small())
    settled.settle(APPS, 100)
    settled.owned.remove(settled.find('portcullis-team.team-a'))
    expect(settled.settle(APPS)).toEqual(['apply portcullis-team.team-a', `apply ${NET}.2`, `remove ${NET}.1`])
  })

  test('is as good if it is of the same second as a policy', () => {
    const settled = stored(small())
    settled.settle(APPS, 100)
    settled.owned.put(made(settled.find('portcullis-team.team-a'), 100))
    expect(settled.next(APPS)).toEqual([])
  })

  test('is made right in its place when somebody has edited it', () => {
    const settled = stored(small())
    settled.settle(APPS, 100)
    changed(settled, `${NET}.1`, spec => ({ ...spec, authorization: { defaultAction: 'Allow' } }))
    expect(settled.settle(APPS)).toEqual([`apply ${NET}.1`])
  })

  test('takes another name where its own is held by something that is being deleted', () => {
    const settled = stored(small())
    settled.settle(APPS, 100)
    const net = settled.find(`${NET}.1`)
    settled.owned.put({ ...net, metadata: { ...net.metadata, deletionTimestamp: '2026-06-01T00:00:00Z' } })
    expect(settled.settle(APPS)).toEqual([`apply ${NET}.2`])
  })

  test('takes another name where somebody else has its own', () => {
    const settled = stored(small())
    settled.settle(APPS, 100)
    const net = settled.find(`${NET}.1`)
    settled.owned.remove(net)
    expect(inWords(settled.next(APPS, [net]))).toEqual([`apply ${NET}.2`])
  })

  test('is not followed again and again while clocks of API servers differ', () => {
    const settled = stored(small())
    settled.settle(APPS, 100)
    settled.owned.put(
      made({ ...settled.find(`${NET}.1`), metadata: { ...settled.find(`${NET}.1`).metadata, name: `${NET}.2` } }, 1),
    )
    settled.owned.put(made(settled.find('portcullis-team.team-a'), 0))
    expect(settled.next(APPS)).toEqual([])
    expect(netWaitsMs({ namespace: 'apps', owned: settled.owned, now: NOW })).toBe(1000)
  })
})

describe('a namespace that moves to another team', () => {
  const both = { namespaces: { names: ['apps'] }, ...NO_LEVELS }
  const means = (name: string) => namespace('apps', { [PROTECT]: name })
  const moving = (...more: KubeObject[]) => {
    const settled = stored(small(team('team-a', both), team('team-b', both), means('team-a'), ...more))
    settled.settle(APPS, 100)
    settled.facts.put(means('team-b'))
    return settled
  }

  test('has its routes taken over by the new team before the old one lets go of them', () => {
    const settled = moving(route('app', { [PROTECT]: 'true' }, 'team-a'))
    expect(settled.settle(APPS)).toEqual(['apply portcullis-team.team-b', 'replace portcullis-team.team-a'])
    expect(values(settled.find('portcullis-team.team-a'))).toEqual(['team-a'])
    expect(values(settled.find('portcullis-team.team-b'))).toEqual(['', 'true', 'team-b'])
  })

  test('keeps the old one where the new one cannot be written', () => {
    const settled = moving(route('app', { [PROTECT]: 'true' }, 'team-a'))
    expect(settled.next(APPS, [settled.find('portcullis-team.team-b')])).toEqual([])
  })

  test('does not lose routes because nobody knows any more what "true" means there', () => {
    const settled = moving(route('app', { [PROTECT]: 'true' }, 'team-a'))
    settled.facts.put(namespace('apps'))
    expect(settled.next(APPS)).toEqual([])
  })

  test('does not give them to the new team on the way, where it is to let go of them too', () => {
    const settled = moving(route('app', { [PROTECT]: 'true' }, 'team-a'))
    for (const { object: widened } of settled.next(APPS)) settled.owned.put(made(widened, 100))
    settled.facts.put(namespace('apps'))
    expect(settled.settle(APPS)).toEqual(['replace portcullis-team.team-b'])
    expect(values(settled.find('portcullis-team.team-a'))).toEqual(['', 'true', 'team-a'])
    expect(values(settled.find('portcullis-team.team-b'))).toEqual(['team-b'])
  })

  test('does not give the routes of a team that is missing to another', () => {
    const settled = moving(route('app', { [PROTECT]: 'true' }, 'team-a'))
    settled.facts.remove(team('team-a'))
    expect(settled.next(APPS)).toEqual([])
  })
})

describe('a net that is left where no team may use the namespace', () => {
  const open = { authorization: { defaultAction: 'Allow' } }
  const left = () => {
    const settled = stored(small(route('app', { [PROTECT]: 'true' })))
    settled.settle(APPS, 100)
    settled.facts.remove(team('team-a'))
    return settled
  }

  test('is put right when somebody has edited it, and nothing else is written', () => {
    const settled = left()
    const before = settled.find(`${NET}.1`)
    changed(settled, `${NET}.1`, spec => ({ ...spec, ...open }))
    changed(settled, 'portcullis-team.team-a', spec => ({ ...spec, ...open }))
    expect(settled.settle(APPS)).toEqual([`apply ${NET}.1`])
    expect(settled.find(`${NET}.1`).spec).toEqual(before.spec)
    changed(settled, `${NET}.1`, spec => ({ ...spec, mergeType: 'StrategicMerge' }))
    expect(settled.settle(APPS)).toEqual([`replace ${NET}.1`])
  })

  test('is put right where the namespace is not among the facts either', () => {
    const settled = left()
    settled.facts.remove(namespace('apps'))
    changed(settled, `${NET}.1`, spec => ({ ...spec, ...open }))
    expect(settled.settle(APPS)).toEqual([`apply ${NET}.1`])
  })

  test('is not made again when it has gone: nobody knows that it is needed', () => {
    const settled = left()
    settled.owned.remove(settled.find(`${NET}.1`))
    expect(settled.next(APPS)).toEqual([])
  })
})

describe('while HTTPRoutes are not served', () => {
  const both = { namespaces: { names: ['apps'] }, ...NO_LEVELS }
  const means = (name: string) => namespace('apps', { [PROTECT]: name })
  /** What was stored while they were, with the facts that there are since. */
  const unserved = (change: (facts: FactStore) => void) => {
    const before = stored(small(team('team-a', both), team('team-b', both), means('team-a')))
    before.settle(APPS, 100)
    change(before.facts)
    const settled = stored(before.facts, ['HTTPRoute'])
    for (const each of before.owned.all()) settled.owned.put(each)
    return settled
  }

  test('no policy lets go of routes that nobody knows', () => {
    expect(unserved(facts => facts.put(namespace('apps'))).settle(APPS)).toEqual([])
    expect(
      unserved(facts => facts.put(team('team-a', { ...NO_LEVELS, namespaces: { names: ['elsewhere'] } }))).settle(APPS),
    ).toEqual([])
  })

  test('none takes over routes whose team may be another', () => {
    expect(unserved(facts => facts.put(means('team-b'))).settle(APPS)).toEqual([])
    expect(unserved(facts => facts.remove(team('team-a'))).settle(APPS)).toEqual([])
  })

  test('what somebody opened is closed', () => {
    const settled = unserved(() => {})
    changed(settled, 'portcullis-team.team-a', spec => ({ ...spec, authorization: { defaultAction: 'Allow' } }))
    expect(settled.settle(APPS)).toEqual(['apply portcullis-team.team-a'])
    expect(values(settled.find('portcullis-team.team-a'))).toEqual(['', 'true', 'team-a'])
  })

  test('the net comes first where nothing is there yet, and policies for routes that name their team', () => {
    const fresh = stored(small(), ['HTTPRoute'])
    expect(policies(fresh.settle(APPS))).toEqual([`apply ${NET}.1`, 'apply portcullis-team.team-a'])
    expect(values(fresh.find('portcullis-team.team-a'))).toEqual(['team-a'])
  })
})

describe('policies of which somebody has edited several', () => {
  const OPENED = 'portcullis-team.team-b'
  const TAKEN = 'portcullis-team.team-a'

  test('are closed before any lets go of routes that are then those of another', () => {
    const settled = stored(small(team('team-b', { namespaces: { names: ['apps'] }, ...NO_LEVELS })))
    settled.settle(APPS, 100)
    const given = (values: readonly string[]) => (spec: { [key: string]: unknown }) =>
      JSON.parse(JSON.stringify(spec).replace(/"values":\[[^\]]*\]/, `"values":${JSON.stringify(values)}`))
    changed(settled, TAKEN, given(['', 'true', 'team-b', 'team-a']))
    changed(settled, OPENED, spec => ({ ...given(['team-b', 'other'])(spec), mergeType: 'StrategicMerge' }))
    expect(settled.settle(APPS)).toEqual([`replace ${OPENED}`, `replace ${TAKEN}`, `replace ${OPENED}`])
    expect(values(settled.find(TAKEN))).toEqual(['', 'true', 'team-a'])
    expect(values(settled.find(OPENED))).toEqual(['team-b'])
  })
})

describe('a policy that somebody has edited', () => {
  const edited = (change: (spec: { [key: string]: unknown }) => object) => {
    const settled = stored(small())
    settled.settle(APPS, 100)
    changed(settled, 'portcullis-team.team-a', change)
    return settled
  }

  test('is applied again, and says since when it is right', () => {
    const settled = edited(spec => ({ ...spec, authorization: { defaultAction: 'Allow', rules: [] } }))
    const [step] = settled.next(APPS)
    expect(step?.do).toBe('apply')
    expect(strings(step?.object.metadata.annotations)[SINCE]).toBe(new Date(NOW).toISOString())
  })

  test('is replaced where there is more than ours in it, in the version that was seen', () => {
    const settled = edited(spec => ({ ...spec, mergeType: 'StrategicMerge' }))
    const [step] = settled.next(APPS)
    if (step?.do !== 'replace') throw new Error(inWords([step!]).join())
    expect(step.version).toBe('1')
    expect(step.operations[0]).toEqual({ op: 'add', path: '/spec', value: step.object.spec })
    expect(isObject(step.object.spec) && 'mergeType' in step.object.spec).toBe(false)
  })

  test('keeps what it says of itself when only an annotation of ours is missing', () => {
    const settled = edited(spec => spec)
    const there = settled.find('portcullis-team.team-a')
    settled.owned.put({ ...there, metadata: { ...there.metadata, annotations: { [SINCE]: '2026-05-01T00:00:00Z' } } })
    const [step] = settled.next(APPS)
    expect(strings(step?.object.metadata.annotations)).toMatchObject({
      [SINCE]: '2026-05-01T00:00:00Z',
      'auth.example/scope': 'namespace/apps/team-a',
    })
  })

  test('selects nobody else from then on', () => {
    const settled = edited(spec => JSON.parse(JSON.stringify(spec).replace('"true"', '"team-b","true"')))
    settled.settle(APPS)
    expect(values(settled.find('portcullis-team.team-a'))).toEqual(['', 'true', 'team-a'])
  })
})

describe('the login on the hosts of a route', () => {
  const labelled = route('app', { [PROTECT]: 'true' })
  const login = () => {
    const settled = stored(small(labelled))
    settled.settle(ROUTE, 100)
    return settled
  }

  test('is made, and stays while the route is only missing among the facts', () => {
    const settled = login()
    expect(settled.owned.size).toBe(1)
    settled.facts.remove(labelled)
    expect(settled.next(ROUTE)).toEqual([])
    expect(settled.next(ROUTE, [], { route: labelled })).toEqual([])
  })

  test('goes when the API server says that there is no such route', () => {
    const settled = login()
    expect(inWords(settled.next(ROUTE, [], {}))).toEqual([expect.stringMatching(/^remove portcullis-login-/)])
  })

  test('goes when the label has gone, once the facts say so too', () => {
    const settled = login()
    const open = route('app', {})
    expect(settled.next(ROUTE, [], { route: open })).toEqual([])
    settled.facts.put(open)
    expect(inWords(settled.next(ROUTE, [], { route: open }))).toEqual([
      expect.stringMatching(/^remove portcullis-login-/),
    ])
  })

  test('stays when the team is missing', () => {
    const settled = login()
    settled.facts.remove(team('team-a'))
    expect(settled.next(ROUTE, [], { route: labelled })).toEqual([])
  })
})
