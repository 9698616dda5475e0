// Which keys a change concerns. Rather too many than too few: a key with nothing to do costs little. What changes all the
// time and decides nothing, such as the status of an object, concerns nobody.
import { isDeepStrictEqual } from 'node:util'
import type { AuthTeam } from '../../api/auth-team.ts'
import { object, string } from '../../core/json.ts'
import { routeKind } from '../../core/route.ts'
import { selects } from '../../core/selector.ts'
import type { KubeObject, Namespace, ObjectName, Policy, RouteRef, StoredRoute } from '../../core/types.ts'
import type { Key } from '../keys.ts'
import type { ClusterFacts } from '../scopes.ts'

export type Change = {
  readonly what: 'put' | 'remove'
  readonly document: KubeObject
  /** What the facts had of it; undefined: nothing, or nothing that matters. */
  readonly before: unknown
  /** The object as it was stored, if it was one of ours. */
  readonly owned?: KubeObject
}

/** A change that is about to be put into the facts. */
export function changeOf(what: Change['what'], document: KubeObject, facts: ClusterFacts): Change {
  return { what, document, before: known(document, facts) }
}

/** `everything`: all of the cluster is to be looked at again. */
export function affected({ document, before }: Change, facts: ClusterFacts): Iterable<Key> | 'everything' {
  const after = known(document, facts)
  // The facts have no Services to be compared.
  if (document.kind !== 'Service' && isDeepStrictEqual(before, after)) return []
  const { kind } = document
  const { namespace, name } = nameOf(document)
  switch (kind) {
    case 'AuthTeam':
      return ofTeam(name, [before, after] as (AuthTeam | undefined)[], facts)
    case 'Namespace':
      return ofNamespace(name, facts)
    case 'Gateway':
      return [{ of: 'gateway', namespace, name }, ...routeKeys(facts.routes.ofGateway({ namespace, name }))]
    case 'IngressClass':
    case 'GatewayClass':
      return 'everything'
    case 'AuthExemption':
      return [before, after].flatMap(each => (each === undefined ? [] : { of: 'route', route: each as RouteRef }))
    case 'SecurityPolicy':
      return [...routeKeys(facts.routes.inNamespace(namespace)), ...gatewaysIn(namespace, facts)]
    case 'ClientTrafficPolicy':
      return gatewaysIn(namespace, facts)
    case 'Service':
      return teamsOf(namespace, name, facts)
    default:
      return ofRoute([before, after].filter(each => each !== undefined) as StoredRoute[])
  }
}

/** Ours follow from the facts and are none. */
function othersPolicy(kind: Policy['kind'], { namespace, name }: ObjectName, facts: ClusterFacts): Policy | undefined {
  return facts.policies(kind, namespace).find(each => each.name === name && !each.ours)
}

/** What of a document decides anything, as far as the facts have it. */
function known(document: KubeObject, facts: ClusterFacts): unknown {
  const { namespace, name } = nameOf(document)
  switch (document.kind) {
    case 'AuthTeam':
      return facts.team(name)
    case 'Namespace':
      return facts.namespace(name)
    case 'Gateway':
      return facts.gateway(namespace, name)
    case 'GatewayClass':
      return facts.gatewayClass(name)
    case 'IngressClass':
      return facts.ingressClass(name)
    case 'AuthExemption':
      return facts.exemption(name)?.route
    case 'SecurityPolicy':
    case 'ClientTrafficPolicy':
      return othersPolicy(document.kind, { namespace, name }, facts)?.object.spec
    default: {
      const kind = routeKind(document)
      return kind === undefined ? undefined : facts.routes.get({ kind, namespace, name })
    }
  }
}

/** Wherever it was or is admitted. */
function* ofTeam(name: string, states: readonly (AuthTeam | undefined)[], facts: ClusterFacts): Iterable<Key> {
  yield { of: 'team', team: name }
  for (const namespace of facts.namespaces()) {
    if (!states.some(team => team !== undefined && admits(team, namespace))) continue
    yield { of: 'namespace', namespace: namespace.name }
    yield* routeKeys(facts.routes.inNamespace(namespace.name))
  }
}

/** Listeners may choose by its labels which routes they take. */
function* ofNamespace(namespace: string, facts: ClusterFacts): Iterable<Key> {
  yield { of: 'namespace', namespace }
  yield* routeKeys(facts.routes.inNamespace(namespace))
  for (const gateway of facts.gateways()) {
    const chooses = gateway.listeners.some(({ routesFrom }) => routesFrom === 'Selector')
    if (chooses) yield { of: 'gateway', namespace: gateway.namespace, name: gateway.name }
  }
}

function admits({ namespaces: { names, selector } }: AuthTeam, { name, labels }: Namespace): boolean {
  return names.includes(name) || (selector !== undefined && selects(selector, labels))
}

function* gatewaysIn(namespace: string, facts: ClusterFacts): Iterable<Key> {
  for (const gateway of facts.gateways()) {
    if (gateway.namespace !== namespace) continue
    yield { of: 'gateway', namespace, name: gateway.name }
    yield* routeKeys(facts.routes.ofGateway(gateway))
  }
}

function* teamsOf(namespace: string, service: string, facts: ClusterFacts): Iterable<Key> {
  for (const { name, proxy } of facts.teams()) {
    if (proxy.service.namespace === namespace && proxy.service.name === service) yield { of: 'team', team: name }
  }
}

/** Its namespace's guards may stand for the sake of it alone, and the status of its team counts it. */
function* ofRoute(states: readonly StoredRoute[]): Iterable<Key> {
  for (const { ref, recordedTeam } of states) {
    if (ref.kind === 'HTTPRoute') yield { of: 'namespace', namespace: ref.namespace }
    if (recordedTeam !== undefined) yield { of: 'team', team: recordedTeam }
  }
}

function* routeKeys(routes: Iterable<StoredRoute>): Iterable<Key> {
  for (const { ref } of routes) yield { of: 'route', route: ref }
}

function nameOf({ metadata }: KubeObject): ObjectName {
  const { namespace, name } = object(metadata)
  return { namespace: string(namespace) ?? 'default', name: string(name) ?? '' }
}
