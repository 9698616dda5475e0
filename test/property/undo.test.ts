import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { plan } from '../../src/core/planner.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { gateways } from '../../src/gateways/index.ts'
import { cluster, parent } from '../facts/cluster.ts'
import { annotated, annotationsOf, applied, canonical, isOwnedKey, labelled, patchOf } from './apply.ts'
import {
  anyHTTPRoute,
  anyIngress,
  anyRoute,
  anyText,
  envoyRoute,
  hostileKey,
  INJECTED,
  MIDDLEWARES,
  nginxIngress,
  ownedEntry,
  PROTECT,
  runs,
  traefikIngress,
  traefikRoute,
} from './arbitrary.ts'

const facts = cluster()
const planOf = (object: KubeObject) => plan(object, facts, gateways)
const next = (object: KubeObject) => applied(object, patchOf(planOf(object)))
const unlabelled = (object: KubeObject) => labelled(object, { [PROTECT]: null })

describe('the generated routes', () => {
  test.each([
    ['Ingresses of ingress-nginx', nginxIngress],
    ['Ingresses of Traefik', traefikIngress],
    ['HTTPRoutes of Traefik', traefikRoute],
    ['HTTPRoutes of Envoy Gateway', envoyRoute],
  ])('are %s of which most can be protected', (_, arbitrary) => {
    const outcomes = fc.sample(arbitrary, { numRuns: 200, seed: 1 }).map(object => planOf(object).outcome)
    expect(outcomes.filter(outcome => outcome === 'protect').length).toBeGreaterThan(120)
  })
})

describe('planning', () => {
  test('a second time changes nothing', () => {
    fc.assert(
      fc.property(anyRoute, object => {
        const first = planOf(object)
        const second = planOf(applied(object, patchOf(first)))
        expect(second.outcome).toBe(first.outcome)
        expect(patchOf(second)).toEqual([])
      }),
      runs(250),
    )
  })

  test('a route that is denied has no patch', () => {
    fc.assert(
      fc.property(anyRoute, fc.constantFrom('nobody', 'TRUE', 'team-c', 'a b'), (object, value) => {
        const denied = planOf(labelled(object, { [PROTECT]: value }))
        expect(denied.outcome).toBe('deny')
        expect(denied).not.toHaveProperty('patch')
      }),
      runs(60),
    )
  })
})

describe('taking the label off', () => {
  test('gives the route back as it was', () => {
    fc.assert(
      fc.property(anyRoute, fc.constantFrom(null, 'false'), (object, value) => {
        const without = labelled(object, { [PROTECT]: value })
        const back = next(labelled(next(object), { [PROTECT]: value }))
        expect(canonical(back)).toBe(canonical(without))
        expect(planOf(back).outcome).toBe('skip')
      }),
      runs(250),
    )
  })

  const ways = fc.array(
    fc.record({
      [PROTECT]: fc.constantFrom('true', 'team-a', 'team-b'),
      'auth.example/access': fc.constantFrom(null, 'admins', 'robots'),
      'auth.example/client': fc.constantFrom(null, 'browser', 'api'),
    }),
    { minLength: 1, maxLength: 4 },
  )

  test('gives the route back through any number of other teams, levels and clients', () => {
    fc.assert(
      fc.property(anyRoute, ways, (object, steps) => {
        const last = steps.reduce<KubeObject>((each, labels) => next(labelled(each, labels)), next(object))
        const labels = { ...steps.at(-1), [PROTECT]: null }
        expect(canonical(next(labelled(last, labels)))).toBe(canonical(labelled(object, labels)))
      }),
      runs(150),
    )
  })

  test('gives an Ingress back through any number of other classes', () => {
    const classes = fc.array(fc.constantFrom('nginx', 'nginx-internal', 'traefik', 'other'), { minLength: 1 })
    fc.assert(
      fc.property(anyIngress, classes, (object, steps) => {
        const inClass = (of: KubeObject, name: string): KubeObject => ({
          ...annotated(of, { 'kubernetes.io/ingress.class': null }),
          spec: { ...(of.spec as object), ingressClassName: name },
        })
        const last = steps.reduce((each, name) => next(inClass(each, name)), next(object))
        const expected = inClass(unlabelled(object), steps.at(-1)!)
        expect(canonical(next(unlabelled(last)))).toBe(canonical(expected))
      }),
      runs(150),
    )
  })

  test('gives an HTTPRoute back through any number of other Gateways', () => {
    fc.assert(
      fc.property(
        anyHTTPRoute,
        fc.array(fc.constantFrom('envoy', 'traefik', 'gone'), { minLength: 1 }),
        (object, steps) => {
          const under = (of: KubeObject, name: string): KubeObject => ({
            ...of,
            spec: { ...(of.spec as object), parentRefs: [parent(name)] },
          })
          const last = steps.reduce((each, name) => next(under(each, name)), next(object))
          expect(canonical(next(unlabelled(last)))).toBe(canonical(under(unlabelled(object), steps.at(-1)!)))
        },
      ),
      runs(150),
    )
  })
})

describe('what the owner writes while the route is protected', () => {
  const edits = fc.array(
    fc.oneof(
      fc.tuple(hostileKey, fc.option(anyText)),
      ownedEntry
        .filter(([key]) => key !== MIDDLEWARES)
        .chain(([key, value]) => fc.tuple(fc.constant(key), fc.constantFrom(value, null))),
    ),
    { minLength: 1, maxLength: 5 },
  )

  test.each([
    ['before the gate has seen it', false],
    ['after it was planned again', true],
  ])('stays when the label goes, %s', (_, seen) => {
    fc.assert(
      fc.property(anyRoute, edits, (object, list) => {
        const change = Object.fromEntries(list)
        const shut = next(object)
        const edited = annotated(shut, change)
        const back = next(unlabelled(seen ? next(edited) : edited))
        // An edit counts where it differs from what stood there protected; all else is as it was at first.
        const before = annotationsOf(shut)
        const real = Object.entries(change).filter(([key, value]) => (before[key] ?? null) !== value)
        expect(canonical(back)).toBe(canonical(annotated(unlabelled(object), Object.fromEntries(real))))
      }),
      runs(200),
    )
  })

  test('stays in a list beside ours, wherever it was put', () => {
    const place = fc.constantFrom('front', 'end')
    fc.assert(
      fc.property(traefikIngress, place, fc.boolean(), (object, where, seen) => {
        const shut = next(object)
        fc.pre(planOf(shut).outcome === 'protect')
        const list = annotationsOf(shut)[MIDDLEWARES]!
        const rest = list.slice(list.indexOf('@kubernetescrd') + '@kubernetescrd'.length).replace(/^,/, '')
        const edited = annotated(shut, { [MIDDLEWARES]: where === 'front' ? `new@file,${list}` : `${list},new@file` })
        const back = annotationsOf(next(unlabelled(seen ? next(edited) : edited)))[MIDDLEWARES]
        const others = rest === '' ? [] : [rest]
        expect(back).toBe((where === 'front' ? ['new@file', ...others] : [...others, 'new@file']).join(','))
      }),
      runs(100),
    )
  })

  test('stays among the filters of a rule, wherever it was put', () => {
    const added = { type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['x-new'] } }
    const withFilter = (rules: unknown, index: number, end: boolean): unknown =>
      (rules as { filters?: unknown[] }[]).map((rule, at) => {
        if (at !== index) return rule
        const filters = rule.filters ?? []
        return { ...rule, filters: end ? [...filters, added] : [added, ...filters] }
      })
    fc.assert(
      fc.property(traefikRoute, fc.nat({ max: 3 }), fc.boolean(), fc.boolean(), (object, pick, end, seen) => {
        const edit = (of: KubeObject): KubeObject => {
          const { rules, ...spec } = of.spec as { rules: unknown[] }
          return { ...of, spec: { ...spec, rules: withFilter(rules, pick % rules.length, end) } }
        }
        const edited = edit(next(object))
        const back = next(unlabelled(seen ? next(edited) : edited))
        expect(canonical(back)).toBe(canonical(edit(unlabelled(object))))
      }),
      runs(100),
    )
  })

  test('is all that is left when the record is taken out of the route as well', () => {
    fc.assert(
      fc.property(anyRoute, object => {
        const shut = next(object)
        const stripped = annotated(shut, { [INJECTED]: null })
        const again = next(stripped)
        const unowned = (of: KubeObject) => Object.entries(annotationsOf(of)).filter(([key]) => !isOwnedKey(key))
        expect(unowned(again)).toEqual(unowned(shut))
        expect(patchOf(planOf(again))).toEqual([])
      }),
      runs(100),
    )
  })
})
