// Exemptions end at their time: the store never holds one that is over. The clock is here, so that planning needs none.
// It may leap: what was over by a clock that was wrong for a moment is there again when it is right.
import { parseAuthExemption } from '../api/auth-exemption.ts'
import type { Problem } from '../api/problems.ts'
import type { KubeObject } from '../core/types.ts'

export type Sink = {
  put(document: KubeObject): readonly Problem[]
  remove(document: KubeObject): void
}

export type Expiring = Sink & {
  /** Takes out what is over by now, and brings back what is not any more; to be called every few seconds. */
  expire(): void
}

type End = { readonly document: KubeObject; readonly at: number; isOver: boolean }

/** `now` in ms since the epoch. */
export function expiring(store: Sink, now: () => number): Expiring {
  const ends = new Map<string, End>()
  return {
    put(document) {
      if (document.kind !== 'AuthExemption') return store.put(document)
      const name = String(document.metadata.name)
      ends.delete(name)
      const parsed = parseAuthExemption(document)
      const at = 'value' in parsed ? parsed.value.expires : undefined
      if (at === undefined) return store.put(document)
      const isOver = at <= now()
      ends.set(name, { document, at, isOver })
      if (!isOver) return store.put(document)
      store.remove(document)
      return []
    },
    remove(document) {
      if (document.kind === 'AuthExemption') ends.delete(String(document.metadata.name))
      store.remove(document)
    },
    expire() {
      for (const end of ends.values()) {
        const isOver = end.at <= now()
        if (isOver === end.isOver) continue
        end.isOver = isOver
        if (isOver) store.remove(end.document)
        else store.put(end.document)
      }
    },
  }
}
