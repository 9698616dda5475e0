// The status of an AuthTeam: what was found of it, in conditions and counts. And the patch that writes it, if any.
import { isDeepStrictEqual } from 'node:util'
import type { AuthTeam } from '../../api/auth-team.ts'
import type { AuthTeamStatus } from '../../api/status.ts'
import { scopeKey } from '../../core/companions.ts'
import { array, number, object, string } from '../../core/json.ts'
import { PROTECT } from '../../core/keys.ts'
import { reason, sentence } from '../../core/reasons.ts'
import { saysOpen } from '../../core/team.ts'
import { teamConflicts } from '../../core/team-conflicts.ts'
import type { Facts, KubeObject, Namespace, Operation, Reason, Scope } from '../../core/types.ts'

/** Ports by `namespace/name` of the Service. */
export type Services = ReadonlyMap<string, ReadonlySet<number>>

export type Situation = {
  /** The AuthTeam as it is stored, for its generation and the status that it has. */
  readonly stored: KubeObject
  /** In words, why nobody knows them. */
  readonly services: Services | string
  /** Companions of the team that the API server did not take. `object`: such as `SecurityPolicy shop/a`. */
  readonly refusals: readonly {
    readonly object: string
    readonly message: string
    /** Not refused: somebody else's object has its name. */
    readonly isTaken?: boolean
  }[]
  /** What is wrong with the stored spec; then `team` is an older state of it. */
  readonly problems: readonly { readonly path: string; readonly message: string }[]
  /** What is wrong with the configuration file; the last good one is in use. */
  readonly configurationProblems: readonly string[]
  /** Why routes are not judged at present. */
  readonly unjudged?: string | undefined
  /** ms since the epoch. */
  readonly now: number
}

export type TeamFacts = Facts & { namespaces(): Iterable<Namespace> }

type Condition = AuthTeamStatus['conditions'][number]
type Found = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>

/** Conditions that somebody else keeps there stay. */
export function teamStatus(team: AuthTeam, facts: TeamFacts, situation: Situation): AuthTeamStatus {
  const { stored, now } = situation
  const before = array(object(stored.status).conditions).map(object)
  const generation = number(stored.metadata.generation)
  const found = [
    ready(team, facts, situation),
    proxyAvailable(team, situation.services),
    conflicting(allConflicts(team, facts)),
  ]
  const conditions = found.map((each): Condition => {
    const old = before.find(({ type }) => type === each.type)
    const since = old?.status === each.status ? string(old.lastTransitionTime) : undefined
    const lastTransitionTime = since ?? new Date(now).toISOString().replace(/\.\d+Z$/, 'Z')
    return { ...each, lastTransitionTime, ...(generation === undefined ? {} : { observedGeneration: generation }) }
  })
  const others = before.filter(({ type }) => found.every(each => each.type !== type)) as Condition[]
  return { conditions: [...conditions, ...others], routes: countRoutes(team, facts) }
}

/** Nothing where the status is there already: times alone are no difference. */
export function statusPatch(stored: KubeObject, status: AuthTeamStatus): Operation[] {
  if (isDeepStrictEqual(plain(stored.status), plain(status))) return []
  return [{ op: stored.status === undefined ? 'add' : 'replace', path: '/status', value: status }]
}

/** Of one Service, for `Services`. */
export function portsOf(service: KubeObject): ReadonlySet<number> {
  return new Set(array(object(service.spec).ports).flatMap(each => number(object(each).port) ?? []))
}

/** Hosts and cookies that another team has too, and namespaces in which another is the default too. */
export function allConflicts(team: AuthTeam, facts: TeamFacts): Reason[] {
  const conflicts = teamConflicts(team, facts)
  for (const { name } of facts.namespaces()) {
    const { defaults } = facts.teamsIn(name)
    if (defaults.length < 2 || !defaults.some(each => each.name === team.name)) continue
    conflicts.push(reason('team-defaults', { teams: defaults.map(each => each.name).join(', '), namespace: name }))
  }
  return conflicts
}

/** The first thing in the way of protecting routes: what is the team's own before what is the same for all. */
function ready(team: AuthTeam, facts: TeamFacts, situation: Situation): Found {
  const no = (why: string, message: string): Found => ({ type: 'Ready', status: 'False', reason: why, message })
  const [problem] = situation.problems
  if (problem !== undefined)
    return no('SpecInvalid', `${problem.path} ${problem.message}; until it is corrected the last good spec is in use`)
  const [refusal] = situation.refusals
  if (refusal?.isTaken)
    return no(
      'NameTaken',
      `${refusal.object} is not Portcullis’ own, and has a name that it needs: rename or remove it`,
    )
  if (refusal !== undefined) return no('Refused', `the API server refused ${refusal.object}: ${refusal.message}`)
  const scope = missingScope(team, facts)
  if (scope !== undefined) return no('GuardsMissing', sentence(reason('guards-missing', { scope: scopeKey(scope) })))
  const { unjudged } = situation
  if (unjudged !== undefined) return no('NotAsked', `routes are not judged: ${unjudged}`)
  const [broken] = situation.configurationProblems
  if (broken !== undefined)
    return no('ConfigurationBroken', `the configuration is broken, and the last good one stays in use: ${broken}`)
  return { type: 'Ready', status: 'True', reason: 'InForce', message: 'what guards its routes is in force' }
}

function missingScope(team: AuthTeam, facts: TeamFacts): Scope | undefined {
  const central: Scope = { of: 'team', team: team.name }
  if (facts.readySince(central) === undefined) return central
  for (const { name } of facts.namespaces()) {
    if (!facts.teamsIn(name).admitted.includes(team)) continue
    const scope: Scope = { of: 'namespace', team: team.name, namespace: name }
    if (facts.readySince(scope) === undefined) return scope
  }
  return undefined
}

function proxyAvailable({ proxy: { service } }: AuthTeam, services: Services | string): Found {
  const name = `${service.namespace}/${service.name}`
  const type = 'ProxyAvailable'
  if (typeof services === 'string')
    return { type, status: 'Unknown', reason: 'NotLooked', message: `Service ${name} was not looked for: ${services}` }
  const ports = services.get(name)
  if (ports === undefined)
    return { type, status: 'False', reason: 'ServiceMissing', message: `there is no Service ${name}` }
  if (!ports.has(service.port)) {
    const others = [...ports].join(', ') || 'none'
    return {
      type,
      status: 'False',
      reason: 'PortMissing',
      message: `Service ${name} has no port ${service.port}, but ${others}`,
    }
  }
  return { type, status: 'True', reason: 'ServiceFound', message: `Service ${name} has port ${service.port}` }
}

const CONFLICTS: Readonly<Record<string, string>> = {
  'team-hosts': 'HostsOverlap',
  'team-cookie': 'CookieShared',
  'team-defaults': 'SeveralDefaults',
}
/** As many as somebody reads in a condition. */
const TOLD = 3

function conflicting(conflicts: readonly Reason[]): Found {
  const type = 'Conflicting'
  const [first] = conflicts
  if (first === undefined)
    return { type, status: 'False', reason: 'NoConflict', message: 'no other team is in the way' }
  const more = conflicts.length > TOLD ? ` (and ${conflicts.length - TOLD} more)` : ''
  const message = conflicts.slice(0, TOLD).map(sentence).join(' | ') + more
  return { type, status: 'True', reason: CONFLICTS[first.code] ?? 'Conflict', message }
}

/** Labelled routes that name the team in their record, where it is admitted. */
function countRoutes(team: AuthTeam, facts: Facts): { ingress: number; httpRoute: number } {
  const count = { ingress: 0, httpRoute: 0 }
  for (const { ref, labels } of facts.routes.ofTeam(team.name)) {
    if (saysOpen(labels[PROTECT]) || !facts.teamsIn(ref.namespace).admitted.includes(team)) continue
    if (ref.kind === 'Ingress') count.ingress++
    else count.httpRoute++
  }
  return count
}

/** Comparable with what the API server gives back: without undefined values and prototypes. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}
