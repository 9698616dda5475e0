import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { plan } from '../../src/core/planner.ts'
import { readRoute } from '../../src/core/route.ts'
import { chooseTeam } from '../../src/core/team.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { gateways } from '../../src/gateways/index.ts'
import { cluster, ingress, team } from '../facts/cluster.ts'
import { annotated, annotationsOf, applied, labelled, patchOf } from './apply.ts'
import {
  anyIngress,
  anyRoute,
  anyText,
  hostileKey,
  INJECTED,
  MARK,
  MIDDLEWARES,
  PROTECT,
  runs,
  traefikRoute,
  unownedEntry,
} from './arbitrary.ts'

/** The letters that ingress-nginx takes in addresses of a login (1.15.1, parser/validators.go), a space besides. */
const SAFE = /^[A-Za-z0-9 \-._~/:,?&=$]*$/
const facts = cluster()

/** The values that planning wrote into an Ingress: of a list the first element, of the record what it says was set. */
function injectedInto(object: KubeObject, after: KubeObject): string[] {
  const [before, now] = [annotationsOf(object), annotationsOf(after)]
  return Object.entries(now).flatMap(([key, value]) => {
    if (before[key] === value) return []
    if (key === INJECTED)
      return Object.values(JSON.parse(value).set as Record<string, string | null>).map(each => each ?? '')
    return key === MIDDLEWARES ? [value.split(',')[0]!.replace('@', '')] : [value]
  })
}

describe('what is injected', () => {
  test('stays in the alphabet of addresses and has nothing of the route in it', () => {
    fc.assert(
      fc.property(anyIngress, object => {
        for (const value of injectedInto(object, applied(object, patchOf(plan(object, facts, gateways))))) {
          expect(value).toMatch(SAFE)
          expect(value.toLowerCase()).not.toContain(MARK)
        }
      }),
      runs(150),
    )
  })

  test('is a filter of two fixed words and a hash, first in every rule', () => {
    fc.assert(
      fc.property(traefikRoute, object => {
        const planned = plan(object, facts, gateways)
        const { rules } = applied(object, patchOf(planned)).spec as { rules: { filters: unknown[] }[] }
        if (planned.outcome !== 'protect') return
        for (const { filters } of rules) {
          const name = expect.stringMatching(/^m[0-9a-f]{16}$/)
          expect(filters[0]).toEqual({
            type: 'ExtensionRef',
            extensionRef: { group: 'traefik.io', kind: 'Middleware', name },
          })
        }
      }),
      runs(100),
    )
  })

  const risky = (right: string) =>
    fc.oneof(
      { weight: 12, arbitrary: fc.constant(right) },
      { weight: 1, arbitrary: anyText },
      {
        weight: 1,
        arbitrary: fc.constantFrom('}', ';', '\n', '"', '$', '#', '%0a', '\\', '{').map(each => right + each),
      },
    )

  test('stays in the alphabet whatever team the schema admits', () => {
    const spec = fc.record({
      group: risky('admins'),
      pathPrefix: risky('/oauth2'),
      loginHost: risky('login.a.example.com'),
      bufferSize: risky('32k'),
      cookieName: risky('session'),
      service: risky('proxy'),
    })
    const store = cluster()
    let admitted = 0
    fc.assert(
      fc.property(spec, ({ group, service: name, ...proxy }) => {
        const service = { namespace: 'auth', name }
        const document = team('team-a', {
          namespaces: { names: ['apps'], default: true },
          proxy: { ...proxy, service, cookieDomains: ['a.example.com'] },
          access: [{ name: 'admins', allowedGroups: [group] }],
        })
        if (store.put(document).length > 0) return
        admitted++
        const object = ingress({ labels: { [PROTECT]: 'true', 'auth.example/access': 'admins' } })
        const injected = injectedInto(object, applied(object, patchOf(plan(object, store, gateways))))
        expect(injected.length).toBeGreaterThan(3)
        for (const value of injected) expect(value).toMatch(SAFE)
      }),
      runs(100),
    )
    expect(admitted).toBeGreaterThan(0)
  })
})

describe('the team of a route', () => {
  const word = fc.constantFrom('team-a', 'team-b', 'team-c', 'true', 'false', 'admins')
  const foreign = fc.array(
    fc.oneof(
      unownedEntry,
      fc.tuple(hostileKey, word),
      fc.tuple(fc.constantFrom('auth.example/team', 'auth.example/protect-by', 'AUTH.EXAMPLE/PROTECT', 'team'), word),
    ),
    { maxLength: 6 },
  )

  test('is chosen by no label and no annotation but ours', () => {
    fc.assert(
      fc.property(anyRoute, foreign, foreign, (object, labels, annotations) => {
        const ours = { [PROTECT]: 'true', 'auth.example/access': 'admins' }
        const noise = labelled(annotated(object, Object.fromEntries(annotations)), {
          ...Object.fromEntries(labels),
          ...ours,
        })
        const quiet: KubeObject = { ...object, metadata: { namespace: 'apps', name: 'app', labels: ours } }
        const choose = (of: KubeObject) => chooseTeam(readRoute(of)!, undefined, facts)
        const { team, access } = choose(quiet) as { team: unknown; access: unknown }
        expect(choose(noise)).toMatchObject({ team, access })
      }),
      runs(100),
    )
  })

  test('is never one that a record or a label names and the namespace does not admit', () => {
    fc.assert(
      fc.property(anyRoute, word, word, (object, recorded, label) => {
        const record = JSON.stringify({ format: 1, gateway: 'ingress-nginx', team: recorded, set: {}, was: {} })
        const forged = annotated(labelled(object, { [PROTECT]: label }), { [INJECTED]: record })
        const planned = plan(forged, facts, gateways)
        if (planned.outcome !== 'protect') return
        expect(planned.target.team.name).toBe(label === 'team-b' ? 'team-b' : 'team-a')
      }),
      runs(100),
    )
  })
})
