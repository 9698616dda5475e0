// Administrators' objects: teams and exemptions that fit together, and what a namespace's new demand would mean.
import { parseAuthExemption } from '../api/auth-exemption.ts'
import { parseAuthTeam } from '../api/auth-team.ts'
import type { Problem } from '../api/problems.ts'
import { string, strings } from '../core/json.ts'
import { PROTECT, REQUIRE } from '../core/keys.ts'
import { reason } from '../core/reasons.ts'
import { demandOf, missingProtection } from '../core/require.ts'
import { saysOpen } from '../core/team.ts'
import { teamConflicts, teamInUse } from '../core/team-conflicts.ts'
import type { Facts, GatewayKind, KubeObject, Namespace, Reason } from '../core/types.ts'

/** Why the object cannot be written or deleted, or warnings; empty: nothing to say. */
export function judgeClusterObject(
  operation: string,
  before: KubeObject | undefined,
  after: KubeObject | undefined,
  facts: Facts,
  gateways: readonly GatewayKind[],
): Reason[] {
  const kind = after?.kind ?? before?.kind
  if (kind === 'AuthTeam') return operation === 'DELETE' ? deletedTeam(before, facts) : writtenTeam(after, facts)
  if (after === undefined) return []
  if (kind === 'AuthExemption') return invalid(parseAuthExemption(after))
  return kind === 'Namespace' ? changedDemand(before, after, facts, gateways) : []
}

function writtenTeam(after: KubeObject | undefined, facts: Facts): Reason[] {
  const parsed = parseAuthTeam(after)
  return 'value' in parsed ? teamConflicts(parsed.value, facts) : invalid(parsed)
}

function deletedTeam(before: KubeObject | undefined, facts: Facts): Reason[] {
  const inUse = teamInUse(string(before?.metadata.name) ?? '', facts)
  return inUse === undefined ? [] : [inUse]
}

function invalid(parsed: { readonly value: unknown } | { readonly problems: readonly Problem[] }): Reason[] {
  if ('value' in parsed) return []
  return parsed.problems.map(({ path, message }) => reason('object-invalid', { problem: message }, path))
}

/** Counts routes that are there and would be refused at their next change. Says so also for a dry run. */
function changedDemand(
  before: KubeObject | undefined,
  after: KubeObject,
  facts: Facts,
  gateways: readonly GatewayKind[],
): Reason[] {
  const namespace = readNamespace(after)
  const demand = demandOf(namespace)
  if (demand !== 'enforce' || (before !== undefined && !demandChanged(readNamespace(before), namespace))) return []
  // With a default of the namespace they get the label at their next change instead.
  if (!saysOpen(namespace.labels[PROTECT])) return []
  const affected: string[] = []
  for (const route of facts.routes.inNamespace(namespace.name)) {
    if (!saysOpen(route.labels[PROTECT])) continue
    if (missingProtection(route, demand, undefined, facts, gateways) === undefined) continue
    affected.push(`${route.ref.kind} ${route.ref.name}`)
  }
  if (affected.length === 0) return []
  const routes = affected.sort().slice(0, 5).join(', ')
  return [reason('require-affects', { namespace: namespace.name, count: String(affected.length), routes })]
}

function demandChanged(before: Namespace, after: Namespace): boolean {
  return before.labels[REQUIRE] !== after.labels[REQUIRE] || before.labels[PROTECT] !== after.labels[PROTECT]
}

function readNamespace({ metadata }: KubeObject): Namespace {
  return { name: string(metadata.name) ?? '', labels: strings(metadata.labels) }
}
