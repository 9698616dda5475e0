// The result of a golden case as YAML that a person can read, and judge.
import { stringify } from 'yaml'
import { scopeKey } from '../../src/core/companions.ts'
import { object } from '../../src/core/json.ts'
import { INJECTED } from '../../src/core/keys.ts'
import { sentence } from '../../src/core/reasons.ts'
import type { KubeObject, Operation, Reason } from '../../src/core/types.ts'
import { type GoldenCase, nameOf } from './case.ts'
import { type Answered, type PlannedRoute, patchOf, type Result, type ScopeCompanions } from './run.ts'

export function writeResult(golden: GoldenCase, { routes, companions }: Result): string {
  const documents = [...routes.flatMap(writeRoute), ...companions.flatMap(each => writeCompanions(each, golden))]
  return documents.join('---\n')
}

export function writeAnswer({ request: { entry, operation = 'CREATE' }, status, answer, logged }: Answered): string {
  const response = object(object(answer).response)
  const patch = typeof response.patch === 'string' ? { patch: withRecord(decode(response.patch)) } : {}
  const shown = response.allowed === undefined ? answer : { ...response, ...patch }
  return `# ${entry}, ${operation}\n${yaml({ status, response: shown, logged })}`
}

/** What was decided, with the paths of the patch; then the object as it is with the patch applied. */
function writeRoute({ input, plan, stored }: PlannedRoute): string[] {
  const patch = patchOf(plan)
  const decision = {
    route: nameOf(input),
    outcome: plan.outcome,
    ...(plan.outcome === 'skip' ? { reason: writeReason(plan.reason) } : {}),
    ...(plan.outcome === 'deny' ? { reasons: plan.reasons.map(writeReason) } : {}),
    ...(plan.outcome === 'protect'
      ? {
          team: plan.target.team.name,
          ...(plan.target.access === undefined ? {} : { access: plan.target.access.name }),
          client: plan.target.client,
          warnings: plan.warnings.map(writeReason),
          scopes: plan.scopes.map(scopeKey),
        }
      : {}),
    ...('patch' in plan ? { patch: patch.map(({ op, path }) => `${op} ${path}`) } : {}),
    ...(plan.outcome === 'protect' ? recordOf(stored) : {}),
  }
  return [yaml(decision), ...(patch.length > 0 ? [`# stored\n${yaml(stored)}`] : [])]
}

/** The record as what it stands for; what it says was set is not said twice, where it is what the object has. */
function recordOf({ metadata }: KubeObject): object {
  const annotations = object(metadata.annotations)
  const text = annotations[INJECTED]
  if (typeof text !== 'string') return {}
  const { set, ...record } = JSON.parse(text)
  const stands = Object.keys(set).every(key => (annotations[key] ?? null) === set[key])
  return { record: { ...record, set: stands ? 'as stored' : set } }
}

function writeCompanions({ scope: of, companions }: ScopeCompanions, golden: GoldenCase): string[] {
  const scope = scopeKey(of)
  if (golden.companions === 'names') {
    if (companions.length === 0) return []
    const list = companions.map(({ object: of, guards }) => `# ${guards ? 'guard' : 'companion'}: ${nameOf(of)}\n`)
    return [`# of ${scope}\n${list.join('')}`]
  }
  if (companions.length === 0) return [`# of ${scope}: no companions\n`]
  return companions.map(({ object: of, guards }) => `# ${guards ? 'guard' : 'companion'} of ${scope}\n${yaml(of)}`)
}

function writeReason(reason: Reason): object {
  const { code, field } = reason
  return { code, ...(field === undefined ? {} : { field }), sentence: sentence(reason) }
}

function decode(patch: string): Operation[] {
  return JSON.parse(Buffer.from(patch, 'base64').toString())
}

/** With the record's text as what it stands for. */
function withRecord(patch: readonly Operation[]): object[] {
  const path = `/metadata/annotations/${INJECTED.replace('/', '~1')}`
  return patch.map(each => {
    if (each.op === 'remove') return each
    if (each.path === path) return { ...each, value: JSON.parse(String(each.value)) }
    const record = each.path === '/metadata/annotations' ? object(each.value)[INJECTED] : undefined
    return typeof record === 'string'
      ? { ...each, value: { ...object(each.value), [INJECTED]: JSON.parse(record) } }
      : each
  })
}

function yaml(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false, indentSeq: false })
}
