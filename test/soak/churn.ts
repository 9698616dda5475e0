// Routes, labels and teams that come, change and go all the while.
import { setTimeout as sleep } from 'node:timers/promises'
import { object } from '../../src/core/json.ts'
import { PROTECT } from '../../src/core/keys.ts'
import type { KubeObject } from '../../src/core/types.ts'
import type { Api, Reply } from '../integration/api.ts'
import { namespace, team } from '../integration/cluster-objects.ts'
import { labelled } from '../integration/faults.ts'
import { isProtected } from '../integration/load.ts'
import type { Gate } from './gate.ts'
import { type Answered, isLate } from './late.ts'

export type Churned = {
  made: number
  changed: number
  removed: number
  teams: number
  /** Answered 429, and tried again. */
  again: number
  /** What was answered otherwise than it should be, or late; what was late was tried again. */
  readonly failed: Answered[]
  /** Taken with the label and without the login. */
  readonly unprotected: string[]
}

const ROUTE_EVERY_MS = 200
const TEAM_EVERY_MS = 5_000
const MOST_ROUTES = 60
const MOST_TEAMS = 4
const TRIES = 10

export async function churnRoutes(api: Api, gate: Gate, told: Churned): Promise<void> {
  const there: KubeObject[] = []
  for (let turn = 0; !gate.isOver(); turn++) {
    await gate.during(() => churnRoute(api, turn, there, told))
    await sleep(ROUTE_EVERY_MS)
  }
}

async function churnRoute(api: Api, turn: number, there: KubeObject[], told: Churned): Promise<void> {
  const route = labelled(`churned-${turn}`)
  await taken(`create ${route.metadata.name}`, told, true, () => api.create(route))
  told.made++
  there.push(route)
  await relabel(api, there[Math.floor(there.length / 2)] as KubeObject, told)
  if (there.length <= MOST_ROUTES) return
  const oldest = there.shift() as KubeObject
  await taken(`delete ${oldest.metadata.name}`, told, false, () => api.remove(oldest))
  told.removed++
}

/** Taken off, and put on again: the login goes and comes back with the answer. */
async function relabel(api: Api, route: KubeObject, told: Churned): Promise<void> {
  const set = (label: string | null) => () => api.patch(route, { metadata: { labels: { [PROTECT]: label } } })
  const bare = await taken(`unlabel ${route.metadata.name}`, told, false, set(null))
  if (bare?.status === 200 && isProtected(object(bare.body.metadata)))
    told.failed.push({ ...NOTHING, name: `unlabel ${route.metadata.name}`, message: 'it is protected still' })
  await taken(`label ${route.metadata.name}`, told, true, set('true'))
  told.changed += 2
}

export async function churnTeams(api: Api, gate: Gate, told: Churned): Promise<void> {
  for (let turn = 0; !gate.isOver(); turn++) {
    await gate.during(() => churnTeam(api, turn, told))
    await sleep(TEAM_EVERY_MS)
  }
}

async function churnTeam(api: Api, turn: number, told: Churned): Promise<void> {
  const name = `churned-team-${turn}`
  if (turn < MOST_TEAMS) await taken(`namespace ${name}`, told, false, () => api.create(namespace(name)))
  const of = `churned-team-${turn % MOST_TEAMS}`
  const old = team(`churned-team-${turn - MOST_TEAMS}`, of)
  if (turn >= MOST_TEAMS) await taken(`delete ${old.metadata.name}`, told, false, () => api.remove(old))
  await taken(`team ${name}`, told, false, () => api.create(team(name, of, `${name}.example.com`)))
  told.teams++
}

/** As a client library does: what is only too early is tried again. */
async function taken(
  what: string,
  told: Churned,
  isOurs: boolean,
  send: () => Promise<Reply>,
): Promise<Reply | undefined> {
  let wasLate = false
  for (let tries = 0; tries < TRIES; tries++) {
    const began = performance.now()
    const reply = await send().catch((error: Error): Reply => ({ status: 0, message: error.message, body: {} }))
    const { status, message } = reply
    // Done by the one before, which nobody heard of.
    if (wasLate && (status === 404 || status === 409)) return undefined
    if (status >= 300 || status === 0) {
      const isAgain = status === 429
      if (isAgain) told.again++
      else told.failed.push({ name: what, status, message, began, milliseconds: performance.now() - began })
      wasLate ||= isLate(reply)
      if (!isAgain && !isLate(reply)) return reply
      await sleep(1_000)
      continue
    }
    if (isOurs && !isProtected(object(reply.body.metadata))) told.unprotected.push(what)
    return reply
  }
  told.failed.push({ ...NOTHING, name: what, message: `tried ${TRIES} times` })
  return undefined
}

/** Where it is not about one answer. */
const NOTHING = { status: 200, began: 0, milliseconds: 0 }
