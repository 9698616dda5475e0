// What `portcullis status` tells: every route that is labelled or should be, and what is wrong with Gateways and teams.
import { parseAuthTeam } from '../../api/auth-team.ts'
import { type RouteState, routeState } from '../../controller/told/route-state.ts'
import { allConflicts, teamStatus } from '../../controller/told/status.ts'
import { array, object, string, strings } from '../../core/json.ts'
import { INJECTED, PROTECT } from '../../core/keys.ts'
import { notReady } from '../../core/readiness.ts'
import { reason, sentence } from '../../core/reasons.ts'
import { demandOf } from '../../core/require.ts'
import type { GatewayKind, KubeObject, Reason } from '../../core/types.ts'
import type { FactStore } from '../../facts/store.ts'
import { isRoute, type ReadFacts } from '../read-facts.ts'

/** `name`: of a team, or of a Gateway with its namespace. */
export type Trouble = { readonly kind: 'Gateway' | 'AuthTeam'; readonly name: string; readonly message: string }

export type Report = {
  /** By namespace, kind and name. */
  readonly routes: readonly RouteState[]
  readonly troubles: readonly Trouble[]
}

/** Whether the object is needed whole; all other facts are known by then. */
export function isReported(document: KubeObject, store: FactStore): boolean {
  if (document.kind === 'AuthTeam') return true
  if (!isRoute(document)) return false
  const { labels, annotations, namespace } = document.metadata
  const isMarked = strings(labels)[PROTECT] !== undefined || strings(annotations)[INJECTED] !== undefined
  return isMarked || demandOf(store.namespace(String(namespace))) !== undefined
}

/** `now` in ms since the epoch. `namespace`: of these routes only; Gateways and teams are everybody's. */
export function reportOf(
  { store, kept, invalid }: ReadFacts,
  gateways: readonly GatewayKind[],
  now: number,
  namespace?: string,
): Report {
  const all = kept.flatMap(each => routeState(each, store, gateways, now) ?? []).sort(byName)
  const teams = kept.filter(each => each.kind === 'AuthTeam')
  return {
    routes: namespace === undefined ? all : all.filter(({ ref }) => ref.namespace === namespace),
    troubles: [...gatewayTroubles(all, store, now), ...teams.flatMap(each => teamTroubles(each, store, invalid, now))],
  }
}

function byName({ ref: a }: RouteState, { ref: b }: RouteState): number {
  // No name has a space, which comes before everything that one may have.
  const [first, second] = [`${a.namespace} ${a.kind} ${a.name}`, `${b.namespace} ${b.kind} ${b.name}`]
  return first < second ? -1 : Number(first > second)
}

const OF_GATEWAY: ReadonlySet<string> = new Set(['gateway-open', 'gateway-foreign-policy', 'anchor-nowhere'])

/** Those that are handed over and not prepared, and those that a labelled route would need prepared. */
function gatewayTroubles(routes: readonly RouteState[], store: FactStore, now: number): Trouble[] {
  const found = new Map<string, Trouble>()
  const add = (name: string, why: Reason) => {
    const message = sentence(why)
    found.set(`${name} ${message}`, { kind: 'Gateway', name, message })
  }
  for (const controller of store.config.controllers) {
    for (const { namespace, name } of controller.gateway === 'envoy-gateway' ? controller.handedOver : []) {
      const gateway = `${namespace}/${name}`
      const waits = notReady([{ of: 'gateway', namespace, name }], controller.gateway, store, now)?.reason
      if (store.gateway(namespace, name) === undefined) add(gateway, reason('gateway-unknown', { gateway }))
      else if (waits !== undefined) add(gateway, waits)
    }
  }
  for (const why of routes.flatMap(each => each.reasons)) {
    if (OF_GATEWAY.has(why.code)) add(why.params.gateway ?? '', why)
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)))
}

/** As it would be written into the status now, but for what only the controller knows, which is read from there. */
function teamTroubles(stored: KubeObject, store: FactStore, invalid: ReadFacts['invalid'], now: number): Trouble[] {
  const name = String(stored.metadata.name)
  const tell = (message: string): Trouble => ({ kind: 'AuthTeam', name, message })
  const wrong = invalid.get(stored) ?? []
  if (wrong.length > 0) return wrong.map(({ path, message }) => tell(`${path} ${message}`))
  const parsed = parseAuthTeam(stored)
  if (!('value' in parsed)) return []
  const nothing = { services: 'that is the controller’s', refusals: [], problems: [], configurationProblems: [] }
  const { conditions } = teamStatus(store.team(name) ?? parsed.value, store, { stored, now, ...nothing })
  const isReady = conditions.find(({ type }) => type === 'Ready')
  return [
    ...(isReady?.status === 'True' ? [] : [tell(isReady?.message ?? '')]),
    ...allConflicts(parsed.value, store).map(each => tell(sentence(each))),
    ...toldByController(stored).map(tell),
  ]
}

function toldByController(stored: KubeObject): string[] {
  return array(object(stored.status).conditions)
    .map(object)
    .filter(
      ({ type, status, reason: why }) =>
        status === 'False' && (type === 'ProxyAvailable' || (type === 'Ready' && why === 'Refused')),
    )
    .flatMap(({ message }) => string(message) ?? [])
}
