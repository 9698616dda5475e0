// Tries, again and again, whether the API server asks us about routes, and tells when it does not.

import { CONFIGURATIONS } from '../../certificates/objects.ts'
import { readTrial, type Trial, trialIngress } from '../../controller/probe/trial.ts'
import { string } from '../../core/json.ts'
import type { KubeObject } from '../../core/types.ts'
import { type Clock, sleep } from '../../kube/clock.ts'
import type { Connection } from '../../kube/connection.ts'
import { collectionPath, refOf } from '../../kube/kinds.ts'
import { noAnswer, outcomeOf } from '../../kube/outcome.ts'
import type { ObjectRef, Writer } from '../../kube/write.ts'
import type { Log } from '../../log.ts'

export type TrialsOptions = {
  readonly connection: Pick<Connection, 'request'>
  readonly writer: Pick<Writer, 'get'>
  readonly namespace: string
  readonly clock: Clock
  /** Ends it. */
  readonly signal: AbortSignal
  readonly log: Log
  /** Of every trial; `absent`: there is no webhook configuration, so the trial says nothing. */
  readonly tried: (result: Trial['result'] | 'absent') => void
  /** Routes are not judged, as several trials in a row say. */
  readonly failed: (configuration: KubeObject, message: string) => void
}

export type Trials = {
  /** Why routes are not judged; undefined: they are, as far as anybody knows. */
  problem(): string | undefined
  /** Resolves when nothing is under way. */
  readonly ended: Promise<void>
}

const EVERY_MS = 30_000
const AGAIN_MS = 5_000
const TIMEOUT_MS = 15_000
/** One may meet a replica that just ends. */
const IN_A_ROW = 2

export function keepTrying(options: TrialsOptions): Trials {
  const { clock, signal } = options
  const state: State = { unjudged: 0 }
  const run = async () => {
    await sleep(clock, AGAIN_MS, signal)
    while (!signal.aborted) {
      await tryOnce(options, state)
      await sleep(clock, state.unjudged > 0 && state.problem === undefined ? AGAIN_MS : EVERY_MS, signal)
    }
  }
  return { problem: () => state.problem, ended: run() }
}

type State = { unjudged: number; problem?: string | undefined; unknown?: string | undefined }

async function tryOnce(options: TrialsOptions, state: State): Promise<void> {
  const { writer, log, tried, failed } = options
  const ref = CONFIGURATIONS.find(({ kind }) => kind === 'ValidatingWebhookConfiguration') as ObjectRef
  const trial = await send(options)
  // Whoever judges is there.
  const configuration = trial.result === 'judged' ? undefined : await writer.get(ref)
  if (configuration?.outcome === 'gone') {
    tried('absent')
    Object.assign(state, { unjudged: 0, problem: undefined })
    return
  }
  tried(trial.result)
  if (trial.result === 'unknown') {
    if (state.unknown !== trial.message) log.warn({ message: trial.message }, 'a trial says nothing about us')
    state.unknown = trial.message
    return
  }
  state.unknown = undefined
  if (trial.result === 'judged') {
    if (state.problem !== undefined) log.info({}, 'routes are judged again')
    Object.assign(state, { unjudged: 0, problem: undefined })
    return
  }
  if (++state.unjudged < IN_A_ROW) return
  if (state.problem === undefined) log.error({ message: trial.message }, 'routes are not judged')
  // The first words stay: addresses in later ones differ, and would be written into every status.
  state.problem ??= trial.message
  failed(
    configuration?.outcome === 'done' ? configuration.object : { ...ref, metadata: { name: ref.name } },
    state.problem,
  )
}

async function send({ connection, namespace, signal }: TrialsOptions): Promise<Trial> {
  const trial = trialIngress(namespace)
  const ref = refOf(trial)
  const path = `${collectionPath(ref)}?dryRun=All`
  const call = { method: 'POST', path, body: JSON.stringify(trial), timeoutMs: TIMEOUT_MS, signal } as const
  return readTrial(await connection.request(call).then(reply => outcomeOf(ref, reply), noAnswer))
}

/** For an Event about it. */
export function aboutConfiguration({ apiVersion, kind, metadata }: KubeObject) {
  const uid = string(metadata.uid)
  return { apiVersion, kind, name: String(metadata.name), ...(uid === undefined ? {} : { uid }) }
}
