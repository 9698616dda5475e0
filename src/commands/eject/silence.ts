// Makes sure that nothing of ours is asked about routes any more: API servers learn of it one by one, each a moment later.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Probed, probeIngress, readProbe } from '../../controller/probe/probe.ts'
import { inWords } from '../../core/thrown.ts'
import type { KubeObject } from '../../core/types.ts'
import type { FactStore } from '../../facts/store.ts'
import { gateways } from '../../gateways/index.ts'
import type { Connection } from '../../kube/connection.ts'
import { collectionPath, refOf } from '../../kube/kinds.ts'
import { outcomeOf } from '../../kube/outcome.ts'

const BARE_IN_A_ROW = 3
const PROBE_EVERY_MS = 400
const ASKED_FOR_MS = 60_000
const UNCLEAR_FOR_MS = 15_000

/** Neither: it is so. `note`: it could not be tried, but enough time has passed. */
export type Silence = { readonly problem?: string; readonly note?: string }

/** `classes`: names of IngressClasses. */
export async function untilSilent(
  connection: Connection,
  store: FactStore,
  classes: readonly string[],
): Promise<Silence> {
  const name = `portcullis-probe-${Math.random().toString(36).slice(2, 8)}`
  const probe = probeIngress(name, store, classes, gateways)
  const began = performance.now()
  let bare = 0
  let asked = began
  for (;;) {
    const { probed, message } = await tryOut(connection, probe)
    const now = performance.now()
    bare = probed === 'bare' ? bare + 1 : 0
    if (probed === 'asked') asked = now
    if (bare >= BARE_IN_A_ROW) return {}
    if (now - asked > UNCLEAR_FOR_MS)
      return { note: `a trial could not be made (${message}); Portcullis was not asked for ${UNCLEAR_FOR_MS / 1000} s` }
    if (now - began > ASKED_FOR_MS)
      return { problem: `Portcullis is still asked (${message}): find who puts its webhooks back, and run this again` }
    await sleep(PROBE_EVERY_MS)
  }
}

/** Never stored. */
async function tryOut(connection: Connection, probe: KubeObject): Promise<{ probed: Probed; message: string }> {
  const ref = refOf(probe)
  const call = { method: 'POST', path: `${collectionPath(ref)}?dryRun=All`, body: JSON.stringify(probe) } as const
  try {
    const written = outcomeOf(ref, await connection.request({ ...call, timeoutMs: 30_000 }))
    if (written.outcome === 'done') return { probed: readProbe(written), message: 'it came back with the protection' }
    const message = 'message' in written ? written.message : written.outcome
    return { probed: readProbe({ message }), message }
  } catch (error) {
    return { probed: 'unclear', message: inWords(error) }
  }
}
