// The keys that there are, and what the scopes behind a key want to be there.
import type { AuthExemption } from '../api/auth-exemption.ts'
import { companions, identity } from '../core/companions.ts'
import { string } from '../core/json.ts'
import type {
  Companion,
  Facts,
  Gateway,
  GatewayKind,
  Namespace,
  RouteIndex,
  Scope,
  StoredRoute,
} from '../core/types.ts'
import type { Key } from './keys.ts'
import type { OwnedObjects } from './owned.ts'
import { isNet } from './steps/team-policies.ts'

/** Facts of which everything can be looked at, not only what somebody names. */
export interface ClusterFacts extends Facts {
  namespaces(): Iterable<Namespace>
  gateways(): Iterable<Gateway>
  exemption(name: string): AuthExemption | undefined
  readonly routes: RouteIndex & { all(): Iterable<StoredRoute> }
}

/**
 * None for a namespace that is not among the facts: without its labels nobody knows what its teams are, and what is not
 * known is no reason to write.
 */
export function scopesOf(key: Key, facts: Facts): Scope[] {
  if (key.of !== 'namespace') return [key]
  const { namespace } = key
  if (facts.namespace(namespace) === undefined) return []
  return facts.teamsIn(namespace).admitted.map(({ name }) => ({ of: 'namespace', team: name, namespace }))
}

/** By identity, in an order in which they can be applied. */
export function wantedBy(key: Key, facts: Facts, gateways: readonly GatewayKind[]): Map<string, Companion> {
  const wanted = new Map<string, Companion>()
  for (const scope of scopesOf(key, facts)) {
    for (const companion of companions(scope, facts, gateways)) {
      const id = identity(companion.object)
      if (!wanted.has(id)) wanted.set(id, companion)
    }
  }
  return wanted
}

/** Companions before the routes that rely on them. */
export function* allKeys(facts: ClusterFacts): Iterable<Key> {
  for (const { namespace, name } of facts.gateways()) yield { of: 'gateway', namespace, name }
  for (const { name } of facts.teams()) yield { of: 'team', team: name }
  yield* namespaceKeys(facts)
  for (const { ref } of facts.routes.all()) yield { of: 'route', route: ref }
}

/** Of namespaces in which a net is left that no team may use, as far as is known. */
export function* leftKeys(facts: ClusterFacts, owned: OwnedObjects): Iterable<Key> {
  const namespaces = new Set([...owned.all()].filter(isNet).map(({ metadata }) => string(metadata.namespace) ?? ''))
  for (const namespace of namespaces) {
    const key: Key = { of: 'namespace', namespace }
    if (scopesOf(key, facts).length === 0) yield key
  }
}

/** Of namespaces that a team may use. */
function* namespaceKeys(facts: ClusterFacts): Iterable<Key> {
  for (const { name } of facts.namespaces()) {
    if (facts.teamsIn(name).admitted.length > 0) yield { of: 'namespace', namespace: name }
  }
}
