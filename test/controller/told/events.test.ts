// Events: one printable line on the object that it is about, told once an hour, never at the controller's expense.
import { describe, expect, test } from '@jest/globals'
import type { Said } from '../../../src/controller/context.ts'
import { EVENT_REASONS, eventOf, keepEvents } from '../../../src/controller/told/events.ts'
import { object } from '../../../src/core/json.ts'
import { reason } from '../../../src/core/reasons.ts'
import type { KubeObject } from '../../../src/core/types.ts'
import type { Written } from '../../../src/kube/write.ts'

const NOW = Date.parse('2026-11-23T12:30:00Z')
const HOUR = 3_600_000
const about = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', namespace: 'shop', name: 'cart', uid: 'u-1' }
const log = { info() {}, warn() {}, error() {} }

const ALL: Said[] = [
  { said: 'Protected', about, team: 'team-a' },
  { said: 'Repaired', about, team: 'team-a' },
  { said: 'Released', about },
  { said: 'Frozen', about, reasons: [reason('team-none', { namespace: 'shop' })] },
  { said: 'WaitsForGuards', about, reasons: [reason('guards-missing', { scope: 'namespace/shop/team-a' })] },
  { said: 'NotOurs', about },
  { said: 'LoopGuard', about },
  { said: 'Refused', about, message: 'spec.extAuth: unknown field' },
  { said: 'NotAsked', about, message: 'it would have been stored' },
  { said: 'GatewayNotPrepared', about, reasons: [reason('gateway-preparing', { gateway: 'edge/main', seconds: '7' })] },
]

describe('an Event', () => {
  test('is what the API server takes: a reason, an action, one line of at most 1 kB, the object it is about', () => {
    expect(ALL.map(({ said }) => said).sort()).toEqual(Object.keys(EVENT_REASONS).sort())
    for (const told of ALL) {
      const event = eventOf(told, 'pod-1', NOW)
      expect(event).toMatchObject({ apiVersion: 'events.k8s.io/v1', kind: 'Event', reason: told.said })
      expect(event).toMatchObject({ eventTime: '2026-11-23T12:30:00.000000Z', regarding: about })
      expect(String(event.note)).toMatch(/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{20,1024}$/u)
      expect(String(event.note)).not.toContain('{}')
      expect(String(event.metadata.name)).toMatch(/^cart\.[0-9a-f]{16}-[0-9a-z]+$/)
    }
  })

  test('says which code denies, and what the API server said', () => {
    const notes = ALL.map(told => eventOf(told, 'pod-1', NOW).note)
    expect(notes[0]).toContain('the login of team team-a stands in front')
    expect(notes[3]).toContain('[team-none]')
    expect(notes[7]).toContain('spec.extAuth: unknown field')
  })

  test('of an object without a namespace is in the default one', () => {
    const team = { apiVersion: 'auth.example/v1alpha1', kind: 'AuthTeam', name: 'team-a' }
    const { metadata, regarding } = eventOf({ said: 'NotOurs', about: team }, 'pod-1', NOW)
    expect(metadata.namespace).toBe('default')
    expect(regarding).toEqual(team)
  })

  test('stays within its bytes and its line, whatever others write', () => {
    const message = `line\nbreak \u001b[31m\u202e${'ü'.repeat(2000)}`
    const { note } = eventOf({ said: 'Refused', about, message }, 'pod-1', NOW)
    expect(Buffer.byteLength(String(note))).toBeLessThanOrEqual(1024)
    expect(Buffer.byteLength(String(note))).toBeGreaterThan(1000)
    expect(note).toMatch(/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+…$/u)
    expect(note).not.toContain('\uFFFD')
  })

  test('has the same name within the hour, whichever replica tells it, and another for another object or reason', () => {
    const name = (told: Said, at = NOW, pod = 'pod-1') => String(eventOf(told, pod, at).metadata.name)
    const [first, second] = ALL as [Said, Said]
    expect(name(first, NOW + 60_000, 'pod-2')).toBe(name(first))
    expect(name(first, NOW + HOUR)).not.toBe(name(first))
    expect(name(second)).not.toBe(name(first))
    expect(name({ ...first, about: { ...about, uid: 'u-2' } })).not.toBe(name(first))
    const long = name({ ...first, about: { ...about, name: `${'a'.repeat(200)}.${'b'.repeat(52)}` } })
    expect(long.length).toBeLessThanOrEqual(253)
    expect(long).toMatch(/^[a-z0-9.-]+[a-z0-9]\.[0-9a-f]{16}-[0-9a-z]+$/)
  })
})

function keeping(create: (event: KubeObject) => Promise<Written>, mostWaiting?: number) {
  const time = { now: NOW }
  const options = { writer: { create }, instance: 'pod-1', log, now: () => time.now }
  return { time, events: keepEvents(mostWaiting === undefined ? options : { ...options, mostWaiting }) }
}

const settled = () => new Promise(resolve => setImmediate(resolve))

describe('telling', () => {
  test('writes each once within an hour, and again after it', async () => {
    const written: string[] = []
    const { time, events } = keeping(async event => {
      written.push(String(event.reason))
      return { outcome: 'done', object: event }
    })
    for (const each of [...ALL, ...ALL]) events.say(each)
    await settled()
    expect(written).toEqual(ALL.map(({ said }) => said))
    time.now += HOUR
    events.say(ALL[0] as Said)
    await settled()
    expect(written.length).toBe(ALL.length + 1)
  })

  test('counts one that is stored already as told: another replica was first', async () => {
    const { events } = keeping(async () => ({ outcome: 'exists' }) as Written)
    events.say(ALL[0] as Said)
    await settled()
    expect(events.counts).toEqual({ written: 1, dropped: 0, failed: 0 })
  })

  test('neither waits for an API server nor throws when it does not answer, and drops what is too much', async () => {
    const release = { now: () => {} }
    const asked: KubeObject[] = []
    const { events } = keeping(event => {
      asked.push(event)
      return new Promise(resolve => {
        release.now = () => resolve({ outcome: 'done', object: event })
      })
    }, 3)
    for (const each of ALL) events.say(each)
    expect(asked.length).toBe(1)
    expect(events.counts.dropped).toBe(ALL.length - 4)
    for (let i = 0; i < 4; i++) {
      release.now()
      await settled()
    }
    expect(events.counts).toEqual({ written: 4, dropped: ALL.length - 4, failed: 0 })
  })

  test.each([
    ['throws', () => Promise.reject(new Error('broken'))],
    [
      'throws at once',
      () => {
        throw new Error('broken')
      },
    ],
    ['is refused', async () => ({ outcome: 'refused', status: 403, message: 'no' }) as Written],
  ])('goes on when a write %s, and tells it again when it comes up again', async (_, create) => {
    const { events } = keeping(create)
    events.say(ALL[0] as Said)
    await settled()
    events.say(ALL[0] as Said)
    await settled()
    expect(events.counts).toEqual({ written: 0, dropped: 0, failed: 2 })
  })

  test('ends with what is under way, and takes nothing any more', async () => {
    const written: unknown[] = []
    const { events } = keeping(async event => {
      await settled()
      written.push(object(event).reason)
      return { outcome: 'done', object: event }
    })
    for (const each of ALL) events.say(each)
    await events.stop()
    events.say({ said: 'Released', about: { ...about, name: 'other' } })
    await settled()
    expect(written).toEqual(['Protected'])
  })
})
