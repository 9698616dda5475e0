// What the controller's shells work with.
import type { GatewayKind, KubeObject, ObjectName, Reason } from '../core/types.ts'
import type { Clock } from '../kube/clock.ts'
import type { Writer, Written } from '../kube/write.ts'
import type { OwnedObjects } from './owned.ts'
import type { LoopGuard } from './queue/loop-guard.ts'
import type { ClusterFacts } from './scopes.ts'
import type { Known } from './steps/known.ts'

export type About = { readonly apiVersion: string; readonly kind: string; readonly uid?: string } & Partial<ObjectName>

/** What is worth telling, on the object that it is about. */
export type Said =
  | { readonly said: 'Protected' | 'Repaired' | 'Released'; readonly about: About; readonly team?: string }
  | {
      readonly said: 'Frozen' | 'WaitsForGuards' | 'GatewayNotPrepared'
      readonly about: About
      readonly reasons: readonly Reason[]
    }
  /** `team`: for which the name is needed. */
  | { readonly said: 'NotOurs'; readonly about: About; readonly team?: string }
  | { readonly said: 'LoopGuard'; readonly about: About }
  | { readonly said: 'Refused' | 'NotAsked'; readonly about: About; readonly message: string }

export type Context = {
  readonly facts: () => ClusterFacts
  readonly owned: () => OwnedObjects
  readonly gateways: readonly GatewayKind[]
  /** Whether a kind is not installed, or not served yet: of those nobody knows what there is. */
  readonly isAbsent: (kind: string) => boolean
  readonly writer: Writer
  readonly loops: LoopGuard
  readonly say: (said: Said) => void
  /** Told of every write, and what came of it. */
  readonly wrote: (how: 'apply' | 'replace' | 'remove' | 'patch', object: KubeObject, written: Written) => void
  /** Told of a companion that is not as it was left: somebody else changed or removed it. */
  readonly drifted: (object: KubeObject) => void
  readonly clock: Clock
  /** ms since the epoch. */
  readonly now: () => number
}

/** What is known now. */
export function known({ facts, owned, gateways, now, isAbsent }: Context): Known {
  return { facts: facts(), owned: owned(), gateways, now: now(), isAbsent }
}
