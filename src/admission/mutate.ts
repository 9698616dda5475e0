// The mutating answer: the patch of the plan, or nothing. It never refuses; what cannot be protected is left as it is,
// for the validating call to judge.
import { plan } from '../core/planner.ts'
import { reason } from '../core/reasons.ts'
import type { Facts, GatewayKind, Operation, Reason } from '../core/types.ts'
import type { Request } from './review.ts'
import { touched } from './touched.ts'

export type Mutation = {
  readonly outcome: 'skip' | 'protect' | 'release' | 'deny'
  readonly reasons: readonly Reason[]
  readonly patch: readonly Operation[]
  readonly team?: string
}

export function mutate(request: Request, facts: Facts, gateways: readonly GatewayKind[]): Mutation {
  const { object: after, oldObject: before, operation } = request
  if (after === undefined || request.subResource !== '' || (operation !== 'CREATE' && operation !== 'UPDATE')) {
    return nothing(reason('not-a-route', { kind: request.kind }))
  }
  // The old object decides: a request can write any deletionTimestamp into the new one.
  if (before?.metadata.deletionTimestamp !== undefined) return nothing(reason('terminating'))
  if (operation === 'UPDATE' && before !== undefined && !touched(before, after, facts, gateways))
    return nothing(reason('untouched'))
  const planned = plan(after, facts, gateways, request.namespace)
  switch (planned.outcome) {
    case 'skip':
      return nothing(planned.reason)
    case 'deny':
      return { outcome: 'deny', reasons: planned.reasons, patch: [] }
    case 'release':
      return { outcome: 'release', reasons: [], patch: planned.patch }
    case 'protect':
      return { outcome: 'protect', reasons: planned.warnings, patch: planned.patch, team: planned.target.team.name }
  }
}

function nothing(of: Reason): Mutation {
  return { outcome: 'skip', reasons: [of], patch: [] }
}
