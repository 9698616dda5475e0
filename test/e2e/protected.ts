// Two applications of two teams on a stage, each with a route of one kind: what tests of the label start from.
import { afterAll, beforeAll } from '@jest/globals'
import type { KubeObject } from '../../src/core/types.ts'
import { until } from '../integration/api.ts'
import { applied, selector, stored, succeeds } from '../integration/objects.ts'
import { type Client, clientOf, type Got } from './stage/client.ts'
import type { RouteKindOnStage } from './stage/route-kinds.ts'
import type { StageTeam } from './stage/running-team.ts'
import type { Stage } from './stage/stage.ts'
import { loginHost } from './stage/team.ts'

export type Place = {
  readonly namespace: string
  readonly application: string
  host(): string
  url(path: string): string
  /** As its owner has it. */
  route(): KubeObject
}

export type TeamOfPlace = {
  /** What the OpenID provider calls it. */
  readonly name: string
  readonly cookieName: string
  /** undefined: every host has its own login. */
  readonly loginHost: string | undefined
  /** Kills its oauth2-proxy, and starts it again once `whileAway` is over. */
  restart(whileAway?: () => Promise<void>): Promise<void>
}

export type Ground = {
  readonly kind: RouteKindOnStage
  readonly stage: () => Stage
  readonly inA: Place
  readonly inB: Place
  /** Of inA, and of inB. */
  readonly teams: () => readonly [TeamOfPlace, TeamOfPlace]
  /** Of both; as they were before any label. */
  readonly before: () => readonly KubeObject[]
  readonly now: () => Promise<readonly KubeObject[]>
  /** Without any cookie. */
  fresh(): Client
  /** With a session at the application of team-a. */
  loggedIn(person: string): Promise<Client>
  label(place: Place, ...labels: readonly string[]): Promise<void>
}

/** Made before the tests of the describe block that this is called in. */
export function prepareGround(kind: RouteKindOnStage, stage: () => Stage): Ground {
  const inA = place(kind, 'team-a', 'monitoring', 'prometheus', stage)
  const inB = place(kind, 'team-b', 'shop', 'cart', stage)
  const teams = () => stage().teams.map(inTests) as unknown as readonly [TeamOfPlace, TeamOfPlace]
  return groundOf({ kind, stage, inA, inB, teams })
}

/** The same on any two places. */
export function groundOf(on: Pick<Ground, 'kind' | 'stage' | 'inA' | 'inB' | 'teams'>): Ground {
  const { stage, inA, inB } = on
  const clients: Client[] = []
  let before: readonly KubeObject[] = []
  const controlPlane = () => stage().cluster.controlPlane
  const routes = () => [inA, inB].map(each => each.route())
  const fresh = () => {
    const client = clientOf(stage())
    clients.push(client)
    return client
  }
  beforeAll(async () => {
    await applied(controlPlane(), ...routes())
    before = await stored(controlPlane(), routes())
    await untilOpen(fresh(), inA.url('/'), inB.url('/'))
  }, 120_000)
  afterAll(() => {
    for (const client of clients) client.close()
  })
  return {
    ...on,
    before: () => before,
    now: () => stored(controlPlane(), routes()),
    fresh,
    async loggedIn(person) {
      const client = fresh()
      await client.login(inA.url('/'), person)
      return client
    },
    async label(which, ...labels) {
      await succeeds(controlPlane(), ['label', '--overwrite', ...selector(which.route()), ...labels])
    },
  }
}

function inTests({ options, cookieName, restart }: StageTeam): TeamOfPlace {
  return { name: options.name, cookieName, loginHost: loginHost(options), restart }
}

function place(
  { slug, route }: RouteKindOnStage,
  team: string,
  namespace: string,
  application: string,
  stage: () => Stage,
): Place {
  const host = () => `${slug}.${team}.${stage().domain}`
  return {
    namespace,
    application,
    host,
    url: path => `https://${host()}${path}`,
    route: () => route({ namespace, name: slug, host: host(), service: application, port: 80 }),
  }
}

/** For good: Envoy answers connections that are older than the label with one refusal before it redirects. */
export async function untilClosed(client: Client, ...urls: readonly string[]): Promise<void> {
  for (const url of urls) await until(`${url} is closed`, async () => (await client.ask(url)).status === 302)
}

export async function untilOpen(client: Client, ...urls: readonly string[]): Promise<void> {
  for (const url of urls) await until(`${url} is open`, async () => (await client.ask(url)).reached !== undefined)
}

/** Values of a header as the application got it. */
export function header({ reached }: Got, name: string): string[] {
  return (reached?.headers ?? []).filter(([each]) => each === name).map(([, value]) => value)
}

/** Status, and what application was reached if any. */
export function outcome({ status, reached }: Got): [number, string | undefined] {
  return [status, reached?.application]
}
