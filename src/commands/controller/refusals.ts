// Companions that the API server did not take, by team, until it does: for the status of the team.
import { teamOfOwned } from '../../controller/owned.ts'
import { identity } from '../../core/companions.ts'
import type { KubeObject } from '../../core/types.ts'
import type { Written } from '../../kube/write.ts'

export type Refusal = { readonly object: string; readonly message: string }

export class Refusals {
  readonly #all = new Map<string, Refusal & { readonly team: string }>()

  note(object: KubeObject, written: Written): void {
    const team = teamOfOwned(object)
    if (team === undefined) return
    if (written.outcome !== 'refused') {
      this.#all.delete(identity(object))
      return
    }
    const { namespace, name } = object.metadata
    this.#all.set(identity(object), { team, object: `${object.kind} ${namespace}/${name}`, message: written.message })
  }

  readonly of = (team: string): Refusal[] =>
    [...this.#all.values()].filter(each => each.team === team).map(({ object, message }) => ({ object, message }))
}
