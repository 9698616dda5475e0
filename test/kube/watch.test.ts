// The watch of one kind through hours of faults, on a clock that the test turns and a server that follows a script.
import { afterEach, describe, expect, test } from '@jest/globals'
import type { KubeObject } from '../../src/core/types.ts'
import { LIMITS } from '../../src/kube/pace.ts'
import type { Watched, WatchOptions } from '../../src/kube/watched.ts'
import { bookmark, event, item, listOf, status, watching } from './script.ts'

const MINUTE = 60_000

let running: Watched[] = []

afterEach(async () => {
  await Promise.all(running.map(each => each.stop()))
  running = []
})

function begin(options: Partial<WatchOptions> = {}) {
  const all = watching(options)
  return {
    ...all,
    start: () => {
      const watched = all.start()
      running.push(watched)
      return watched
    },
    lists: () => all.server.asked.filter(({ kind }) => kind === 'list'),
    watches: () => all.server.asked.filter(({ kind }) => kind === 'watch'),
  }
}

describe('a watch', () => {
  test('hands on the pages of a list, then every change, and goes on from the last version', async () => {
    const { server, clock, received, start, lists, watches } = begin()
    server.list = query =>
      query.has('continue') ? listOf([item('b', '2')], '10') : listOf([item('a', '1')], '10', 'more')
    const watched = start()
    await clock.pass(1)
    expect(lists().map(({ query }) => Object.fromEntries(query))).toEqual([
      { limit: '200' },
      { limit: '200', continue: 'more' },
    ])
    expect(Object.fromEntries(watches()[0]?.query ?? [])).toEqual({
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: '10',
      timeoutSeconds: '270',
    })
    server.line.say(event('ADDED', 'c', '11'), event('MODIFIED', 'a', '12'), event('DELETED', 'b', '13'))
    await clock.pass(20_000)
    server.line.end()
    await clock.pass(0)
    expect(received).toEqual(['put a', 'put b', 'put c', 'put a', 'remove b'])
    expect(watches()[1]?.query.get('resourceVersion')).toBe('13')
    expect(watched).toMatchObject({ synced: true, absent: false, size: 2 })
    expect(watched.counts).toMatchObject({ lists: 1, complete: 1, pages: 2, watches: 2, events: 3 })
  })

  test('gives objects of a list their type, and nobody their managed fields', async () => {
    const seen: KubeObject[] = []
    const { server, clock, start } = begin({ receive: (_, object) => seen.push(object) })
    server.list = () => listOf([item('a', '1', { managedFields: [{ manager: 'kubectl' }] })], '10')
    start()
    await clock.pass(1)
    const changed = { ...item('b', '11', { managedFields: [{}], labels: {} }) }
    server.line.say({ type: 'ADDED', object: { apiVersion: 'v1', kind: 'Thing', spec: { x: 1 }, ...changed } })
    await clock.pass(1)
    expect(seen).toEqual([
      { apiVersion: 'v1', kind: 'Thing', metadata: { namespace: 'default', name: 'a', resourceVersion: '1' } },
      {
        apiVersion: 'v1',
        kind: 'Thing',
        spec: { x: 1 },
        metadata: { namespace: 'default', name: 'b', resourceVersion: '11', labels: {} },
      },
    ])
  })

  test('reads a line in any pieces', async () => {
    const { server, clock, received, start } = begin()
    start()
    await clock.pass(1)
    const text = [event('ADDED', 'ä€😀', '11'), event('ADDED', 'b', '12')].map(each => `${JSON.stringify(each)}\n`)
    for (const piece of text.join('')) server.line.say(piece)
    await clock.pass(1)
    expect(received).toEqual(['put ä€😀', 'put b'])
  })

  test('goes on from a bookmark, so that a quiet kind never grows too old', async () => {
    const { server, clock, start, lists, watches } = begin()
    start()
    await clock.pass(1)
    server.line.say(bookmark('500'))
    await clock.pass(1)
    server.line.break()
    await clock.pass(1000)
    expect(watches()[1]?.query.get('resourceVersion')).toBe('500')
    expect(lists()).toHaveLength(1)
  })

  test('ignores events that it has had, or that are older', async () => {
    const { server, clock, received, start } = begin()
    server.list = () => listOf([item('a', '9')], '9')
    const watched = start()
    await clock.pass(1)
    server.line.say(event('MODIFIED', 'a', '10'), event('MODIFIED', 'a', '10'), event('DELETED', 'a', '9'))
    await clock.pass(1)
    expect(received).toEqual(['put a', 'put a'])
    expect(watched.counts).toMatchObject({ events: 1, stale: 2 })
  })

  test('outlives a receiver that throws, and hands the object on again with the next list', async () => {
    const names: unknown[] = []
    const { server, clock, logged, start } = begin({
      receive: (_, { metadata }) => {
        names.push(metadata.name)
        if (names.length === 1) throw new Error('not this one')
      },
    })
    server.list = () => listOf([item('a', '1'), item('b', '2')], '10')
    const watched = start()
    await clock.pass(1)
    expect(names).toEqual(['a', 'b'])
    expect(watched).toMatchObject({ synced: true, size: 2, counts: { faults: 1 } })
    expect(logged).toContainEqual(expect.objectContaining({ level: 'error', message: 'object could not be taken' }))
    server.line.say({ type: 'ERROR', object: { code: 410 } })
    await clock.pass(MINUTE)
    expect(names).toEqual(['a', 'b', 'a'])
  })
})

describe('a watch of one object', () => {
  test('asks for that one alone: in its list, in its watch, and for the version that it is at', async () => {
    const { server, clock, received, start } = begin({ name: 'a' })
    server.list = () => listOf([item('a', '9')], '10')
    const watched = start()
    await clock.pass(1)
    // Two in a minute, of which the second may not lead to a list at once.
    for (let i = 0; i < 2; i++) {
      server.line.say({ type: 'ERROR', object: { code: 410 } })
      await clock.pass(LIMITS.relistJitterMs)
    }
    const selectors = server.asked.map(({ kind, query }) => [kind, query.get('fieldSelector')])
    expect(new Set(selectors.map(([kind]) => kind))).toEqual(new Set(['list', 'watch', 'present']))
    expect(new Set(selectors.map(([, selector]) => selector))).toEqual(new Set(['metadata.name=a']))
    server.line.say(event('DELETED', 'a', '20'))
    await clock.pass(1)
    expect(received).toEqual(['put a', 'remove a'])
    expect(watched.size).toBe(0)
  })
})

describe('what is in a Secret', () => {
  test('is in no log, whatever becomes of it on the way', async () => {
    const { server, clock, logged, start } = begin({
      name: 'a',
      receive: () => {
        throw new Error('not taken')
      },
    })
    const secret = { ...item('a', '11'), data: { 'signing.key': 'c2VjcmV0' } }
    const whole = JSON.stringify({ type: 'MODIFIED', object: { apiVersion: 'v1', kind: 'Secret', ...secret } })
    const answers = [
      listOf([secret], '10', undefined),
      { status: 500, body: listOf([secret], '10').body },
      { status: 203, body: JSON.stringify(secret) },
      { status: 200, body: JSON.stringify(secret) },
      { status: 500, body: whole.slice(0, -9) },
    ]
    const said = [`${whole}\n`, `${whole.slice(0, -9)}\n`, `x${whole}\n`]
    for (const answer of answers) {
      const { server, clock, logged, start } = begin({ name: 'a' })
      server.list = () => answer
      start()
      await clock.pass(1000)
      expect(JSON.stringify(logged)).not.toContain('c2VjcmV0')
    }
    start()
    await clock.pass(1)
    for (const line of said) {
      server.line.say(line)
      await clock.pass(LIMITS.longestRetryMs)
    }
    server.line.say(whole.slice(0, -9))
    server.line.end()
    await clock.pass(MINUTE)
    expect(logged.length).toBeGreaterThan(1)
    expect(JSON.stringify(logged)).not.toContain('c2VjcmV0')
  })
})

describe('a re-list', () => {
  test.each([
    ['an answer 410', () => status(410), undefined],
    ['an error 410 in the stream', undefined, { type: 'ERROR', object: { code: 410, message: 'too old' } }],
    ['an error 500 in the stream', undefined, { type: 'ERROR', object: { code: 500 } }],
    ['an answer 400', () => status(400), undefined],
    ['a server whose history has gone back', undefined, bookmark('9')],
  ])('follows %s; it hands on what has changed and removes what is gone', async (_, watch, said) => {
    const { server, clock, received, start, lists } = begin()
    server.list = () => listOf([item('same', '1'), item('gone', '2'), item('changed', '3')], '10')
    if (watch !== undefined) server.watch = watch
    const watched = start()
    await clock.pass(1)
    if (said !== undefined) server.line.say(said)
    server.list = () => listOf([item('same', '1'), item('changed', '12'), item('new', '13')], '20')
    server.watch = () => undefined
    received.length = 0
    await clock.pass(LIMITS.relistJitterMs)
    expect(received).toEqual(['put changed', 'put new', 'remove gone'])
    expect(lists()).toHaveLength(2)
    expect(watched.counts.setbacks.expired + watched.counts.setbacks.refused).toBe(1)
  })

  test('comes once a minute at most, however often the server says 410', async () => {
    const { server, clock, start, lists, watches } = begin()
    server.watch = () => status(410)
    start()
    await clock.pass(60 * MINUTE)
    const times = lists().map(({ at }) => at)
    const between = times.slice(1).map((at, i) => at - (times[i] ?? 0))
    expect(Math.min(...between.slice(1))).toBeGreaterThanOrEqual(LIMITS.relistEveryMs)
    expect(times.length).toBeGreaterThan(45)
    // What it asks for in between is small, and is paused for like any setback.
    expect(watches().length).toBeLessThan(times.length * 11)
    expect(server.asked.filter(({ kind }) => kind === 'present').length).toBeLessThan(times.length * 11)
  })

  test('that may not come yet is not waited for: what happens from now on is seen, and the list repairs the rest', async () => {
    const { server, clock, received, start, lists, watches } = begin()
    start()
    await clock.pass(1)
    const expire = async () => {
      server.line.say({ type: 'ERROR', object: { code: 410 } })
      await clock.pass(1000)
    }
    server.list = () => listOf([item('a', '11'), item('b', '12')], '20')
    await expire()
    await clock.pass(LIMITS.relistJitterMs)
    expect(lists()).toHaveLength(2)

    server.present = () => listOf([item('c', '25')], '30', 'more')
    await expire()
    expect(watches().at(-1)?.query.get('resourceVersion')).toBe('30')
    server.line.say(event('ADDED', 'd', '31'), event('DELETED', 'a', '32'))
    await clock.pass(1)
    expect(received).toEqual(['put a', 'put b', 'put d', 'remove a'])

    server.list = () => listOf([item('c', '25'), item('d', '31')], '40')
    await clock.pass(30_000)
    expect(lists()).toHaveLength(2)
    await clock.pass(MINUTE)
    expect(lists()).toHaveLength(3)
    expect(received.slice(4)).toEqual(['put c', 'remove b'])
    expect(watches().at(-1)?.query.get('resourceVersion')).toBe('40')
  })

  test('is all that is waited for while nothing says what version the server is at', async () => {
    const { server, clock, received, start, watches } = begin()
    start()
    await clock.pass(1)
    server.present = () => ({ status: 200, body: '<html>' })
    server.line.say({ type: 'ERROR', object: { code: 400 } })
    server.list = () => listOf([item('a', '11')], '20')
    await clock.pass(4000)
    expect(watches()).toHaveLength(1)
    await clock.pass(LIMITS.relistJitterMs)
    expect(received).toEqual(['put a'])
    expect(watches().at(-1)?.query.get('resourceVersion')).toBe('20')
  })

  test('is put off by a jitter, so that replicas do not all ask at once', async () => {
    const waits = [0, 0.5, 0.999].map(async share => {
      const { server, clock, start, lists } = begin({ random: () => share })
      start()
      await clock.pass(1)
      server.line.say({ type: 'ERROR', object: { code: 410 } })
      const said = clock.now()
      await clock.pass(MINUTE)
      return (lists()[1]?.at ?? 0) - said
    })
    const [none = 0, half = 0, all = 0] = await Promise.all(waits)
    expect(half - none).toBeGreaterThan(LIMITS.relistJitterMs * 0.4)
    expect(all - half).toBeGreaterThan(LIMITS.relistJitterMs * 0.4)
  })

  test('comes after rubbish in the stream, while the watch goes on from the last event that was understood', async () => {
    const { server, clock, received, start, lists, watches } = begin()
    const watched = start()
    await clock.pass(1)
    server.line.say(event('ADDED', 'a', '11'), '{"type":"ADDED","object":{"metadata":{"na"type":"ADDED"\n')
    await clock.pass(1000)
    expect(watches()[1]?.query.get('resourceVersion')).toBe('11')
    server.list = () => listOf([item('a', '11'), item('lost', '12')], '20')
    await clock.pass(LIMITS.relistJitterMs)
    expect(lists()).toHaveLength(2)
    expect(received).toEqual(['put a', 'put lost'])
    expect(watched.counts.setbacks.rubbish).toBe(1)
  })

  test.each([
    'null',
    '42',
    '[]',
    '{}',
    '{"type":"ADDED"}',
    '{"type":"ADDED","object":{"apiVersion":"v1","kind":"Thing","metadata":{"name":1,"resourceVersion":"12"}}}',
    '{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"12"}}}',
    '{"type":"BOOKMARK","object":{"metadata":{}}}',
    '{"type":"EXPLODED","object":{"apiVersion":"v1","kind":"Thing","metadata":{"name":"a","resourceVersion":"12"}}}',
    '<html>',
    '',
  ])('comes after the line %j', async line => {
    const { server, clock, received, start, lists } = begin()
    start()
    await clock.pass(1)
    server.line.say(`${line}\n`)
    await clock.pass(MINUTE)
    expect(received).toEqual([])
    expect(lists()).toHaveLength(2)
  })

  test.each([429, 503, 504])('does not come after an error %d in the stream', async code => {
    const { server, clock, start, lists, watches } = begin()
    start()
    await clock.pass(1)
    server.line.say({ type: 'ERROR', object: { code } })
    await clock.pass(MINUTE)
    expect(watches()).toHaveLength(2)
    expect(lists()).toHaveLength(1)
  })

  test('does not come after half a line: the next watch has the whole one', async () => {
    const { server, clock, start, lists, watches } = begin()
    const watched = start()
    await clock.pass(1)
    server.line.say(event('ADDED', 'a', '11'), '{"type":"ADDED","obj')
    server.line.end()
    await clock.pass(MINUTE)
    expect(watches()[1]?.query.get('resourceVersion')).toBe('11')
    expect(lists()).toHaveLength(1)
    expect(watched.counts.setbacks.truncated).toBe(1)
  })

  test('comes by itself where that is wished, and repairs what a watch did not say', async () => {
    const { server, clock, received, start, lists } = begin({
      limits: { backstopMs: 10 * MINUTE, quietMs: 24 * 60 * MINUTE },
    })
    start()
    await clock.pass(1)
    server.list = () => listOf([item('never said', '11')], '20')
    await clock.pass(9 * MINUTE)
    expect(received).toEqual([])
    await clock.pass(2 * MINUTE)
    expect(received).toEqual(['put never said'])
    await clock.pass(50 * MINUTE)
    expect(lists()).toHaveLength(7)
  })

  test('without a cause does not come at all', async () => {
    const { server, clock, start, lists } = begin()
    start()
    for (let minute = 0; minute < 24 * 60; minute++) {
      await clock.pass(MINUTE)
      server.line.say(bookmark('10'))
      if (minute % 5 === 4) server.line.end()
    }
    expect(lists()).toHaveLength(1)
  })
})

describe('a list', () => {
  test('asks for the same page again after a fault, not for all of them', async () => {
    const { server, clock, received, start, lists } = begin()
    const answers = [
      listOf([item('a', '1')], '10', 'two'),
      status(503),
      { status: 200, body: '{"kind":"ThingLi' },
      { status: 200, body: '<html>' },
      listOf([item('b', '2')], '10'),
    ]
    server.list = () => answers.shift() ?? listOf([], '0')
    start()
    await clock.pass(MINUTE)
    expect(lists().map(({ query }) => query.get('continue'))).toEqual([null, 'two', 'two', 'two', 'two'])
    expect(received).toEqual(['put a', 'put b'])
  })

  test('whose rest has expired begins anew, and what was gone in between is removed', async () => {
    const { server, clock, received, start } = begin()
    const answers = [listOf([item('gone', '1')], '10', 'two'), status(410), listOf([item('b', '2')], '20')]
    server.list = () => answers.shift() ?? listOf([], '0')
    const watched = start()
    await clock.pass(1)
    expect(watched.synced).toBe(false)
    await clock.pass(MINUTE)
    expect(received).toEqual(['put gone', 'put b', 'remove gone'])
    expect(watched).toMatchObject({ synced: true, size: 1, counts: { lists: 2 } })
  })

  test('whose kind goes before its end begins anew when the kind is back', async () => {
    const { server, clock, received, start, lists } = begin()
    const answers = [listOf([item('gone', '1')], '10', 'two'), status(404), listOf([item('b', '2')], '20')]
    server.list = () => answers.shift() ?? listOf([], '0')
    const watched = start()
    await clock.pass(MINUTE)
    expect(lists().map(({ query }) => query.get('continue'))).toEqual([null, 'two', null])
    expect(received).toEqual(['put gone', 'put b', 'remove gone'])
    expect(watched).toMatchObject({ synced: true, absent: false })
  })

  test('that expires again and again is begun once a minute at most', async () => {
    const { server, clock, start } = begin()
    server.list = query => (query.has('continue') ? status(410) : listOf([item('a', '1')], '10', 'two'))
    const watched = start()
    await clock.pass(30 * MINUTE)
    expect(watched.counts.lists).toBeLessThanOrEqual(31)
    expect(watched.counts.complete).toBe(0)
    expect(watched.counts.lists).toBeGreaterThan(20)
  })

  test.each([401, 403, 429, 500, 503])('is asked for until it is there, after %d', async code => {
    const { server, clock, start } = begin()
    server.list = () => status(code)
    const watched = start()
    await clock.pass(10 * MINUTE)
    expect(watched.synced).toBe(false)
    // Every 11 s, after the first few.
    expect(watched.counts.lists).toBeGreaterThan(40)
    expect(watched.counts.lists).toBeLessThan(70)
    server.list = () => listOf([], '10')
    await clock.pass(MINUTE)
    expect(watched.synced).toBe(true)
  })

  test('of two namespaces with objects of one name keeps both', async () => {
    const { server, clock, received, start } = begin()
    server.list = () =>
      listOf([item('a', '1'), item('a', '2', { namespace: 'other' }), item('c', '3', { namespace: undefined })], '10')
    start()
    await clock.pass(1)
    server.line.say({ type: 'ERROR', object: { code: 410 } })
    server.list = () => listOf([item('a', '2', { namespace: 'other' })], '20')
    await clock.pass(MINUTE)
    expect(received).toEqual(['put a', 'put a', 'put c', 'remove a', 'remove c'])
  })
})

describe('after a setback the watch', () => {
  test('pauses longer each time, up to a limit, and begins anew when it has been well', async () => {
    const { server, clock, start, watches } = begin({ random: () => 0.999 })
    start()
    await clock.pass(1)
    server.watch = () => status(500)
    server.line.break()
    await clock.pass(2 * MINUTE)
    const at = watches().map(each => each.at)
    const pauses = at.slice(2).map((each, i) => Math.round((each - (at[i + 1] ?? 0)) / 100) / 10)
    expect(pauses.slice(0, 8)).toEqual([0.5, 1, 2, 4, 8, 15, 15, 15])
    server.watch = () => undefined
    await clock.pass(MINUTE)
    const before = watches().length
    server.line.break()
    await clock.pass(500)
    expect(watches()).toHaveLength(before + 1)
  })

  test('is back soon when the server is, however long that was away', async () => {
    const { server, clock, received, start } = begin()
    start()
    await clock.pass(1)
    server.watch = () => {
      throw new Error('connect ECONNREFUSED')
    }
    server.line.break()
    await clock.pass(60 * MINUTE)
    // As an API server that starts: not all is there, its cache is not filled, and it does not go back that far.
    const answers = [status(503), status(503), status(429, 'storage is (re)initializing', 1000), status(410)]
    server.watch = () => answers.shift()
    server.list = () => listOf([item('a', '99')], '100')
    await clock.pass(LIMITS.longestRetryMs + LIMITS.relistJitterMs)
    expect(received).toEqual(['put a'])
  })

  test('is not in a hurry because the cause is another one each time', async () => {
    const { server, clock, start } = begin()
    const watched = start()
    await clock.pass(1)
    let turn = 0
    server.watch = () => {
      if (turn++ % 2 === 0) return status(503)
      throw new Error('connect ECONNREFUSED')
    }
    server.line.break()
    await clock.pass(10 * MINUTE)
    expect(watched.counts.watches).toBeLessThan(70)
  })

  test.each([429, 503])('leaves the server alone for as long as it says with %d', async code => {
    const { server, clock, start, watches, lists } = begin()
    start()
    await clock.pass(1)
    server.watch = () => status(code, 'later', 20_000)
    server.line.break()
    await clock.pass(1000)
    const asked = watches().length
    await clock.pass(18_000)
    expect(watches()).toHaveLength(asked)
    await clock.pass(2000)
    expect(watches()).toHaveLength(asked + 1)
    expect(lists()).toHaveLength(1)
  })

  test('does not leave it alone for a day', async () => {
    const { server, clock, start, watches } = begin()
    start()
    await clock.pass(1)
    server.watch = () => status(503, 'later', 24 * 60 * MINUTE)
    server.line.break()
    await clock.pass(5 * MINUTE)
    expect(watches().length).toBeGreaterThanOrEqual(5)
  })

  test('takes a watch that ends at once for one, so that it does not ask without end', async () => {
    const { server, clock, start } = begin()
    const watched = start()
    for (let second = 0; second < 600; second++) {
      await clock.pass(1000)
      server.line.end()
    }
    expect(watched.counts.watches).toBeLessThan(80)
    expect(watched.counts.lists).toBe(1)
  })

  test('says in the log once what the matter is, and once that it goes on', async () => {
    const { server, clock, logged, start } = begin()
    start()
    await clock.pass(1)
    server.watch = () => status(403, 'user "x" can\u0007not watch things')
    server.line.break()
    await clock.pass(10 * MINUTE)
    server.watch = () => undefined
    await clock.pass(MINUTE)
    server.line.say(bookmark('20'))
    await clock.pass(1)
    expect(logged.map(({ level, fields }) => [level, fields.cause ?? fields.after, fields.detail])).toEqual([
      ['warn', 'unreachable', 'aborted'],
      ['warn', 'forbidden', '403 user "x" can not watch things'],
      ['info', 'forbidden', undefined],
    ])
  })
})

describe('silence', () => {
  test('of 90 seconds ends a watch, and the next goes on from the last version', async () => {
    const { server, clock, logged, start, lists, watches } = begin()
    const watched = start()
    await clock.pass(1)
    server.line.say(event('ADDED', 'a', '11'))
    await clock.pass(89_000)
    expect(watches()).toHaveLength(1)
    await clock.pass(2000)
    expect(watches()[1]?.query.get('resourceVersion')).toBe('11')
    expect(watched.counts.setbacks.stalled).toBe(1)
    expect(lists()).toHaveLength(1)
    // A kind of which there is nothing to say looks the same.
    expect(logged).toEqual([])
  })

  test('is none while bookmarks come, or any byte', async () => {
    const { server, clock, start, watches } = begin()
    const watched = start()
    for (let minute = 0; minute < 30; minute++) {
      await clock.pass(MINUTE)
      server.line.say(minute % 2 === 0 ? bookmark('11') : ' ')
      await clock.pass(1)
    }
    expect(watches()).toHaveLength(1)
    expect(clock.now() - watched.lastHeard).toBeLessThan(MINUTE)
  })

  test('shows as age', async () => {
    const { clock, start } = begin()
    const watched = start()
    await clock.pass(80_000)
    expect(clock.now() - watched.lastHeard).toBeGreaterThanOrEqual(79_000)
  })
})

describe('a kind that is not installed', () => {
  test('counts as complete, is looked for now and then, and is noticed when it comes', async () => {
    const { server, clock, received, states, logged, start, lists } = begin()
    server.list = () => status(404, '404 page not found')
    const watched = start()
    await clock.pass(1)
    expect(watched).toMatchObject({ synced: false, absent: true })
    await clock.pass(60 * MINUTE)
    expect(lists().length).toBeGreaterThan(120)
    expect(lists().length).toBeLessThan(180)
    server.list = () => listOf([item('a', '1')], '10')
    await clock.pass(LIMITS.absentMs)
    expect(watched).toMatchObject({ synced: true, absent: false })
    expect(received).toEqual(['put a'])
    expect(states).toEqual(['absent', 'synced'])
    expect(logged.filter(({ level }) => level !== 'info')).toEqual([])
  })

  test('any more takes no object away; when it comes back, its list does', async () => {
    const { server, clock, received, states, start } = begin()
    server.list = () => listOf([item('a', '1'), item('b', '2')], '10')
    const watched = start()
    await clock.pass(1)
    server.list = () => status(404)
    server.watch = () => status(404)
    server.line.end()
    await clock.pass(10 * MINUTE)
    expect(watched).toMatchObject({ absent: true, size: 2 })
    expect(received).toEqual(['put a', 'put b'])
    server.list = () => listOf([item('b', '30')], '40')
    server.watch = () => undefined
    await clock.pass(MINUTE)
    expect(received.slice(2)).toEqual(['put b', 'remove a'])
    expect(states).toEqual(['synced', 'absent', 'synced'])
  })
})

describe('a kind that goes', () => {
  test('within a minute of a re-list is noticed at once, and is listed once when it is back', async () => {
    const { server, clock, states, start, lists } = begin()
    const watched = start()
    await clock.pass(1)
    server.line.say({ type: 'ERROR', object: { code: 410 } })
    await clock.pass(LIMITS.relistJitterMs)
    expect(lists()).toHaveLength(2)
    server.list = () => status(404)
    server.present = () => status(404)
    server.watch = () => status(404)
    server.line.end()
    await clock.pass(LIMITS.absentMs / 4)
    expect(watched.absent).toBe(true)
    server.list = () => listOf([item('a', '30')], '40')
    server.watch = () => undefined
    await clock.pass(LIMITS.absentMs)
    expect(states).toEqual(['synced', 'synced', 'absent', 'synced'])
    const asked = lists().length
    await clock.pass(2 * MINUTE)
    expect(lists()).toHaveLength(asked)
  })
})

describe('stopping ends', () => {
  test('a watch', async () => {
    const { server, clock, start } = begin()
    const watched = start()
    await clock.pass(1)
    await watched.stop()
    await clock.pass(10 * MINUTE)
    expect(server.asked).toHaveLength(2)
  })

  test('a pause', async () => {
    const { server, clock, start } = begin()
    server.list = () => status(503, 'later', 30_000)
    const watched = start()
    await clock.pass(1)
    await watched.stop()
    await clock.pass(10 * MINUTE)
    expect(server.asked).toHaveLength(1)
  })

  test('a list, whose answer then changes nothing', async () => {
    const { server, clock, received, start } = begin()
    let answer = () => {}
    server.list = () =>
      new Promise(resolve => {
        answer = () => resolve(listOf([item('a', '1')], '10'))
      })
    const watched = start()
    await clock.pass(1)
    const stopped = watched.stop()
    answer()
    await stopped
    expect(received).toEqual([])
    expect(server.asked).toHaveLength(1)
  })
})
