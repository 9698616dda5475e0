// Keeps the shared Secret, and what API servers trust: looks at both whenever there is a reason to, and does the next thing.
// Whoever else does the same at the same time does no harm.

import { inWords } from '../core/thrown.ts'
import type { KubeObject, Operation } from '../core/types.ts'
import type { Clock } from '../kube/clock.ts'
import type { WatchedObjects } from '../kube/watch-objects.ts'
import type { ObjectRef, Writer, Written } from '../kube/write.ts'
import type { Log } from '../log.ts'
import {
  type Authorities,
  authoritiesIn,
  bundleOf,
  type Found,
  readAuthorities,
  writeAuthorities,
} from './authorities.ts'
import type { Authority } from './authority.ts'
import { bundlePatch, trustedBy } from './ca-bundles.ts'
import { keepLookout } from './lookout.ts'
import { CONFIGURATIONS, secretRef } from './objects.ts'
import { afterStep, makesOne, nextStep, type RotationTimes, type Step } from './rotation.ts'

export type KeeperOptions = {
  readonly writer: Writer
  readonly namespace: string
  /** From then on nobody may write. */
  readonly signal?: AbortSignal
  readonly times: () => RotationTimes
  /** The time of day, in ms since the epoch. */
  readonly now: () => number
  /** Never set back. */
  readonly clock: { now(): number }
  readonly log: Log
  readonly told: Told
}

/** What was done and found, for whoever counts. */
export type Told = {
  changed(step: Step): void
  repaired(kind: string, written: Written): void
  /** After each look. `matches`: every entry has them all. */
  seen(authorities: Authorities, matches: boolean): void
}

/** Watches, and has every change of these objects told. */
export type Watch = (refs: readonly ObjectRef[], changed: () => void) => WatchedObjects

export type KeepOptions = KeeperOptions & {
  readonly watch: Watch
  readonly clock: Clock
  readonly random: () => number
}

export function keepAuthorities(options: KeepOptions): WatchedObjects {
  const { namespace, watch, clock, random } = options
  const keeper = new Keeper(options)
  const lookout = keepLookout({ look: () => keeper.look(), isDue: () => keeper.isDue(), clock, random })
  const { kinds, stop } = watch([secretRef(namespace), ...CONFIGURATIONS], lookout.nudge)
  return {
    kinds,
    async stop() {
      await Promise.all([lookout.stop(), stop()])
    },
  }
}

/** The Secret changed while it was about to be written: at once again, but not forever. */
const MOST_TURNS = 5

/** One look at a time. */
export class Keeper {
  readonly #options: KeeperOptions
  readonly #ref: ObjectRef
  /** Since when every configuration has had this bundle at every look. */
  #confirmed: { readonly bundle: string; readonly since: number } | undefined
  #trouble: string | undefined
  /** What the Secret held when it was read last. */
  #data: unknown
  /**
   * Published, and not stored yet: while the Secret cannot be written it stays the same. Another at each look would soon
   * push out of the configurations what servers still show.
   */
  #made: Authority | undefined

  constructor(options: KeeperOptions) {
    this.#options = options
    this.#ref = secretRef(options.namespace)
  }

  /** Whether nothing is in the way. Never rejects. */
  async look(): Promise<boolean> {
    const { log, signal } = this.#options
    if (signal?.aborted) return true
    const trouble = await this.#settle().catch(inWords)
    // What the API server does not tell is not confirmed any more.
    if (trouble !== undefined) this.#confirmed = undefined
    if (signal?.aborted) return true
    if (trouble !== undefined && trouble !== this.#trouble) log.error({ trouble }, 'certificates cannot be kept')
    if (trouble === undefined && this.#trouble !== undefined) log.info({}, 'certificates can be kept again')
    this.#trouble = trouble
    return trouble === undefined
  }

  /** By the time of day and what was read last. Where one follows another, what is confirmed is what is seen all the while. */
  isDue(): boolean {
    const { now, times } = this.#options
    const found = readAuthorities(this.#data, now())
    return found.authorities?.next !== undefined || nextStep(found, now(), undefined, times()) !== undefined
  }

  /** What is in the way, in words. */
  async #settle(): Promise<string | undefined> {
    const { now, times } = this.#options
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      const secret = await this.#read(this.#ref)
      if (typeof secret === 'string') return secret
      this.#data = secret?.data
      const read = await Promise.all(CONFIGURATIONS.map(ref => this.#read(ref)))
      const configurations = read.flatMap(each => (typeof each === 'object' ? each : []))
      const silent = read.find(each => typeof each === 'string')
      const found = readAuthorities(secret?.data, now())
      if (found.authorities !== undefined) this.#made = undefined
      const step = nextStep(found, now(), this.#confirmedMs(found, configurations), times())
      // To make one anew without knowing whom clients trust would cut off servers that are good.
      if (silent !== undefined && (step !== undefined || found.authorities === undefined)) return silent
      if (step === undefined && found.authorities !== undefined) {
        return silent ?? this.#publish(found.authorities, configurations)
      }
      const trouble = step === undefined ? undefined : await this.#take(step, found, secret, configurations)
      if (trouble !== undefined) return trouble
    }
    return 'the Secret changes again and again'
  }

  /** Until this moment: a configuration that has changed since the last look takes it back. */
  #confirmedMs({ authorities }: Found, configurations: readonly KubeObject[]): number | undefined {
    const bundle = authorities === undefined ? undefined : bundleOf(authorities)
    if (bundle === undefined || this.#confirmed?.bundle !== bundle) return undefined
    const isRight = configurations.every(each => bundlePatch(each, bundle).length === 0)
    return isRight ? this.#options.clock.now() - this.#confirmed.since : undefined
  }

  async #take(
    step: Step,
    found: Found,
    secret: KubeObject | undefined,
    configurations: readonly KubeObject[],
  ): Promise<string | undefined> {
    const { log, told, writer, now } = this.#options
    const made = makesOne(step) ? (this.#made ?? (await this.#makeOne())) : undefined
    if (step === 'create') this.#made = made
    const after = afterStep(step, found, now(), made, authoritiesIn(trustedBy(configurations)))
    // Replicas sign with it as soon as they see it: it has to be trusted before.
    if (step === 'create') await this.#repair(configurations, bundleOf(after))
    const written = await this.#write(secret, writeAuthorities(after), writer)
    if (written.outcome === 'done') {
      told.changed(step)
      log.info({ step }, 'the shared Secret was changed')
      return undefined
    }
    // Somebody was faster, or it went meanwhile.
    if (['conflict', 'exists', 'gone'].includes(written.outcome)) return undefined
    return `Secret ${this.#ref.name}: ${'message' in written ? written.message : written.outcome}`
  }

  /** It brings an ASN.1 library, which most leaders never need. */
  async #makeOne(): Promise<Authority> {
    const { now, times } = this.#options
    const { createAuthority } = await import('./authority.ts')
    return createAuthority(new Date(now()), times().authorityMs)
  }

  #write(secret: KubeObject | undefined, data: object, writer: Writer): Promise<Written> {
    const { apiVersion, kind, ...metadata } = this.#ref
    if (secret === undefined) return writer.create({ apiVersion, kind, metadata, type: 'Opaque', data })
    // Nobody can change such a one; the next turn makes another.
    if (secret.immutable === true && secret.metadata.deletionTimestamp !== undefined)
      return Promise.resolve({ outcome: 'later', message: 'it cannot be changed, and a finalizer keeps it from going' })
    if (secret.immutable === true) return writer.remove(this.#ref, String(secret.metadata.uid))
    const operations: Operation[] = [{ op: 'add', path: '/data', value: data }]
    return writer.patch(this.#ref, String(secret.metadata.resourceVersion), operations)
  }

  /** What is confirmed is what was read, never what was written. */
  async #publish(authorities: Authorities, configurations: readonly KubeObject[]): Promise<string | undefined> {
    const { clock, told } = this.#options
    const bundle = bundleOf(authorities)
    const isRight = configurations.every(each => bundlePatch(each, bundle).length === 0)
    told.seen(authorities, isRight)
    if (!isRight) this.#confirmed = undefined
    else if (this.#confirmed?.bundle !== bundle) this.#confirmed = { bundle, since: clock.now() }
    return this.#repair(configurations, bundle)
  }

  /** Entries that have others get these. */
  async #repair(configurations: readonly KubeObject[], bundle: string): Promise<string | undefined> {
    const { writer, log, told } = this.#options
    const troubles = configurations.map(async each => {
      const patch = bundlePatch(each, bundle)
      if (patch.length === 0) return undefined
      const written = await writer.patch(refOf(each), String(each.metadata.resourceVersion), patch)
      told.repaired(each.kind, written)
      log.info({ kind: each.kind, entries: patch.length, outcome: written.outcome }, 'caBundle was another: written')
      return 'message' in written ? `${each.kind}: ${written.message}` : undefined
    })
    return (await Promise.all(troubles)).find(each => each !== undefined)
  }

  /** Undefined: it is not there. In words: nobody can say. */
  async #read(ref: ObjectRef): Promise<KubeObject | undefined | string> {
    const written = await this.#options.writer.get(ref)
    if (written.outcome === 'done') return written.object
    if (written.outcome === 'gone') return undefined
    return `${ref.kind} ${ref.name}: ${'message' in written ? written.message : written.outcome}`
  }
}

function refOf({ kind }: KubeObject): ObjectRef {
  return CONFIGURATIONS.find(each => each.kind === kind) as ObjectRef
}
