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

/** absent: there is no webhook configuration, so nobody of ours is asked. */
export type Tried = Trial | { readonly result: 'absent'; readonly message: string }

export type TrialsOptions = {
  readonly connection: Pick<Connection, 'request'>
  readonly writer: Pick<Writer, 'get'>
  readonly namespace: string
  readonly clock: Clock
  /** Ends it. */
  readonly signal: AbortSignal
  readonly log: Log
  /** Of every trial. */
  readonly tried: (result: Tried['result']) => void
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
const CONFIGURATION = CONFIGURATIONS.find(({ kind }) => kind === 'ValidatingWebhookConfiguration') as ObjectRef
const ABSENT = {
  result: 'absent',
  message: `there is no ${CONFIGURATION.kind} ${CONFIGURATION.name}: kubectl apply -k manifests brings it back`,
} as const

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
  const { writer, tried } = options
  const sent = await send(options)
  // Whoever judges is there.
  const configuration = sent.result === 'judged' ? undefined : await writer.get(CONFIGURATION)
  // A tool that prunes may have taken it out: without it nobody is asked, whatever else came back.
  const trial: Tried = configuration?.outcome === 'gone' ? ABSENT : sent
  tried(trial.result)
  if (trial.result === 'unknown') return noteUnknown(trial.message, options, state)
  state.unknown = undefined
  if (trial.result === 'judged') return noteJudged(options, state)
  const stored = configuration?.outcome === 'done' ? configuration.object : undefined
  noteUnjudged(trial, stored ?? { ...CONFIGURATION, metadata: { name: CONFIGURATION.name } }, options, state)
}

function noteUnknown(message: string, { log }: TrialsOptions, state: State): void {
  if (state.unknown !== message) log.warn({ message }, 'a trial says nothing about us')
  state.unknown = message
}

function noteJudged({ log }: TrialsOptions, state: State): void {
  if (state.problem !== undefined) log.info({}, 'routes are judged again')
  Object.assign(state, { unjudged: 0, problem: undefined })
}

function noteUnjudged(
  { result, message }: Tried & { readonly message: string },
  about: KubeObject,
  { log, failed }: TrialsOptions,
  state: State,
): void {
  if (++state.unjudged < IN_A_ROW) return
  const problem = result === 'absent' ? message : `a route that has to be refused was tried, and ${message}`
  if (state.problem === undefined) log.error({ problem }, 'routes are not judged')
  // The first words stay: addresses in later ones differ, and would be written into every status.
  state.problem ??= problem
  failed(about, state.problem)
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
