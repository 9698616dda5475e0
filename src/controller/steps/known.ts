// What steps are decided by, at one moment.
import type { GatewayKind } from '../../core/types.ts'
import type { OwnedObjects } from '../owned.ts'
import type { ClusterFacts } from '../scopes.ts'

export type Known = {
  readonly facts: ClusterFacts
  readonly owned: OwnedObjects
  readonly gateways: readonly GatewayKind[]
  /** ms since the epoch. */
  readonly now: number
  /** Kinds that are not installed, or not served yet: of those nobody knows what there is. */
  readonly isAbsent: (kind: string) => boolean
}
