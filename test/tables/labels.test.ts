// Every gateway and kind of route with every form of the three labels: what is decided, and where a request would be led.
// What is expected is counted out here from the values of the labels, with none of the code that decides.
import { describe, expect, test } from '@jest/globals'
import { companions } from '../../src/core/companions.ts'
import { plan } from '../../src/core/planner.ts'
import type { KubeObject, Plan } from '../../src/core/types.ts'
import { gateways } from '../../src/gateways/index.ts'
import { patched } from '../golden/run.ts'
import { cluster, type Labels, ROUTES } from './cluster.ts'

const PROTECT = [undefined, 'false', '', 'true', 'blue', 'red', 'green', 'True']
const ACCESS = [undefined, 'ops', 'owners', '']
const CLIENT = [undefined, 'browser', 'api', 'robot']

type Row = {
  readonly protect: string | undefined
  readonly access: string | undefined
  readonly client: string | undefined
}

const facts = cluster()
const rows: Row[] = PROTECT.flatMap(protect =>
  ACCESS.flatMap(access => CLIENT.map(client => ({ protect, access, client }))),
)
const table = Object.entries(ROUTES).flatMap(([name, route]) => rows.map(row => ({ name, route, ...row })))

describe.each(table)('$name, protect $protect, access $access, client $client', ({ name, route, ...row }) => {
  const object = route(labelsOf(row))
  const outcome = plan(object, facts, gateways)
  const stored = patched(object, 'patch' in outcome ? outcome.patch : [])

  test('is decided as its labels say', () => expect(decision(outcome)).toEqual(expected(row, name)))

  if (isProtected(row)) test('is led to the login that its labels mean', () => expectLogin(name, stored, outcome, row))
  else test('is not written to', () => expect(stored).toEqual(object))

  if (name.startsWith('Envoy Gateway'))
    test('is closed by the label alone, unless that says open', () => expectGuards(row, stored))
})

function labelsOf({ protect, access, client }: Row): Labels {
  const labels = { 'auth.example/protect': protect, 'auth.example/access': access, 'auth.example/client': client }
  return Object.fromEntries(Object.entries(labels).filter((entry): entry is [string, string] => entry[1] !== undefined))
}

function isOpen({ protect }: Row): boolean {
  return protect === undefined || protect === 'false'
}

function isProtected({ protect, access, client }: Row): boolean {
  return ['', 'true', 'blue'].includes(`${protect}`) && [undefined, 'ops'].includes(access) && client !== 'robot'
}

const TEAM_PROBLEMS: Readonly<Record<string, string>> = {
  red: 'team-elsewhere',
  green: 'team-unknown',
  True: 'label-value',
}

function expected(row: Row, name: string): object {
  const { protect = '', access, client } = row
  if (isOpen(row)) return { outcome: 'skip', codes: [row.protect === undefined ? 'not-labelled' : 'opted-out'] }
  if (isProtected(row)) {
    const told = client === 'api' && name.startsWith('Envoy') ? ['client-api-accept'] : []
    return { outcome: 'protect', codes: told, team: 'blue', access, client: client ?? 'browser' }
  }
  const codes = [TEAM_PROBLEMS[protect], client === 'robot' ? 'client-unknown' : undefined].filter(
    code => code !== undefined,
  )
  return { outcome: 'deny', codes: codes.length > 0 ? codes : ['access-unknown'] }
}

function decision(outcome: Plan): object {
  switch (outcome.outcome) {
    case 'skip':
      return { outcome: 'skip', codes: [outcome.reason.code] }
    case 'deny':
      return { outcome: 'deny', codes: outcome.reasons.map(each => each.code) }
    case 'release':
      return { outcome: 'release' }
    case 'protect': {
      const { team, access, client } = outcome.target
      return {
        outcome: 'protect',
        codes: outcome.warnings.map(each => each.code),
        team: team.name,
        access: access?.name,
        client,
      }
    }
  }
}

const ORIGIN = 'http://proxy.login.svc.cluster.local:4180'

function groupsOf({ access }: Row): string {
  return access === 'ops' ? '?allowed_groups=g1,g2' : ''
}

function expectLogin(name: string, stored: KubeObject, outcome: Plan, row: Row): void {
  if (name.startsWith('ingress-nginx')) expectAnnotations(stored, row)
  else if (name === 'Traefik, Ingress') expectMiddleware(inAnnotation(stored), outcome, row)
  else if (name === 'Traefik, HTTPRoute') expectMiddleware(inRules(stored), outcome, row)
  else expect(stored.spec).toEqual(ROUTES[name]?.({}).spec)
}

function expectAnnotations({ metadata }: KubeObject, row: Row): void {
  const annotations = metadata.annotations as Labels
  expect(annotations['nginx.ingress.kubernetes.io/auth-url']).toBe(`${ORIGIN}/oauth2/auth${groupsOf(row)}`)
  expect(annotations['nginx.ingress.kubernetes.io/auth-signin']).toBe(
    row.client === 'api' ? undefined : 'https://login.blue.example/oauth2/start?rd=https://$host$escaped_request_uri',
  )
}

type Named = { readonly namespace: string; readonly name: string }

function inAnnotation({ metadata }: KubeObject): Named {
  const list = (metadata.annotations as Labels)['traefik.ingress.kubernetes.io/router.middlewares']
  const [, namespace = '', name = ''] = /^([a-z0-9]+)-([a-z0-9]+)@kubernetescrd$/.exec(`${list}`) ?? []
  return { namespace, name }
}

function inRules({ spec }: KubeObject): Named {
  const { rules } = spec as { rules: { filters: { extensionRef: { kind: string; name: string } }[] }[] }
  const names = new Set(rules.map(rule => rule.filters[0]?.extensionRef.name))
  expect(names.size).toBe(1)
  return { namespace: 'app', name: `${[...names][0]}` }
}

/** The Middleware that is named is one of the companions that the plan relies on. */
function expectMiddleware({ namespace, name }: Named, outcome: Plan, row: Row): void {
  const scopes = outcome.outcome === 'protect' ? outcome.scopes : []
  const named = scopes
    .flatMap(scope => companions(scope, facts, gateways))
    .filter(
      ({ object: { kind, metadata } }) =>
        kind === 'Middleware' && metadata.namespace === namespace && metadata.name === name,
    )
  expect(named.map(each => each.guards)).toEqual([true])
  const { forwardAuth } = named[0]?.object.spec as { forwardAuth: { address: string } }
  expect(forwardAuth.address).toBe(`${ORIGIN}${row.client === 'api' ? '/oauth2/auth' : '/'}${groupsOf(row)}`)
}

type Expression = { readonly key: string; readonly operator: string; readonly values?: readonly string[] }
type PolicySpec = {
  readonly targetSelectors: readonly { matchExpressions: readonly Expression[] }[]
  readonly extAuth?: { failOpen: boolean; http: { pathOverride: string } }
  readonly authorization: { defaultAction: string; rules?: readonly { cel: string }[] }
}

/** Policies of the namespace by the labels that they select: the one of the team and level, and under it the net. */
function expectGuards(row: Row, { metadata }: KubeObject): void {
  const scope = { of: 'namespace', team: 'blue', namespace: 'app' } as const
  const policies = companions(scope, facts, gateways)
    .filter(({ object }) => object.kind === 'SecurityPolicy')
    .map(({ object }) => object.spec as PolicySpec)
    .filter(({ targetSelectors }) =>
      targetSelectors.some(each => meets(metadata.labels as Labels, each.matchExpressions)),
    )
  const logins = policies.filter(({ extAuth }) => extAuth !== undefined)
  const nets = policies.filter(({ extAuth, authorization: { rules } }) => extAuth === undefined && rules === undefined)
  const isServed = isProtected({ ...row, client: undefined })
  expect(nets.length).toBe(isOpen(row) ? 0 : 1)
  expect(logins.map(({ extAuth }) => extAuth)).toEqual(
    isServed
      ? [
          expect.objectContaining({
            failOpen: false,
            http: expect.objectContaining({ pathOverride: `/${groupsOf(row)}` }),
          }),
        ]
      : [],
  )
  for (const { authorization } of policies) expect(authorization.defaultAction).toBe('Deny')
}

function meets(labels: Labels, expressions: readonly Expression[]): boolean {
  return expressions.every(({ key, operator, values = [] }) => {
    const value = labels[key]
    if (operator === 'Exists') return value !== undefined
    if (operator === 'DoesNotExist') return value === undefined
    const isIn = value !== undefined && values.includes(value)
    return operator === 'In' ? isIn : !isIn
  })
}
