// The serving certificate of a replica: a leaf of its own, in memory, signed by the authority in the shared Secret.
import { X509Certificate } from 'node:crypto'
import { inWords } from '../core/thrown.ts'
import type { Clock } from '../kube/clock.ts'
import type { WatchedObjects } from '../kube/watch-objects.ts'
import type { Writer } from '../kube/write.ts'
import type { Log } from '../log.ts'
import { type Authorities, readAuthorities } from './authorities.ts'
import { areKnown, readClientCa } from './client-ca.ts'
import type { Watch } from './keep-authorities.ts'
import { issueLeaf, type Leaf } from './leaf.ts'
import { keepLookout } from './lookout.ts'
import { secretRef } from './objects.ts'
import type { RotationTimes } from './rotation.ts'
import { isTrusted, whyAnother } from './shared-leaf.ts'
import type { KeyPair, Source } from './source.ts'
import { outsideOfItsTime } from './validity.ts'

export type SharedOptions = {
  readonly writer: Pick<Writer, 'get'>
  readonly namespace: string
  /** Of this server. */
  readonly names: readonly string[]
  /** File with the authority of client certificates. */
  readonly clientCa?: string | undefined
  readonly watch: Watch
  readonly clock: Clock
  readonly random: () => number
  readonly times: () => RotationTimes
  /** Throws if it cannot use the new one; then the old one stays in use. */
  readonly use: (next: KeyPair) => void
  readonly log: Log
  /** ms since the epoch. */
  readonly now: () => number
}

export async function followShared(options: SharedOptions): Promise<Source & Pick<WatchedObjects, 'kinds'>> {
  const { namespace, watch, clock, random } = options
  const { look, isDue, ...source } = sharedLeaf(options)
  const lookout = keepLookout({ look, isDue, clock, random })
  const watched = watch([secretRef(namespace)], lookout.nudge)
  await lookout.first
  return {
    ...source,
    kinds: watched.kinds,
    stop() {
      void lookout.stop()
      void watched.stop()
    },
  }
}

type LeafOptions = Omit<SharedOptions, 'watch' | 'clock' | 'random'>

export type SharedLeaf = Omit<Source, 'stop'> & {
  /** Whether nothing is in the way. Never rejects. */
  look(): Promise<boolean>
  /** By the time of day, what was read last, and whom to answer. */
  isDue(): Promise<boolean>
}

/**
 * The Secret is read at every look and a leaf is signed by what was read just then, so that none is signed by an authority
 * that others have left behind. Whatever goes wrong, the last good leaf stays in use.
 */
export function sharedLeaf(options: LeafOptions): SharedLeaf {
  const { log, now, times } = options
  const state: State = {}
  return {
    async look() {
      const problem = await change(state, options).catch(inWords)
      if (problem !== undefined && problem !== state.found) log.error({ problem }, 'the certificate cannot be kept')
      state.found = problem
      return problem === undefined
    },
    async isDue() {
      const { leaf, authorities } = state
      if (authorities !== undefined && whyAnother(leaf, authorities, now(), times()) !== undefined) return true
      return (await readClientCa(options.clientCa, undefined)).ca !== state.clientCa
    },
    current: () => state.leaf,
    problem() {
      if (state.leaf === undefined) return state.found ?? 'there is none'
      return outsideOfItsTime(state.leaf, now()) ?? state.mistrusted
    },
  }
}

type State = {
  leaf?: X509Certificate
  pair?: Leaf
  /** As they were read last. */
  authorities?: Authorities
  clientCa?: string | undefined
  found?: string | undefined
  /** Why clients do not trust the one that is in use; another could not be made. */
  mistrusted?: string | undefined
}

/** What is in the way, in words: of the leaf and of its clients, neither of which holds up the other. */
async function change(state: State, options: LeafOptions): Promise<string | undefined> {
  const clients = await readClientCa(options.clientCa, state.clientCa)
  const next = await nextPair(state, options)
  const { pair, because } = typeof next === 'string' ? { pair: state.pair } : next
  const isAnother = because !== undefined || clients.ca !== state.clientCa
  if (pair !== undefined && isAnother && areKnown(clients)) {
    const { ca: clientCa } = clients
    options.use({ ...pair, ...(clientCa === undefined ? {} : { clientCa }) })
    const leaf = new X509Certificate(pair.cert)
    Object.assign(state, { leaf, pair, clientCa, ...(because === undefined ? {} : { mistrusted: undefined }) })
    const { serialNumber: serial, issuer, validToDate } = leaf
    options.log.info({ because, serial, issuer, until: validToDate.toISOString() }, 'certificate in use')
  }
  return typeof next === 'string' ? next : clients.problem
}

type Next = {
  readonly pair: Leaf | undefined
  /** It is new; absent: it is the one in use. */
  readonly because?: string
}

async function nextPair(state: State, options: LeafOptions): Promise<Next | string> {
  const { names, times, now } = options
  const authorities = await read(options)
  if (typeof authorities === 'string') return authorities
  state.authorities = authorities
  const because = whyAnother(state.leaf, authorities, now(), times())
  const isMistrusted = state.leaf !== undefined && !isTrusted(state.leaf, authorities)
  state.mistrusted = isMistrusted ? because : undefined
  if (because === undefined) return { pair: state.pair }
  return { pair: await issueLeaf(authorities.signing, names, new Date(now()), times().leafMs), because }
}

async function read({
  writer,
  namespace,
  now,
}: Pick<SharedOptions, 'writer' | 'namespace' | 'now'>): Promise<Authorities | string> {
  const ref = secretRef(namespace)
  const written = await writer.get(ref)
  const of = `Secret ${namespace}/${ref.name}`
  if (written.outcome !== 'done')
    return `${of} is not there: ${'message' in written ? written.message : 'the controller makes it'}`
  const { authorities } = readAuthorities(written.object.data, now())
  return authorities ?? `${of} holds nothing that can sign: the controller makes it anew`
}
