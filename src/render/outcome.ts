// What becomes of one document of the input: its text as it would be stored, what is said about it, what it relies on.
import { object } from '../core/json.ts'
import { PROTECT } from '../core/keys.ts'
import { plan } from '../core/planner.ts'
import { reason } from '../core/reasons.ts'
import { readRoute, routeKind } from '../core/route.ts'
import { saysOpen } from '../core/team.ts'
import type { Facts, GatewayKind, KubeObject, Reason, Scope } from '../core/types.ts'
import { edit } from './edit.ts'
import type { Source } from './source.ts'

export type Outcome = {
  readonly text: string
  readonly refused: readonly Reason[]
  readonly warnings: readonly Reason[]
  readonly scopes: readonly Scope[]
}

export function outcomeOf({ doc, text }: Source, facts: Facts, gateways: readonly GatewayKind[]): Outcome {
  const unchanged: Outcome = { text, refused: [], warnings: [], scopes: [] }
  const route = readRoute(doc.object)
  if (route === undefined) return { ...unchanged, refused: otherKind(doc.object) }
  const planned = plan(doc.object, facts, gateways)
  // What stays open on a strict listener has a companion too, that lets it through.
  const open: Scope[] = route.ref.kind === 'HTTPRoute' ? [{ of: 'route', route: route.ref }] : []
  switch (planned.outcome) {
    case 'skip':
      return { ...unchanged, scopes: open }
    case 'deny':
      return { ...unchanged, refused: planned.reasons }
    case 'release':
      return { ...unchanged, text: edit(text, planned.patch), scopes: open }
    case 'protect':
      return { ...unchanged, text: edit(text, planned.patch), warnings: planned.warnings, scopes: planned.scopes }
  }
}

export function isRoute(document: KubeObject): boolean {
  return routeKind(document) !== undefined
}

/** On other kinds of routes the label does nothing; on what is no route at all it may be there with all other labels. */
function otherKind(document: KubeObject): Reason[] {
  const value = object(document.metadata?.labels)[PROTECT]
  if (typeof value !== 'string' || saysOpen(value) || !OTHER_ROUTES.test(document.kind)) return []
  return [reason('route-kind', { kind: document.kind }, `metadata.labels[${PROTECT}]`)]
}

const OTHER_ROUTES = /^Ingress$|Route(TCP|UDP)?$|^(HTTPProxy|VirtualService)$/
