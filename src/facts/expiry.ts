// Exemptions end at their time: the store never holds one that is over. The clock is here, so that planning needs none.
import { parseAuthExemption } from '../api/auth-exemption.ts'
import type { Problem } from '../api/problems.ts'
import type { KubeObject } from '../core/types.ts'

export type Sink = {
  put(document: KubeObject): readonly Problem[]
  remove(document: KubeObject): void
}

export type Expiring = Sink & {
  /** Takes out what is over by now; to be called every few seconds. */
  expire(): void
}

/** `now` in ms since the epoch. */
export function expiring(store: Sink, now: () => number): Expiring {
  const ends = new Map<string, { readonly document: KubeObject; readonly at: number }>()
  return {
    put(document) {
      if (document.kind !== 'AuthExemption') return store.put(document)
      const name = String(document.metadata.name)
      ends.delete(name)
      const parsed = parseAuthExemption(document)
      const at = 'value' in parsed ? parsed.value.expires : undefined
      if (at === undefined) return store.put(document)
      if (at <= now()) {
        store.remove(document)
        return []
      }
      ends.set(name, { document, at })
      return store.put(document)
    },
    remove(document) {
      if (document.kind === 'AuthExemption') ends.delete(String(document.metadata.name))
      store.remove(document)
    },
    expire() {
      for (const [name, { document, at }] of ends) {
        if (at > now()) continue
        ends.delete(name)
        store.remove(document)
      }
    },
  }
}
