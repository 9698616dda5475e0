// Why a team cannot be written beside the others, and what still uses a team that is to go.
import type { AuthTeam } from '../api/auth-team.ts'
import { patternsOverlap, underDomain } from './hosts.ts'
import { reason } from './reasons.ts'
import type { Facts, Reason } from './types.ts'

/** Hosts are one team's alone, and so is a cookie: the team that is there keeps them. */
export function teamConflicts(team: AuthTeam, facts: Facts): Reason[] {
  const conflicts: Reason[] = []
  for (const other of facts.teams()) {
    if (other.name === team.name) continue
    const host = team.hosts.find(pattern => other.hosts.some(its => patternsOverlap(pattern, its)))
    if (host !== undefined) conflicts.push(reason('team-hosts', { host, other: other.name }, 'spec.hosts'))
    const domain = team.proxy.cookieName === other.proxy.cookieName ? sharedDomain(team, other) : undefined
    if (domain !== undefined) {
      conflicts.push(
        reason('team-cookie', { cookie: team.proxy.cookieName, domain, other: other.name }, 'spec.proxy.cookieName'),
      )
    }
  }
  return conflicts
}

function sharedDomain(team: AuthTeam, other: AuthTeam): string | undefined {
  return team.proxy.cookieDomains.find(domain =>
    other.proxy.cookieDomains.some(its => underDomain(domain, its) || underDomain(its, domain)),
  )
}

/** Names as many routes as a sentence holds. */
export function teamInUse(team: string, facts: Facts): Reason | undefined {
  const routes: string[] = []
  for (const route of facts.routes.ofTeam(team))
    routes.push(`${route.ref.kind} ${route.ref.namespace}/${route.ref.name}`)
  if (routes.length === 0) return undefined
  return reason('team-in-use', { team, count: String(routes.length), routes: routes.sort().slice(0, 3).join(', ') })
}
