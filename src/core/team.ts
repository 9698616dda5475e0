// Which team protects a route, and how: only teams that an administrator let into the namespace can be chosen.
import type { AccessLevel, AuthTeam } from '../api/auth-team.ts'
import { ACCESS, CLIENT, PROTECT } from './keys.ts'
import { reason } from './reasons.ts'
import type { Client, Facts, Reason, Route } from './types.ts'

export type Choice = { readonly team: AuthTeam; readonly access: AccessLevel | undefined; readonly client: Client }

/** Whether a label's value asks for protection by the namespace's team. */
export function saysTrue(value: string): boolean {
  return value === 'true' || value === ''
}

/** Whether a value of the label, or its absence, leaves the route open on purpose. */
export function saysOpen(value: string | undefined): boolean {
  return value === undefined || value === 'false'
}

/**
 * `recorded`: the team of the record. Of two defaults a route stays with it; and while it is gone, a route that names no
 * team is not led to the login of another: a missing fact is no reason to change anything.
 */
export function chooseTeam(route: Route, recorded: string | undefined, facts: Facts): Choice | Reason[] {
  const field = `metadata.labels[${PROTECT}]`
  const value = route.labels[PROTECT] ?? ''
  const team = saysTrue(value) ? teamMeant(route.ref.namespace, recorded, facts) : teamByName(value, route, facts)
  const client = readClient(route.labels[CLIENT])
  const problems: Reason[] = []
  if ('code' in team) problems.push({ ...team, field })
  if (typeof client !== 'string') problems.push(client)
  if ('code' in team || typeof client !== 'string') return problems
  const access = readAccess(route.labels[ACCESS], team)
  if (access !== undefined && 'code' in access) return [access]
  return { team, access, client }
}

function teamMeant(namespace: string, recorded: string | undefined, facts: Facts): AuthTeam | Reason {
  if (recorded !== undefined && facts.team(recorded) === undefined) {
    const teams = names(facts.teamsIn(namespace).admitted) || '"false"'
    return reason('team-gone', { team: recorded, teams })
  }
  return teamOfNamespace(namespace, recorded, facts)
}

/** What "true" means in a namespace: the team of its label, else its only default team, else its only team. */
export function teamOfNamespace(namespace: string, recorded: string | undefined, facts: Facts): AuthTeam | Reason {
  const { admitted, defaults } = facts.teamsIn(namespace)
  const label = facts.namespace(namespace)?.labels[PROTECT]
  if (label !== undefined && !saysTrue(label) && label !== 'false') {
    return admitted.find(team => team.name === label) ?? refuseTeam(label, namespace, facts)
  }
  const [oldest, another] = defaults
  if (oldest !== undefined) {
    if (another === undefined || oldest.name === recorded) return oldest
    return reason('team-defaults', { teams: names(defaults), namespace })
  }
  const [only, second] = admitted
  if (only === undefined) return reason('team-none', { namespace })
  return second === undefined ? only : reason('team-ambiguous', { namespace, teams: names(admitted) })
}

function teamByName(value: string, route: Route, facts: Facts): AuthTeam | Reason {
  const { admitted } = facts.teamsIn(route.ref.namespace)
  const team = facts.team(value)
  if (team !== undefined && admitted.includes(team)) return team
  return refuseTeam(value, route.ref.namespace, facts)
}

function refuseTeam(value: string, namespace: string, facts: Facts): Reason {
  const teams = names(facts.teamsIn(namespace).admitted) || '"false"'
  if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(value)) return reason('label-value', { value, teams })
  if (facts.team(value) === undefined) return reason('team-unknown', { team: value, teams })
  return reason('team-elsewhere', { team: value, namespace, teams })
}

function readClient(value: string | undefined): Client | Reason {
  if (value === undefined || value === 'browser') return 'browser'
  return value === 'api' ? value : reason('client-unknown', { value }, `metadata.labels[${CLIENT}]`)
}

function readAccess(value: string | undefined, team: AuthTeam): AccessLevel | Reason | undefined {
  if (value === undefined) return undefined
  const levels = [...team.access.keys()].join(', ') || 'none'
  return (
    team.access.get(value) ??
    reason('access-unknown', { team: team.name, access: value, levels, label: ACCESS }, `metadata.labels[${ACCESS}]`)
  )
}

function names(teams: readonly AuthTeam[]): string {
  return teams.map(team => team.name).join(', ')
}
