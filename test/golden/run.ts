// Runs a golden case: what becomes of its routes, and the companions that they need.
import fastJsonPatch from 'fast-json-patch'
import { type AdmissionContext, admit } from '../../src/admission/admit.ts'
import { companions, identity, scopeKey } from '../../src/core/companions.ts'
import { object } from '../../src/core/json.ts'
import { PROTECT, ROUTE_LABELS } from '../../src/core/keys.ts'
import { plan } from '../../src/core/planner.ts'
import type { Companion, GatewayKind, KubeObject, Operation, Plan, Scope } from '../../src/core/types.ts'
import type { FactStore } from '../../src/facts/store.ts'
import { gateways } from '../../src/gateways/index.ts'
import { type CaseRequest, factsOf, type GoldenCase, NOW } from './case.ts'

export type PlannedRoute = {
  readonly input: KubeObject
  readonly plan: Plan
  /** The object with the patch applied. */
  readonly stored: KubeObject
}

export type ScopeCompanions = { readonly scope: Scope; readonly companions: readonly Companion[] }

export type Result = {
  readonly facts: FactStore
  readonly routes: readonly PlannedRoute[]
  /** In order of the scopes; one that several scopes share, at the first of them. */
  readonly companions: readonly ScopeCompanions[]
}

export type Answered = {
  readonly request: CaseRequest
  readonly status: number
  readonly answer: unknown
  readonly logged: object
}

export function run(golden: GoldenCase): Result {
  const facts = factsOf(golden)
  const routes = golden.planned.map(input => planned(deepFreeze(input), facts))
  for (const { stored } of routes) facts.put(stored)
  const scopes = [...routes.flatMap(route => scopesOf(route.plan)), ...(golden.scopes ?? []).map(readScope)]
  return { facts, routes, companions: companionsOf(scopes, facts) }
}

export function planned(input: KubeObject, facts: FactStore): PlannedRoute {
  const outcome = plan(input, facts, gateways)
  return { input, plan: outcome, stored: patched(input, patchOf(outcome)) }
}

export function companionsOf(scopes: readonly Scope[], facts: FactStore): ScopeCompanions[] {
  const seen = new Set<string>()
  const unique = new Map(scopes.map(scope => [scopeKey(scope), scope]))
  return [...unique.values()].map(scope => ({
    scope,
    companions: companions(scope, facts, gateways).filter(each => {
      const id = identity(each.object)
      return !seen.has(id) && seen.add(id)
    }),
  }))
}

export function scopesOf(outcome: Plan): readonly Scope[] {
  return outcome.outcome === 'protect' ? outcome.scopes : []
}

export function patchOf(outcome: Plan): readonly Operation[] {
  return 'patch' in outcome ? outcome.patch : []
}

export function patched(input: KubeObject, patch: readonly Operation[]): KubeObject {
  return fastJsonPatch.applyPatch(structuredClone(input), patch as never, true).newDocument
}

/** The object as its owner has it who takes the labels off. */
export function withoutLabel(input: KubeObject): KubeObject {
  const { labels, ...metadata } = input.metadata
  const rest = Object.entries(object(labels)).filter(([label]) => label !== PROTECT)
  const others = rest.filter(([label]) => !ROUTE_LABELS.some(each => each === label))
  return { ...input, metadata: others.length === 0 ? metadata : { ...metadata, labels: Object.fromEntries(others) } }
}

export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const each of Object.values(value)) deepFreeze(each)
  return Object.freeze(value)
}

/** The answer to an admission request for the last object of a case. */
export function answer(golden: GoldenCase, request: CaseRequest): Answered {
  const asked = golden.planned[0]
  if (asked === undefined) throw new Error('there is no object to ask about')
  // A new object is not among the facts yet; of a changed one its former version is.
  const documents = golden.documents.filter(each => each !== asked)
  const facts = factsOf({ ...golden, documents: request.oldObject ? [...documents, request.oldObject] : documents })
  const logged: object[] = []
  const log = (fields: object) => void logged.push(fields)
  const context: AdmissionContext = {
    facts,
    gateways: request.fault ? gateways.map(faulty) : gateways,
    log: { info: log, error: log },
    now: () => NOW,
  }
  const { status, body } = admit(request.entry, Buffer.from(JSON.stringify(review(asked, request))), context)
  return { request, status, answer: JSON.parse(body), logged: withoutTime(logged[0]) }
}

function review(
  asked: KubeObject,
  { operation = 'CREATE', subResource, oldObject, user = 'somebody' }: CaseRequest,
): object {
  const request = {
    uid: '11111111-2222-3333-4444-555555555555',
    kind: { group: asked.apiVersion.split('/')[0], version: asked.apiVersion.split('/')[1], kind: asked.kind },
    namespace: asked.metadata.namespace,
    name: asked.metadata.name,
    operation,
    ...(subResource === undefined ? {} : { subResource }),
    object: operation === 'DELETE' ? null : asked,
    oldObject: oldObject ?? (operation === 'DELETE' ? asked : null),
    userInfo: { username: user },
    dryRun: false,
  }
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }
}

function faulty(gateway: GatewayKind): GatewayKind {
  return {
    ...gateway,
    inject() {
      throw new Error('a mistake of ours')
    },
  }
}

/** Time and error objects differ from run to run. */
function withoutTime(fields: object | undefined): object {
  const { ms: _, err: __, ...rest } = { ...fields } as { ms?: number; err?: unknown }
  return rest
}

function readScope(text: string): Scope {
  const [of, a = '', b = '', name = ''] = text.split('/')
  if (of === 'team') return { of, team: a }
  if (of === 'namespace') return { of, namespace: a, team: b }
  if (of === 'gateway') return { of, namespace: a, name: b }
  if (of === 'route' && (a === 'Ingress' || a === 'HTTPRoute')) return { of, route: { kind: a, namespace: b, name } }
  throw new Error(`no scope: ${text}`)
}
