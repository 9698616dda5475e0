// Undoes object by object: routes as long as they have something of ours, then companions, guards and nets at the end.
import {
  COMPANION_KINDS,
  hasRecord,
  isCompanionObject,
  isOfNamespace,
  rankOf,
  reliesOn,
  undoOf,
} from '../../controller/undo.ts'
import { string } from '../../core/json.ts'
import type { KubeObject, Operation } from '../../core/types.ts'
import type { FactStore } from '../../facts/store.ts'
import { gateways } from '../../gateways/index.ts'
import type { Connection } from '../../kube/connection.ts'
import { listPath, refOf } from '../../kube/kinds.ts'
import { listAll } from '../../kube/list.ts'
import type { Writer } from '../../kube/write.ts'
import { type Attempt, until } from './attempts.ts'

export type Ours = { readonly routes: readonly KubeObject[]; readonly companions: readonly KubeObject[] }

export type Undoing = {
  readonly connection: Connection
  readonly writer: Writer
  readonly store: FactStore
  /** A line for each object. */
  readonly tell: (line: string) => void
  readonly namespace: string | undefined
}

export type Done = { readonly routes: number; readonly companions: number; readonly left: readonly string[] }

/** At once; the API server has others to serve. */
const AT_ONCE = 8

/** What there is of ours, from new lists; or why that can't be known. */
export async function listOurs(
  connection: Connection,
  namespace: string | undefined,
): Promise<Ours | { readonly problems: readonly string[] }> {
  const routes: KubeObject[] = []
  const companions: KubeObject[] = []
  const problems: string[] = []
  const receive = (each: KubeObject) => {
    if (isCompanionObject(each)) {
      if (namespace === undefined || isOfNamespace(each, namespace)) companions.push(each)
    } else if (hasRecord(each) && (namespace === undefined || each.metadata.namespace === namespace)) routes.push(each)
  }
  for (const kind of COMPANION_KINDS) {
    const listed = await listAll(connection, listPath(kind), receive)
    if (listed.outcome === 'failed') problems.push(`cannot list ${kind}: ${listed.message}`)
  }
  return problems.length > 0 ? { problems } : { routes, companions }
}

/** Of what is there now. What comes up meanwhile is found by listing again. */
export async function undoAll({ routes, companions }: Ours, undoing: Undoing): Promise<Done> {
  const { tell } = undoing
  const left: KubeObject[] = []
  const lines: string[] = []
  const done = { routes: 0, companions: 0 }
  const report = (document: KubeObject, said: string, problem: string | undefined) => {
    if (problem === undefined) return tell(`${titleOf(document)}: ${said}`)
    lines.push(`${titleOf(document)}: ${problem}`)
    tell(`${titleOf(document)}: left, ${problem}`)
  }
  await inParallel(routes, async route => {
    const { problem, said } = await undoRoute(route, undoing)
    if (problem === undefined) done.routes++
    else left.push(route)
    report(route, said, problem)
  })
  for (const rank of [0, 1, 2]) {
    const next = companions.filter(each => rankOf(each) === rank)
    await inParallel(next, async companion => {
      const user = reliesOn(companion, left)
      const problem =
        user === undefined ? await removeCompanion(companion, undoing.writer) : `${titleOf(user)} may still need it`
      if (problem === undefined) done.companions++
      report(companion, 'removed', problem)
    })
  }
  return { ...done, left: lines }
}

async function undoRoute(route: KubeObject, undoing: Undoing): Promise<{ said: string; problem?: string }> {
  let current: KubeObject | undefined = route
  let said = 'as its owner wrote it'
  const problem = await until(async () => {
    // Read right before it is written: what was read before the pause is old where somebody writes all the time.
    const read: Attempt & { object?: KubeObject } =
      current === undefined ? await readAgain(route, undoing) : { object: current }
    current = undefined
    if (read.object === undefined) return read
    const undo = undoOf(read.object, undoing.store, gateways)
    if (undo === undefined) return {}
    if (undo.unconfigured !== undefined)
      return {
        problem: `the configuration has no ${undo.unconfigured}, which protects it; name the one it ran with by --config`,
      }
    if (undo.untouched.length > 0)
      said = `undone; its record names what no known gateway would have written, which stays: ${undo.untouched.join(', ')}`
    return writeUndone(read.object, undo.patch, undoing)
  })
  return problem === undefined ? { said } : { said, problem }
}

async function readAgain(route: KubeObject, { writer }: Undoing): Promise<Attempt & { object?: KubeObject }> {
  const read = await writer.get(refOf(route))
  if (read.outcome === 'refused') return { problem: read.message }
  if (read.outcome === 'later') return { again: read.message, afterMs: read.afterMs }
  return read.outcome === 'done' ? { object: read.object } : {}
}

async function writeUndone(route: KubeObject, patch: readonly Operation[], { writer }: Undoing): Promise<Attempt> {
  const written = await writer.patch(refOf(route), string(route.metadata.resourceVersion) ?? '', patch)
  switch (written.outcome) {
    case 'done':
      return hasRecord(written.object) ? { again: 'somebody puts the protection back' } : {}
    case 'conflict':
      return { again: 'somebody else changes it again and again' }
    case 'refused':
      return { problem: written.message }
    case 'later':
      return { again: written.message, afterMs: written.afterMs }
    default:
      return {}
  }
}

async function removeCompanion(companion: KubeObject, writer: Writer): Promise<string | undefined> {
  const uid = string(companion.metadata.uid) ?? ''
  return until(async () => {
    const removed = await writer.remove(refOf(companion), uid)
    // The policy that keeps hands off companions is out, and API servers learn of it a moment later.
    if (removed.outcome === 'refused') return { again: removed.message }
    if (removed.outcome === 'later') return { again: removed.message, afterMs: removed.afterMs }
    // Another uid: somebody made it anew, which the next list shows.
    return {}
  })
}

export function titleOf({ kind, metadata }: KubeObject): string {
  return [kind, [metadata.namespace, metadata.name].filter(part => part !== undefined).join('/')].join(' ')
}

async function inParallel<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values()
  const work = async () => {
    for (const item of rest) await run(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}
