// One way around a login, as a row: what is written by whom, what is asked, and what comes of it today.
import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeObject } from '../../../src/core/types.ts'
import { until } from '../../integration/api.ts'
import type { Asked, Got } from '../stage/client.ts'
import type { RouteKindOnStage } from '../stage/route-kinds.ts'
import type { Stage } from '../stage/stage.ts'
import type { WayId } from './catalogue.ts'

/**
 * open: somebody without a session was answered by an application. refused: it could not be written. closed: it could,
 * and opened nothing. repaired: it could, and does not stand any more.
 */
export type State = 'open' | 'refused' | 'closed' | 'repaired'

/** The owner of the application, somebody of another namespace, who keeps the gateways and logins, who may do everything. */
export type Who = 'owner' | 'stranger' | 'keeper' | 'administrator'

export type Step = { readonly as: Who } & (
  | { readonly does: 'creates'; readonly object: KubeObject }
  | { readonly does: 'changes'; readonly object: KubeObject; readonly to: object; readonly subresource?: string }
  | { readonly does: 'removes'; readonly object: KubeObject }
  /** To a process, not to an object. */
  | { readonly does: 'acts'; act(): Promise<unknown>; readonly after?: () => Promise<unknown> }
)

/** `who`: the application; undefined: none has answered. */
export type Answered = { readonly who: string | undefined; readonly body: string }

/** Each way has a protected route for itself, one with Portcullis and one without. */
export type Scene = {
  readonly stage: Stage
  readonly portcullis: boolean
  /** Of the route, and the first part of its host. */
  readonly name: string
  readonly namespace: string
  readonly host: string
  readonly domain: string
  /** As its owner wrote it. */
  readonly route: KubeObject
  url(path?: string, host?: string): string
  ask(url: string, asked?: Asked): Promise<Got>
  /** Of the last answer. */
  status(): number | undefined
  /** Past TLS, for gateways that have an entry for it. */
  askPlain(path?: string, headers?: Readonly<Record<string, string>>): Promise<Answered>
  /** A Cookie header with the session of this person. */
  session(person: string): Promise<string>
  /** The same object without a login, under another name. */
  beside(name: string, changes?: object): KubeObject
}

export type Way = {
  readonly of: readonly WayId[]
  /** A sentence: what is done. */
  readonly name: string
  readonly kind: RouteKindOnStage
  readonly namespace?: string
  /** What it does reaches other rows. */
  readonly alone?: boolean
  /** Nothing is written: it is so from the start. */
  readonly standing?: boolean
  /** How the protected route differs from the plain one; undefined: there is none. */
  readonly route?: (plain: KubeObject, at: Scene) => KubeObject | undefined
  /** What its owner has written before any team admitted the namespace. */
  readonly early?: (at: Scene) => KubeObject[]
  readonly steps: (at: Scene) => readonly Step[] | Promise<readonly Step[]>
  /** Who answers; undefined: nobody behind the login. */
  readonly asks?: (at: Scene) => Promise<string | undefined>
  /** Today. Not shown: why. */
  readonly without: 'open' | 'closed' | { readonly notShown: string }
  readonly with: State
  /** What refuses: a reason's code or the name of a policy. */
  readonly by?: string
}

export const creates = (as: Who, object: KubeObject): Step => ({ as, does: 'creates', object })
export const removes = (as: Who, object: KubeObject): Step => ({ as, does: 'removes', object })
export const changes = (as: Who, object: KubeObject, to: object, subresource?: string): Step => {
  return { as, does: 'changes', object, to, ...(subresource === undefined ? {} : { subresource }) }
}
/** Not for others after this: it stays away. */
export const stopsWebhook = ({ stage, portcullis }: Scene): Step => ({
  as: 'administrator',
  does: 'acts',
  act: async () => (portcullis ? stage.cluster.portcullis.webhook.kill() : undefined),
})
/** Envoy Gateway is away for so long, once the route of the scene is open; the steps after this do not wait. */
export function restartsGateway(at: Scene, awayMs: number): Step {
  const { gateway } = at.stage
  let isBack: Promise<void> | undefined
  return {
    as: 'administrator',
    does: 'acts',
    async act() {
      await until('it is open', async () => (await at.ask(at.url())).reached !== undefined)
      await new Promise<void>((away, failed) => {
        const whileAway = () => {
          away()
          return sleep(awayMs)
        }
        isBack = gateway.restart('envoy-gateway', whileAway)
        isBack.catch(failed)
      })
    },
    after: async () => isBack,
  }
}

export const annotates = (as: Who, object: KubeObject, annotations: Readonly<Record<string, string | null>>): Step =>
  changes(as, object, { metadata: { annotations } })
