import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { plan } from '../../src/core/planner.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { gateways } from '../../src/gateways/index.ts'
import { ask, contextOf } from '../admission/reviews.ts'
import { cluster } from '../facts/cluster.ts'
import { annotated, annotationsOf, applied, labelled } from './apply.ts'
import { anyRoute, INJECTED, MIDDLEWARES, ownedEntry, PREFIXES, PROTECT, runs, unownedEntry } from './arbitrary.ts'
import { isProtected, labelOf } from './protected.ts'

const facts = cluster()
const context = contextOf(facts)

/** Another mutating webhook: the same edits whenever it is called. */
type Neighbour = (object: KubeObject) => KubeObject

const setsAnnotation: fc.Arbitrary<Neighbour> = fc.oneof(ownedEntry, unownedEntry).map(
  ([key, value]) =>
    object =>
      annotated(object, { [key]: value }),
)

const removesAnnotation: fc.Arbitrary<Neighbour> = fc
  .oneof(
    { weight: 2, arbitrary: ownedEntry.map(([key]) => key) },
    { weight: 1, arbitrary: fc.constantFrom(INJECTED, ...PREFIXES.map(prefix => `${prefix}/auth-url`)) },
  )
  .map(key => object => annotated(object, { [key]: null }))

const reorders: Neighbour = object => {
  const entries = Object.entries(annotationsOf(object)).reverse()
  return { ...object, metadata: { ...object.metadata, annotations: Object.fromEntries(entries) } }
}

const dropsAll: Neighbour = ({ metadata: { annotations: _, ...metadata }, ...object }) =>
  ({ ...object, metadata }) as KubeObject

const editsList = fc
  .constantFrom(
    (list: string) => `new@file,${list}`,
    (list: string) => list.split(',').reverse().join(','),
    (list: string) => list.split(',').slice(1).join(','),
    (list: string) => `${list}, ${list}`,
  )
  .map(
    (edit): Neighbour =>
      object => {
        const list = annotationsOf(object)[MIDDLEWARES]
        return list === undefined ? object : annotated(object, { [MIDDLEWARES]: edit(list) })
      },
  )

const added = { type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['x-new'] } }
const editsFilters = fc
  .tuple(
    fc.nat({ max: 3 }),
    fc.constantFrom(
      (filters: unknown[]) => [added, ...filters],
      (filters: unknown[]) => filters.slice(1),
      (filters: unknown[]) => [...filters, ...filters],
      (filters: unknown[]) => [added, ...filters, added, ...filters],
      () => [],
    ),
  )
  .map(
    ([pick, edit]): Neighbour =>
      object => {
        const { rules, ...spec } = object.spec as { rules: { filters?: unknown[] }[] }
        if (object.kind !== 'HTTPRoute') return object
        const edited = rules.map((rule, index) =>
          index === pick % rules.length ? { ...rule, filters: edit(rule.filters ?? []) } : rule,
        )
        return { ...object, spec: { ...spec, rules: edited } }
      },
  )

const editsRecord: fc.Arbitrary<Neighbour> = fc
  .constantFrom('{}', '', '{"format":1,"gateway":"traefik","team":"team-b","set":{},"was":{}}')
  .map(record => object => annotated(object, { [INJECTED]: record }))

const labels: fc.Arbitrary<Neighbour> = fc
  .constantFrom('true', 'team-b', null)
  .map(value => object => labelled(object, { [PROTECT]: value }))

const neighbour: fc.Arbitrary<Neighbour> = fc
  .array(
    fc.oneof(
      setsAnnotation,
      removesAnnotation,
      fc.constantFrom(reorders, dropsAll),
      editsList,
      editsFilters,
      editsRecord,
      labels,
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map(edits => object => edits.reduce((each, edit) => edit(each), object))

type Outcome = { readonly final: KubeObject; readonly allowed: boolean; readonly code: number | undefined }

/**
 * The mutating round of an API server and its one reinvocation: we are called for labelled objects only, and again only
 * if the neighbour changed something after us; never for the first time in the second round.
 */
function admission(object: KubeObject, oldObject: KubeObject | null, neighbour: Neighbour, again: boolean): Outcome {
  const operation = oldObject === null ? 'CREATE' : 'UPDATE'
  const isCalled = (of: KubeObject) =>
    labelOf(of, PROTECT) !== undefined || (oldObject !== null && labelOf(oldObject, PROTECT) !== undefined)
  const mutated = (of: KubeObject) =>
    isCalled(of) ? applied(of, ask('mutate', { object: of, oldObject, operation }, context).patch) : of
  const first = mutated(object)
  const changed = neighbour(first)
  const second = isCalled(object) && JSON.stringify(changed) !== JSON.stringify(first) ? mutated(changed) : changed
  const final = again ? neighbour(second) : second
  if (!isCalled(final)) return { final, allowed: true, code: undefined }
  const { allowed, code } = ask('validate', { object: final, oldObject, operation }, context)
  return { final, allowed, code }
}

const isLabelled = (object: KubeObject) => !['false', undefined].includes(labelOf(object, PROTECT))

describe('beside a hostile neighbour', () => {
  const early = fc.boolean()

  test('a route is created protected or not at all', () => {
    fc.assert(
      fc.property(anyRoute, neighbour, fc.boolean(), early, (object, other, again, isLabelledEarly) => {
        const route = isLabelledEarly ? object : labelled(object, { [PROTECT]: null })
        const { final, allowed, code } = admission(route, null, other, again)
        if (allowed && isLabelled(final)) expect(isProtected(final)).toBe(true)
        if (!allowed) expect([403, 429]).toContain(code)
      }),
      runs(250),
    )
  })

  test('a protected route stays protected through every update', () => {
    const update = fc.constantFrom<(object: KubeObject) => KubeObject>(
      object => object,
      object => ({ ...object, spec: { ...(object.spec as object), unknownField: 'new' } }),
      dropsAll,
    )
    fc.assert(
      fc.property(anyRoute, update, neighbour, fc.boolean(), (object, edit, other, again) => {
        const stored = applied(object, ask('mutate', { object }, context).patch)
        fc.pre(plan(stored, facts, gateways).outcome === 'protect')
        const { final, allowed, code } = admission(edit(stored), stored, other, again)
        if (allowed && isLabelled(final)) expect(isProtected(final)).toBe(true)
        if (!allowed) expect([403, 429]).toContain(code)
      }),
      runs(200),
    )
  })

  test('that is called once, two rounds are enough: the route is protected, or refused for what it says', () => {
    fc.assert(
      fc.property(anyRoute, neighbour, (object, other) => {
        const { final, allowed } = admission(object, null, other, false)
        if (!isLabelled(final)) return
        expect(allowed).toBe(plan(final, facts, gateways).outcome === 'protect')
      }),
      runs(150),
    )
  })
})

describe('alone', () => {
  test('what mutating protects, validating lets through', () => {
    fc.assert(
      fc.property(anyRoute, object => {
        const protects = plan(object, facts, gateways).outcome === 'protect'
        const { final, allowed } = admission(object, null, each => each, false)
        expect(allowed).toBe(protects)
        if (protects) expect(isProtected(final)).toBe(true)
      }),
      runs(150),
    )
  })

  test('what mutating releases, validating lets through', () => {
    fc.assert(
      fc.property(anyRoute, fc.constantFrom('false', null), (object, value) => {
        const stored = applied(object, ask('mutate', { object }, context).patch)
        const { allowed } = admission(labelled(stored, { [PROTECT]: value }), stored, each => each, false)
        expect(allowed).toBe(true)
      }),
      runs(70),
    )
  })
})
