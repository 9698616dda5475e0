// What Traefik gets written into a route, and that all of it can be taken back.
import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import jsonpatch from 'fast-json-patch'
import { companions } from '../../../src/core/companions.ts'
import { plan } from '../../../src/core/planner.ts'
import type { KubeObject } from '../../../src/core/types.ts'
import { traefik } from '../../../src/gateways/traefik/index.ts'
import { authTeam, byWords, cluster, config, facts, httpRoute, ingress, nameOf, protectedPlan } from './cluster.ts'

const KEY = 'traefik.ingress.kubernetes.io/router.middlewares'
const OURS = /^portcullis-m[0-9a-f]{16}@kubernetescrd$/
const RECORD = 'auth.example/injected'

function patched(object: KubeObject, store = facts(cluster())): KubeObject {
  const { patch } = protectedPlan(plan(object, store, [traefik]))
  return jsonpatch.applyPatch(structuredClone(object), structuredClone(patch) as jsonpatch.Operation[]).newDocument
}

function released(object: KubeObject, store = facts(cluster())): KubeObject {
  const labels = { ...(object.metadata.labels as object), 'auth.example/protect': 'false' }
  const open = { ...object, metadata: { ...object.metadata, labels } }
  const result = plan(open, store, [traefik])
  if (result.outcome !== 'release') throw new Error(JSON.stringify(result))
  const document = jsonpatch.applyPatch(structuredClone(open), structuredClone(result.patch) as jsonpatch.Operation[])
  return {
    ...document.newDocument,
    metadata: { ...document.newDocument.metadata, labels: object.metadata.labels },
  } as KubeObject
}

function listOf(object: KubeObject): string {
  return (object.metadata.annotations as { [key: string]: string })[KEY] ?? ''
}

function filtersOf(object: KubeObject): unknown[][] {
  return (object.spec as { rules: { filters: unknown[] }[] }).rules.map(rule => rule.filters)
}

describe('the list of an Ingress', () => {
  test('is our Middleware alone where there was none', () => {
    const list = listOf(patched(ingress(undefined)))
    expect(list).toMatch(OURS)
  })

  test('is our Middleware alone where the value was empty, because Traefik then asks nobody', () => {
    expect(listOf(patched(ingress({ [KEY]: '' })))).toMatch(OURS)
    expect(listOf(patched(ingress({ [KEY]: '  ' })))).toMatch(OURS)
  })

  test('has our Middleware in front of what the owner wrote, byte for byte', () => {
    const [head, ...rest] = listOf(patched(ingress({ [KEY]: 'app-strip@kubernetescrd , app-x@file' }))).split(',')
    expect(head).toMatch(OURS)
    expect(rest.join(',')).toBe('app-strip@kubernetescrd , app-x@file')
  })

  test('has our Middleware once, also where the owner put it behind one that could make up a session', () => {
    const ours = listOf(patched(ingress(undefined)))
    expect(listOf(patched(ingress({ [KEY]: `app-cookie@kubernetescrd, ${ours},${ours}` })))).toBe(
      `${ours},app-cookie@kubernetescrd`,
    )
  })

  test('comes right again when something is put in front of ours after it was protected', () => {
    const protectedOnce = patched(ingress({ [KEY]: 'app-x@file' }))
    const ours = listOf(protectedOnce).split(',')[0]
    const annotations = {
      ...(protectedOnce.metadata.annotations as object),
      [KEY]: `app-cookie@file,${ours},app-x@file`,
    }
    const edited = { ...protectedOnce, metadata: { ...protectedOnce.metadata, annotations } }
    expect(listOf(patched(edited))).toBe(`${ours},app-cookie@file,app-x@file`)
  })

  test('names the namespace with the separator of the cluster', () => {
    const store = facts(cluster(), config({ separator: '_' }))
    expect(listOf(patched(ingress(undefined), store))).toMatch(/^portcullis_m[0-9a-f]{16}@kubernetescrd$/)
  })

  test('moves to the other separator when the configuration does, without leaving the old element behind', () => {
    const before = patched(ingress({ [KEY]: 'app-x@file' }))
    const after = patched(before, facts(cluster(), config({ separator: '_' })))
    expect(listOf(after)).toMatch(/^portcullis_m[0-9a-f]{16}@kubernetescrd,app-x@file$/)
  })
})

describe('the filters of an HTTPRoute', () => {
  const rules = [
    { backendRefs: [{ name: 'app', port: 80 }] },
    { filters: [], backendRefs: [{ name: 'app', port: 80 }] },
    { filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'Cookie', value: 'x' }] } }] },
  ]
  const ours = {
    type: 'ExtensionRef',
    extensionRef: { group: 'traefik.io', kind: 'Middleware', name: expect.stringMatching(/^m[0-9a-f]{16}$/) },
  }

  test('have our Middleware first in every rule, in front of a filter that could make up a session', () => {
    expect(filtersOf(patched(httpRoute({ rules })))).toEqual([[ours], [ours], [ours, rules[2]?.filters?.[0]]])
  })

  test('have our Middleware once, also where the owner put it behind another', () => {
    const injected = filtersOf(patched(httpRoute()))[0]?.[0]
    const behind = [{ ...rules[2], filters: [...(rules[2]?.filters ?? []), injected, injected] }]
    expect(filtersOf(patched(httpRoute({ rules: behind })))).toEqual([[injected, rules[2]?.filters?.[0]]])
  })

  test('are what they were once the label is gone, a list that was empty included', () => {
    const route = httpRoute({ rules })
    expect(released(patched(route))).toEqual(route)
  })
})

describe('every team form', () => {
  const cases = ['', 'admins'].flatMap(access =>
    ['browser', 'api'].flatMap(client =>
      (['-', '_'] as const).flatMap(separator =>
        [false, true].map(trustForwardHeader => ({ access, client, separator, trustForwardHeader })),
      ),
    ),
  )

  test.each(
    cases,
  )('access "$access", client $client, separator $separator, trust $trustForwardHeader: what is injected is among the companions', one => {
    const { access, client, separator, trustForwardHeader } = one
    const labels = { 'auth.example/client': client, ...(access === '' ? {} : { 'auth.example/access': access }) }
    const store = facts(cluster(), config({ separator, trustForwardHeader }))
    const { scopes } = protectedPlan(plan(ingress(undefined, labels), store, [traefik]))
    const made = byWords(scopes.flatMap(scope => companions(scope, store, [traefik])))
    const trust = trustForwardHeader ? ', X-Forwarded headers trusted' : ''
    const middleware = made.get(`team team-a${access === '' ? '' : ', access level admins'}, client ${client}${trust}`)
    const list = listOf(patched(ingress(undefined, labels), store))
    expect(list).toBe(`portcullis${separator}${middleware?.metadata.name}@kubernetescrd`)
    expect(middleware?.metadata.namespace).toBe('portcullis')

    const route = protectedPlan(plan(httpRoute({}, labels), store, [traefik]))
    const beside = route.scopes.flatMap(scope => companions(scope, store, [traefik])).map(each => nameOf(each.object))
    const [[filter]] = filtersOf(patched(httpRoute({}, labels), store)) as [[{ extensionRef: { name: string } }]]
    expect(filter.extensionRef.name).toBe(middleware?.metadata.name)
    expect(beside).toContain(`app/${filter.extensionRef.name}`)
  })

  test('two teams, levels, clients or settings never share a Middleware, also where their names run together', () => {
    const letters = ['a', 'b']
    const pairs = letters.flatMap(one => letters.flatMap(two => [one + two, `${one}-${two}`]))
    const labels = [...letters, ...pairs, ...pairs.flatMap(pair => letters.map(letter => pair + letter))]
    const access = labels.map(name => ({ name, allowedGroups: ['g'] }))
    const names = labels.flatMap(team =>
      [true, false].flatMap(trustForwardHeader => {
        const store = facts(cluster({ name: team, access }), config({ trustForwardHeader }))
        return companions({ of: 'team', team }, store, [traefik]).map(each => each.object.metadata.name)
      }),
    )
    expect(names).toHaveLength(labels.length * (labels.length + 1) * 4)
    expect(new Set(names).size).toBe(names.length)
  })

  test('no name has a dash or a dot, which Traefik would let another namespace imitate', () => {
    const store = facts(
      cluster({}, authTeam({ name: 'b-c', namespaces: { names: ['other'] }, hosts: ['b.example.com'] })),
    )
    for (const team of ['team-a', 'b-c']) {
      const names = companions({ of: 'team', team }, store, [traefik]).map(each => String(each.object.metadata.name))
      expect(names).toHaveLength(4)
      expect(names.filter(name => !/^[a-z0-9]+$/.test(name))).toEqual([])
    }
  })
})

describe('taking it back', () => {
  const lists = fc.option(
    fc
      .array(fc.constantFrom('', ' ', 'a@file', ' b@kubernetescrd ', 'app-c@kubernetescrd'), { maxLength: 4 })
      .map(parts => parts.join(',')),
  )

  test('gives the Ingress back as it was', () => {
    const store = facts(cluster())
    fc.assert(
      fc.property(lists, list => {
        const before = ingress(list === null ? undefined : { [KEY]: list, other: 'kept' })
        expect(released(patched(before, store), store)).toEqual(before)
      }),
    )
  })

  test('planning a protected route again changes nothing', () => {
    const store = facts(cluster())
    for (const object of [ingress({ [KEY]: 'a@file' }), ingress(undefined), httpRoute()]) {
      expect(protectedPlan(plan(patched(object, store), store, [traefik])).patch).toEqual([])
    }
  })

  test('keeps what the owner added to the list since', () => {
    const stored = patched(ingress({ [KEY]: 'a@file' }))
    const annotations = { ...(stored.metadata.annotations as object), [KEY]: `${listOf(stored)},new@file` }
    const edited = { ...stored, metadata: { ...stored.metadata, annotations } }
    expect(listOf(released(edited))).toBe('a@file,new@file')
  })

  test('takes out no element and no filter that this gateway could not have injected, whatever the record says', () => {
    for (const element of [
      'app-strip@kubernetescrd',
      'a-b-m0123456789abcdef@kubernetescrd',
      'portcullis-m0123456789abcdeF@kubernetescrd',
      'portcullis-m0123456789abcdef@file',
    ]) {
      const record = {
        format: 1,
        gateway: 'traefik',
        team: 'team-a',
        set: {},
        was: {},
        list: { key: KEY, element, was: null },
      }
      const forged = ingress({ [KEY]: `${element},x@file`, [RECORD]: JSON.stringify(record) })
      expect(listOf(released(forged))).toBe(`${element},x@file`)
    }
    const filter = { group: 'traefik.io', kind: 'Middleware', name: 'ip-allow-list' }
    const record = { format: 1, gateway: 'traefik', team: 'team-a', set: {}, was: {}, filter: { ...filter, empty: [] } }
    const filters = [{ type: 'ExtensionRef', extensionRef: filter }]
    const forged = httpRoute({ rules: [{ filters }] })
    const metadata = { ...forged.metadata, annotations: { [RECORD]: JSON.stringify(record) } }
    expect(filtersOf(released({ ...forged, metadata }))).toEqual([filters])
  })

  test('no annotation is taken or given back as a whole, the list of Middlewares included', () => {
    const [controller] = config().controllers
    if (controller === undefined) throw new Error('no controller')
    expect(traefik.owns(KEY, controller)).toBe(false)
    expect(traefik.restores(KEY, 'a@file, b@file', controller)).toBe(false)
  })
})
