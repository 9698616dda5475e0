// The webhook configurations ask about what the code answers, where and how it answers it.
import { describe, expect, test } from '@jest/globals'
import { defaultConfig } from '../../src/api/config.ts'
import { SERVICE_NAME } from '../../src/certificates/overlay.ts'
import { PROTECT } from '../../src/core/keys.ts'
import { demandOf } from '../../src/core/require.ts'
import { selects } from '../../src/core/selector.ts'
import { saysOpen } from '../../src/core/team.ts'
import { gateways } from '../../src/gateways/index.ts'
import { entryOf } from '../../src/http/admission.ts'
import { type Entry, entries, type Rule } from './documents.ts'
import { plural } from './plural.ts'

const ROUTES = [...new Set(gateways.flatMap(each => each.routeKinds))].map(plural).sort()
const CLUSTER_SCOPED = ['authteams', 'authexemptions', 'namespaces']
const OWN_NAMESPACES = ['kube-system', 'kube-node-lease', 'portcullis']

const entry = (name: string) => entries.find(each => each.name === name) as Entry
const resources = ({ rules }: Entry) => rules.flatMap(each => each.resources).sort()
const operations = ({ rules }: Entry) => [...new Set(rules.flatMap(each => each.operations))].sort()

describe('the webhook configurations', () => {
  test('have the entries that there are, each with what it does without an answer', () => {
    expect(Object.fromEntries(entries.map(each => [each.name, each.failurePolicy]))).toEqual({
      'mutate.auth.example': 'Ignore',
      'default.mutate.auth.example': 'Ignore',
      'validate.auth.example': 'Fail',
      'required.auth.example': 'Fail',
      'default.required.auth.example': 'Fail',
      'wanted.auth.example': 'Ignore',
      'teams.auth.example': 'Fail',
      'namespaces.auth.example': 'Ignore',
    })
  })

  test.each(
    entries.map(each => [each.name, each] as const),
  )('%s is asked in the way that the code answers', (_, of) => {
    const { service } = of.clientConfig
    const isMutating = of.configuration === 'MutatingWebhookConfiguration'
    expect(`${service.name}.${service.namespace}.svc`).toBe(SERVICE_NAME)
    expect(entryOf(`${service.path}?timeout=5s`)).toBe(isMutating ? 'mutate' : 'validate')
    expect(of).toMatchObject({
      admissionReviewVersions: ['v1'],
      matchPolicy: 'Equivalent',
      sideEffects: 'None',
      timeoutSeconds: 5,
    })
    expect(of.reinvocationPolicy).toBe(isMutating ? 'IfNeeded' : undefined)
    // Whoever issues the certificate sets it, and would have to fight what says otherwise.
    expect(of.clientConfig).not.toHaveProperty('caBundle')
  })

  test('are about deleting only what is in no namespace', () => {
    for (const { rules } of entries) {
      for (const rule of rules) {
        const isClusterScoped = rule.resources.every(each => CLUSTER_SCOPED.includes(each))
        expect(rule.scope).toBe(isClusterScoped ? 'Cluster' : 'Namespaced')
        expect(rule.operations.includes('DELETE') && !isClusterScoped).toBe(false)
        expect(rule.operations).not.toContain('*')
        expect(rule.resources.join()).not.toContain('*')
      }
    }
    expect(operations(entry('namespaces.auth.example'))).toEqual(['UPDATE'])
    expect(operations(entry('teams.auth.example'))).toEqual(['CREATE', 'DELETE', 'UPDATE'])
  })

  test('ask about every kind of route that a gateway protects', () => {
    for (const name of ['mutate', 'default.mutate', 'wanted'])
      expect(resources(entry(`${name}.auth.example`))).toEqual(ROUTES)
    const withStatus = ROUTES.flatMap(each => [each, `${each}/status`]).sort()
    for (const name of ['required', 'default.required'])
      expect(resources(entry(`${name}.auth.example`))).toEqual(withStatus)
    expect(resources(entry('validate.auth.example'))).toEqual(expect.arrayContaining(withStatus))
  })

  test('ask about the label on routes of other kinds too, in any version', () => {
    const others = entry('validate.auth.example').rules.filter(each => !each.resources.some(of => ROUTES.includes(of)))
    const found = others.flatMap((each: Rule) => each.resources.map(of => `${of}.${each.apiGroups}`))
    expect(found).toEqual([
      'grpcroutes.gateway.networking.k8s.io',
      'tlsroutes.gateway.networking.k8s.io',
      'tcproutes.gateway.networking.k8s.io',
      'udproutes.gateway.networking.k8s.io',
      'ingressroutes.traefik.io',
      'ingressroutetcps.traefik.io',
      'ingressrouteudps.traefik.io',
    ])
    for (const each of others) expect(each).toMatchObject({ apiVersions: ['*'] })
  })

  test('ask about a label on a route whatever namespace it is in', () => {
    for (const name of ['mutate.auth.example', 'validate.auth.example']) {
      expect(entry(name).namespaceSelector).toBeUndefined()
      expect(selects(entry(name).objectSelector ?? {}, { [PROTECT]: '' })).toBe(true)
      expect(selects(entry(name).objectSelector ?? {}, {})).toBe(false)
    }
  })

  const values = [undefined, '', 'true', 'false', 'warn', 'audit', 'enforce', 'team-a', 'anything']
  const namespaces = values.flatMap(require =>
    values.map(protect => ({
      'kubernetes.io/metadata.name': 'shop',
      ...(require === undefined ? {} : { 'auth.example/require': require }),
      ...(protect === undefined ? {} : { 'auth.example/protect': protect }),
    })),
  )

  test.each(
    namespaces.map(each => [JSON.stringify(each), each] as const),
  )('ask about routes in a namespace %s as the code reads these labels', (_, labels) => {
    const asked = (name: string) => selects(entry(`${name}.auth.example`).namespaceSelector ?? {}, labels)
    const demand = demandOf({ name: 'shop', labels })
    const enforcing = [asked('required'), asked('default.required')].filter(Boolean)
    expect(enforcing).toHaveLength(demand === 'enforce' ? 1 : 0)
    expect(asked('wanted')).toBe(demand === 'warn' || demand === 'audit')
    expect(asked('default.mutate')).toBe(!saysOpen((labels as Record<string, string>)[PROTECT]))
  })

  test('leave out our own namespace and the cluster own, where only a namespace would say that we are asked', () => {
    expect(defaultConfig().namespace).toBe(OWN_NAMESPACES.at(-1))
    const asking = { 'auth.example/protect': 'true', 'auth.example/require': 'enforce' }
    for (const name of OWN_NAMESPACES) {
      for (const { namespaceSelector } of entries) {
        if (namespaceSelector === undefined) continue
        for (const labels of [asking, { [PROTECT]: 'true' }, { 'auth.example/require': 'warn' }, {}])
          expect(selects(namespaceSelector, { 'kubernetes.io/metadata.name': name, ...labels })).toBe(false)
      }
    }
  })
})
