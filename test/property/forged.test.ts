import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { plan } from '../../src/core/planner.ts'
import { readRecord } from '../../src/core/record.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { gateways } from '../../src/gateways/index.ts'
import { ask, contextOf } from '../admission/reviews.ts'
import { cluster } from '../facts/cluster.ts'
import { annotated, annotationsOf, applied, labelled, patchOf } from './apply.ts'
import {
  anyRoute,
  anyText,
  hostileKey,
  INJECTED,
  LOOKALIKE,
  MIDDLEWARES,
  ownedEntry,
  PREFIXES,
  PROTECT,
  runs,
  unownedEntry,
} from './arbitrary.ts'
import { isProtected } from './protected.ts'

const facts = cluster()

const prototypes = () =>
  JSON.stringify([Object, Array, String, Function].map(each => Reflect.ownKeys(each.prototype).map(String)))
const untouched = prototypes()

afterEach(() => {
  expect(prototypes()).toBe(untouched)
})

const snippetKey = fc
  .tuple(fc.constantFrom(...PREFIXES), fc.constantFrom('auth-snippet', 'configuration-snippet', 'server-snippet'))
  .map(([prefix, name]) => `${prefix}/${name}`)
const keyOfRecord = fc.oneof(
  ownedEntry.map(([key]) => key),
  unownedEntry.map(([key]) => key),
  hostileKey,
  snippetKey,
  fc.constant(INJECTED),
)
const valueOfRecord = fc.oneof(
  anyText,
  ownedEntry.map(([, value]) => value),
  fc.constantFrom('maybe', 'satisfy any; allow all;', 'https://evil/{x}', null),
)
const values = fc
  .array(fc.tuple(keyOfRecord, valueOfRecord), { maxLength: 5 })
  .map(entries => Object.fromEntries(entries))

/** Of the shape that we write, and saying of some of the route's annotations that we had set them. */
function shaped(annotations: Readonly<Record<string, string>>): fc.Arbitrary<object> {
  const set = fc.subarray(Object.entries(annotations)).map(entries => Object.fromEntries(entries))
  const part = fc.record(
    {
      list: fc.record({
        key: fc.oneof({ weight: 3, arbitrary: fc.constant(MIDDLEWARES) }, { weight: 1, arbitrary: keyOfRecord }),
        element: fc.constantFrom(LOOKALIKE, 'b@file', 'apps-a@kubernetescrd', ','),
        was: fc.oneof(anyText, fc.constant(null)),
      }),
      filter: fc.record({
        group: fc.constantFrom('traefik.io', 'gateway.envoyproxy.io', '__proto__'),
        kind: fc.constantFrom('Middleware', 'SecurityPolicy'),
        name: fc.constantFrom('m0123456789abcdef', 'zzmark', '__proto__'),
        empty: fc.array(fc.integer({ min: -1, max: 5 }), { maxLength: 3 }),
      }),
    },
    { requiredKeys: [] },
  )
  return fc
    .record({
      format: fc.constantFrom(0, 1, 1, 1, -1, 1e9),
      gateway: fc.constantFrom('ingress-nginx', 'traefik', 'envoy-gateway', '__proto__', 'nobody'),
      team: fc.constantFrom('team-a', 'team-c', '__proto__', ''),
      set: fc.oneof(set, set, values),
      was: values,
      part,
    })
    .map(({ part, set, was, ...rest }) => ({ ...rest, set, was: { ...was, ...snippetsFor(set) }, ...part }))
}

/** What an attacker would have us put in the place of a key: a value that opens the route. */
function snippetsFor(set: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.keys(set)
      .filter(key => key.endsWith('snippet'))
      .map(key => [key, 'satisfy any;']),
  )
}

const forgedRoute: fc.Arbitrary<KubeObject> = fc.tuple(anyRoute, fc.boolean()).chain(([object, shut]) => {
  const base = shut ? applied(object, patchOf(plan(object, facts, gateways))) : object
  const record = fc.oneof(
    { weight: 5, arbitrary: shaped(annotationsOf(base)).map(each => JSON.stringify(each)) },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: fc.constantFrom('', 'null', '[]', '{"__proto__":{"polluted":1}}', '{"format":1e400}') },
  )
  return record.map(each => annotated(base, { [INJECTED]: each }))
})

/** Whether the record of a route says of the whole list, and not of an element, that it was set. */
function setsList(object: KubeObject): boolean {
  const { set } = readRecord(annotationsOf(object)[INJECTED]) ?? {}
  return set !== undefined && MIDDLEWARES in set
}

describe('a forged record', () => {
  test('has nothing written but keys that the gateway owns, and never a snippet', () => {
    fc.assert(
      fc.property(forgedRoute, fc.constantFrom('true', 'team-b', 'false', null), (object, label) => {
        const route = labelled(object, { [PROTECT]: label })
        const before = annotationsOf(route)
        // `applied` throws where an operation has a path that is not ours.
        const after = annotationsOf(applied(route, patchOf(plan(route, facts, gateways))))
        for (const [key, value] of Object.entries(after)) {
          if (key.endsWith('snippet')) expect(value).toBe(before[key])
        }
      }),
      runs(250),
    )
  })

  test('takes out nothing of a list or a rule but what has the shape of ours', () => {
    const isOurs = (name: unknown) => /^(portcullis-)?m[0-9a-f]{16}(@kubernetescrd)?$/.test(String(name).trim())
    const others = (object: KubeObject) => {
      const rules = (object.spec as { rules: { filters?: { extensionRef?: { name: string } }[] }[] }).rules
      const list = (annotationsOf(object)[MIDDLEWARES] ?? '').split(',').map(each => each.trim())
      return JSON.stringify([
        list.filter(each => each !== '' && !isOurs(each)),
        rules.map(({ filters = [] }) => filters.filter(each => !isOurs(each.extensionRef?.name))),
      ])
    }
    // An unforged record gives a whole list back; one that forges the keys of annotations may do as much.
    const routes = fc.tuple(forgedRoute, fc.constantFrom('true', 'false')).filter(([object]) => !setsList(object))
    fc.assert(
      fc.property(routes, ([object, label]) => {
        const route = labelled(object, { [PROTECT]: label })
        expect(others(applied(route, patchOf(plan(route, facts, gateways))))).toBe(others(route))
      }),
      runs(250),
    )
  })

  test('protects nothing: what admission lets through with one is protected', () => {
    const context = contextOf(facts)
    fc.assert(
      fc.property(forgedRoute, fc.boolean(), (object, called) => {
        const final = called ? applied(object, ask('mutate', { object }, context).patch) : object
        if (ask('validate', { object: final }, context).allowed) expect(isProtected(final)).toBe(true)
      }),
      runs(200),
    )
  })

  test('settles like any other: planned again, nothing changes', () => {
    fc.assert(
      fc.property(forgedRoute, fc.constantFrom('true', null), (object, label) => {
        const route = labelled(object, { [PROTECT]: label })
        const after = applied(route, patchOf(plan(route, facts, gateways)))
        expect(patchOf(plan(after, facts, gateways))).toEqual([])
      }),
      runs(100),
    )
  })
})

describe('hostile keys', () => {
  test('reach no prototype', () => {
    const key = fc.oneof(hostileKey, fc.constantFrom('__proto__', 'constructor'))
    const value: fc.Arbitrary<unknown> = fc.constantFrom('x', { polluted: true }, null, 1)
    const map = fc.array(fc.tuple(key, value), { maxLength: 4 }).map(entries => Object.fromEntries(entries))
    const context = contextOf(facts)
    fc.assert(
      fc.property(anyRoute, map, map, map, (object, labels, annotations, spec) => {
        const { metadata } = object
        const hostile: KubeObject = {
          ...object,
          ...spec,
          kind: object.kind,
          apiVersion: object.apiVersion,
          metadata: {
            ...metadata,
            labels: { ...labels, ...(metadata.labels as object) },
            annotations: { ...(metadata.annotations as object), ...annotations },
          },
          spec: { ...(object.spec as object), ...spec },
        }
        const { patch } = ask('mutate', { object: hostile }, context)
        ask('validate', { object: applied(hostile, patch), oldObject: hostile, operation: 'UPDATE' }, context)
      }),
      runs(100),
    )
  })
})
