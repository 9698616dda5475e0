// The Lease as it is stored: read, written over what was read, and given back.
import type { KubeObject } from '../core/types.ts'
import { heldBy, holderOf, type LeaseTimes, released } from './lease-record.ts'
import type { ObjectRef, Writer, Written } from './write.ts'

export type LeaseName = { readonly namespace: string; readonly name: string }

/** `lease` undefined: there is none. */
export type Read = { readonly lease: KubeObject | undefined }

export class LeaseObject {
  readonly ref: ObjectRef
  readonly #writer: Writer
  readonly #identity: string
  readonly #date: () => Date

  constructor(writer: Writer, { namespace, name }: LeaseName, identity: string, date: () => Date) {
    this.#writer = writer
    this.ref = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name }
    this.#identity = identity
    this.#date = date
  }

  async read(): Promise<Read | Written> {
    const written = await this.#writer.get(this.ref)
    if (written.outcome === 'gone') return { lease: undefined }
    return written.outcome === 'done' ? { lease: written.object } : written
  }

  hold({ lease }: Read, times: LeaseTimes): Promise<Written> {
    return this.#write(lease, heldBy(this.#identity, lease, this.#date(), times))
  }

  /** Undefined: it is not ours. */
  async release(): Promise<Written | undefined> {
    const read = await this.read()
    if ('outcome' in read) return read
    if (read.lease === undefined || holderOf(read.lease) !== this.#identity) return undefined
    return this.#write(read.lease, released(read.lease, this.#date()))
  }

  /** Of several who write over the same, one succeeds. */
  #write(lease: KubeObject | undefined, spec: object): Promise<Written> {
    if (lease === undefined) {
      const { apiVersion, kind, ...metadata } = this.ref
      return this.#writer.create({ apiVersion, kind, metadata, spec })
    }
    const version = String(lease.metadata.resourceVersion)
    return this.#writer.patch(this.ref, version, [{ op: 'add', path: '/spec', value: spec }])
  }
}
