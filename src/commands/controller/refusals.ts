// Companions that could not be made, by team, until they are: for the status of the team.
import type { About } from '../../controller/context.ts'
import type { Situation } from '../../controller/told/status.ts'
import { identity } from '../../core/companions.ts'
import type { KubeObject } from '../../core/types.ts'
import type { Written } from '../../kube/write.ts'

export type Refusal = Situation['refusals'][number]

/** What is not wanted any more is not tried again; what is, every minute. */
const FORGOTTEN_MS = 3 * 60_000

export class Refusals {
  readonly #now: () => number
  readonly #all = new Map<
    string,
    { readonly teams: readonly string[]; readonly refusal: Refusal; readonly at: number }
  >()

  constructor(now: () => number) {
    this.#now = now
  }

  /** `teams`: for which it is. Gives those whose status is another now. */
  note(object: KubeObject, written: Written, teams: readonly string[]): readonly string[] {
    if (written.outcome !== 'refused') return this.#all.delete(identity(object)) ? teams : []
    return this.#set(object, teams, { object: inWords(object), message: written.message })
  }

  /** Somebody else's object has the name. */
  noteTaken({ apiVersion, kind, namespace, name }: About, teams: readonly string[]): readonly string[] {
    const object = { apiVersion, kind, metadata: { namespace, name } }
    return this.#set(object, teams, { object: inWords(object), isTaken: true, message: '' })
  }

  readonly of = (team: string): Refusal[] => {
    const since = this.#now() - FORGOTTEN_MS
    for (const [id, { at }] of this.#all) if (at < since) this.#all.delete(id)
    return [...this.#all.values()].filter(each => each.teams.includes(team)).map(({ refusal }) => refusal)
  }

  #set(object: KubeObject, teams: readonly string[], refusal: Refusal): readonly string[] {
    const before = this.#all.get(identity(object))?.refusal
    this.#all.set(identity(object), { teams, refusal, at: this.#now() })
    return before?.message === refusal.message && before.isTaken === refusal.isTaken ? [] : teams
  }
}

function inWords({ kind, metadata: { namespace, name } }: KubeObject): string {
  return `${kind} ${String(namespace)}/${String(name)}`
}
