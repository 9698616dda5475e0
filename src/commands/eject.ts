// `portcullis eject`: takes every injection and every companion out again, in an order in which nothing is put back.
import { createInterface } from 'node:readline/promises'
import { isPublicAfter } from '../controller/undo.ts'
import { readRoute } from '../core/route.ts'
import type { KubeObject } from '../core/types.ts'
import type { FactStore } from '../facts/store.ts'
import { createWriter } from '../kube/writer.ts'
import { admissionObjects, takeOut } from './eject/admission.ts'
import { controllerRuns, stopController } from './eject/controller.ts'
import { untilSilent } from './eject/silence.ts'
import { listOurs, type Ours, titleOf, type Undoing, undoAll } from './eject/undo.ts'
import { type ClusterOptions, type Installed, reachInstalled } from './installed.ts'
import { type Io, OK, REFUSED, USAGE } from './io.ts'
import { readFacts } from './read-facts.ts'

export type EjectOptions = ClusterOptions & {
  /** Of this one alone. */
  readonly namespace?: string
  readonly dryRun?: boolean
  /** Nobody is asked. */
  readonly yes?: boolean
}

export type Asking = {
  /** undefined: there is no terminal. */
  readonly ask: ((question: string) => Promise<string>) | undefined
}

export async function eject(options: EjectOptions, io: Io, asking: Asking = ofProcess()): Promise<number> {
  if (options.dryRun !== true && options.yes !== true && asking.ask === undefined)
    return say('there is no terminal to ask on; --yes says that it is meant, --dry-run shows what would be done', io)
  const installed = await reachInstalled(options)
  if ('problems' in installed) return say(installed.problems.join('\n'), io)
  try {
    return await ejectFrom(installed, options, io, asking)
  } finally {
    installed.connection.close()
  }
}

type Found = {
  readonly store: FactStore
  readonly classes: readonly string[]
  readonly open: readonly KubeObject[]
  readonly admission: readonly KubeObject[]
  readonly runs: boolean
  readonly ours: Ours
}

async function ejectFrom(installed: Installed, options: EjectOptions, io: Io, { ask }: Asking): Promise<number> {
  const { namespace, dryRun, yes } = options
  if (installed.note !== undefined) io.err(`note: ${installed.note}\n`)
  const found = await find(installed, namespace)
  if ('problems' in found) return say(found.problems.join('\n'), io)
  const isInForce = found.admission.length > 0 || found.runs
  if (namespace !== undefined && isInForce && dryRun !== true)
    return say(
      'webhooks or controller are still there and would put it back at once: take Portcullis out of all namespaces (without --namespace), or take the labels off the routes',
      io,
    )
  io.out(announcement(found, namespace))
  if (dryRun === true) return OK
  if (yes !== true && !/^y(es)?$/i.test((await ask?.('Take it out? [y/N] '))?.trim() ?? '')) {
    io.err('nothing was changed\n')
    return REFUSED
  }
  const problem = await takeOutOfForce(installed, found, io)
  if (problem !== undefined) {
    io.err(`${problem}\nnothing was undone yet\n`)
    return REFUSED
  }
  return undo(installed, found.store, namespace, io)
}

async function find(
  installed: Installed,
  namespace: string | undefined,
): Promise<Found | { readonly problems: readonly string[] }> {
  const { connection } = installed
  const isOpen = (each: KubeObject) =>
    isPublicAfter(each) && (namespace === undefined || each.metadata.namespace === namespace)
  const read = await readFacts(installed, each => each.kind === 'IngressClass' || isOpen(each), namespace)
  if ('problems' in read) return read
  const admission = await admissionObjects(connection)
  if ('problem' in admission) return { problems: [admission.problem] }
  const runs = await controllerRuns(createWriter(connection))
  if (typeof runs !== 'boolean') return { problems: [runs.problem] }
  const ours = await listOurs(connection, namespace)
  if ('problems' in ours) return ours
  return {
    store: read.store,
    classes: read.kept.filter(each => each.kind === 'IngressClass').map(each => String(each.metadata.name)),
    open: read.kept.filter(isOpen),
    admission,
    runs,
    ours,
  }
}

function announcement({ open, admission, runs, ours }: Found, namespace: string | undefined): string {
  const inOrder = (objects: readonly KubeObject[]) => objects.map(titleOf).sort()
  const part = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? '' : `${title}\n${lines.map(line => `  ${line}\n`).join('')}`
  const hosts = (each: KubeObject) =>
    `${titleOf(each)}  ${(readRoute(each)?.hosts ?? []).map(host => host || '(every host)').join(', ')}`
  return [
    part('taken out of admission:', namespace === undefined ? admission.map(titleOf) : []),
    part('stopped:', runs && namespace === undefined ? ['the controller'] : []),
    part('undone:', inOrder(ours.routes)),
    part('removed:', inOrder(ours.companions)),
    part('PUBLIC afterwards:', open.map(hosts).sort()),
    open.length + ours.companions.length === 0 ? 'there is nothing of Portcullis in any route\n' : '',
  ].join('')
}

/** Why nothing may be undone yet. */
async function takeOutOfForce(
  { connection }: Installed,
  { admission, store, classes }: Found,
  io: Io,
): Promise<string | undefined> {
  const writer = createWriter(connection)
  for (const each of admission) {
    const problem = await takeOut(each, writer)
    if (problem !== undefined) return `${titleOf(each)}: left, ${problem}`
    io.out(`${titleOf(each)}: removed\n`)
  }
  const { problem, note } = await untilSilent(connection, store, classes)
  if (problem !== undefined) return problem
  if (note !== undefined) io.err(`note: ${note}\n`)
  const stays = await stopController(writer)
  if (stays === undefined) io.out('controller: stopped\n')
  return stays
}

/** Something may have been made between two lists. */
const MOST_ROUNDS = 3

async function undo(
  { connection }: Installed,
  store: FactStore,
  namespace: string | undefined,
  io: Io,
): Promise<number> {
  const undoing: Undoing = {
    ...{ connection, writer: createWriter(connection), store, namespace },
    tell: line => io.out(`${line}\n`),
  }
  const total = { routes: 0, companions: 0 }
  for (let round = 1; ; round++) {
    const ours = await listOurs(connection, namespace)
    if ('problems' in ours) return say(ours.problems.join('\n'), io, REFUSED)
    const isClean = ours.routes.length + ours.companions.length === 0
    if (isClean) {
      io.out(`${total.routes} routes undone, ${total.companions} companions removed, nothing is left\n`)
      return OK
    }
    const { left, ...done } = await undoAll(ours, undoing)
    total.routes += done.routes
    total.companions += done.companions
    if (left.length === 0 && round < MOST_ROUNDS) continue
    const lines =
      left.length > 0 ? left : [...ours.routes, ...ours.companions].map(each => `${titleOf(each)}: made again`)
    io.out(`${total.routes} routes undone, ${total.companions} companions removed, ${lines.length} left\n`)
    return say(lines.join('\n'), io, REFUSED)
  }
}

function say(problem: string, io: Io, code = USAGE): number {
  io.err(`${problem}\n`)
  return code
}

function ofProcess(): Asking {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) return { ask: undefined }
  return {
    async ask(question) {
      const lines = createInterface({ input: process.stdin, output: process.stderr })
      const answer = await lines.question(question)
      lines.close()
      return answer
    },
  }
}
