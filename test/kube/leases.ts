// An API server for one Lease, on a clock that a test turns: with answers that are late, lost or none at all.
import type { Call, Connection, Reply } from '../../src/kube/connection.ts'
import { type KeptLease, keepLease, type LeaseOptions } from '../../src/kube/lease.ts'
import type { Term } from '../../src/kube/term.ts'
import { listOf, status } from './script.ts'
import type { FakeClock } from './time.ts'

/** `lost`: it is done, and the answer does not come. */
export type Fault = 'none' | 'refused' | 'hangs' | 'lost' | 'overloaded' | 'slow'

type Stored = { metadata: { resourceVersion: string }; spec: Record<string, unknown> }

export type LeaseServer = {
  lease: Stored | undefined
  /** No watch says anything. */
  isSilent: boolean
  readonly log: string[]
  /** Of each that asked, how often it did, by what it asked. */
  readonly asked: string[]
  connection(fault: () => Fault): Connection
}

export function leaseServer(clock: FakeClock): LeaseServer {
  let version = 1000
  const log: string[] = []
  const asked: string[] = []
  const streams = new Set<() => void>()
  const store = (document: object): Reply => {
    server.lease = { ...structuredClone(document as Stored) }
    server.lease.metadata.resourceVersion = String(++version)
    log.push(`${clock.now()} ${String(server.lease.spec.holderIdentity)}`)
    for (const tell of streams) tell()
    return { status: 200, body: JSON.stringify(server.lease) }
  }
  const answer = ({ method = 'GET', path, body = '' }: Call): Reply => {
    const { lease } = server
    asked.push(path.includes('?limit') ? 'list' : method)
    if (path.includes('?limit')) return listOf(lease === undefined ? [] : [lease], String(version))
    if (method === 'POST') return lease === undefined ? store(JSON.parse(body)) : named(409, 'AlreadyExists')
    if (lease === undefined) return named(404, 'NotFound')
    if (method === 'GET') return { status: 200, body: JSON.stringify(lease) }
    const [precondition, change] = JSON.parse(body)
    // As the real one does it: with a status, and without a word.
    if (precondition.value !== lease.metadata.resourceVersion) return named(422, 'Invalid', {})
    return store({ ...lease, spec: change.value })
  }
  const wait = (ms: number) => new Promise<void>(resolve => void clock.after(ms, resolve))
  const silence = async (ms: number): Promise<never> => {
    await wait(ms)
    throw new Error(`no answer within ${ms} ms`)
  }
  /** What is stored while a connection is refused or hangs breaks it, or does not come; then nothing comes any more. */
  async function* changes(fault: () => Fault, signal: AbortSignal | undefined) {
    const said: string[] = []
    let end: 'broken' | 'silent' | undefined
    let wake = () => {}
    const tell = () => {
      if (fault() === 'refused') end = 'broken'
      if (fault() === 'hangs') end ??= 'silent'
      const event = { type: 'MODIFIED', object: server.lease }
      if (end === undefined && !server.isSilent) said.push(`${JSON.stringify(event)}\n`)
      wake()
    }
    const abort = () => {
      end = 'broken'
      wake()
    }
    streams.add(tell)
    signal?.addEventListener('abort', abort, { once: true })
    try {
      for (;;) {
        const next = said.shift()
        if (next !== undefined) yield next
        else if (end === 'broken') throw new Error('aborted')
        else {
          await new Promise<void>(resolve => {
            wake = resolve
          })
        }
      }
    } finally {
      streams.delete(tell)
    }
  }
  const server: LeaseServer = {
    lease: undefined,
    isSilent: false,
    log,
    asked,
    connection: fault => ({
      server: 'https://server',
      namespace: undefined,
      timeOfDay: Date.now,
      async request(call) {
        const what = fault()
        if (what === 'refused') throw new Error('connect ECONNREFUSED')
        if (what === 'hangs') return silence(call.timeoutMs)
        if (what === 'overloaded') return status(429, 'too many', 1000)
        // Longer than most answers take, and still in time.
        if (what === 'slow') await wait(call.timeoutMs / 2)
        const reply = answer(call)
        if (what === 'slow') await wait(call.timeoutMs / 3)
        return what === 'lost' ? silence(call.timeoutMs) : reply
      },
      async stream({ signal }) {
        if (fault() === 'refused') throw new Error('connect ECONNREFUSED')
        if (fault() === 'overloaded') return status(429, 'too many', 1000)
        asked.push('watch')
        return { status: 200, chunks: changes(fault, signal) }
      },
      close() {},
    }),
  }
  return server
}

function named(code: number, reason: string, details: object = { name: 'portcullis', kind: 'leases' }): Reply {
  const body = { kind: 'Status', message: reason, reason, details }
  return { status: code, body: JSON.stringify(body) }
}

export type Contender = {
  readonly lease: KeptLease
  fault: Fault
  /** Nothing runs in it and no answer reaches it, while time goes by. */
  pause(): void
  /** Its timers and answers wait until `catchUp`. */
  goOn(): void
  readonly isPaused: boolean
  catchUp(): void
  readonly terms: { readonly term: Term; readonly end: () => void }[]
  readonly changes: boolean[]
  readonly logged: string[]
}

/** Its work ends when it is told to, or `end` is called. */
export function contend(
  clock: FakeClock,
  server: LeaseServer,
  identity: string,
  options: Partial<LeaseOptions> = {},
): Contender {
  const note = (fields: object, message: string) => void contender.logged.push(`${message} ${JSON.stringify(fields)}`)
  const held: (() => void)[] = []
  let isBehind = false
  const inTime = (run: () => void) => (isBehind ? void held.push(run) : run())
  const contender: { -readonly [K in keyof Contender]: Contender[K] } = {
    lease: undefined as unknown as KeptLease,
    fault: 'none',
    isPaused: false,
    pause() {
      contender.isPaused = true
      isBehind = true
    },
    goOn() {
      contender.isPaused = false
    },
    catchUp() {
      isBehind = false
      for (const run of held.splice(0)) run()
    },
    terms: [],
    changes: [],
    logged: [],
  }
  contender.lease = keepLease({
    connection: behind(
      server.connection(() => contender.fault),
      inTime,
    ),
    namespace: 'portcullis',
    name: 'portcullis',
    identity,
    log: { info: note, warn: note, error: note },
    clock: { now: clock.now, after: (ms, run) => clock.after(ms, () => inTime(run)) },
    date: () => new Date(clock.now()),
    random: () => 0.5,
    onChange: isLeader => contender.changes.push(isLeader),
    work: term =>
      new Promise(resolve => {
        contender.terms.push({ term, end: resolve })
        term.signal.addEventListener('abort', () => resolve(), { once: true })
      }),
    ...options,
  })
  return contender
}

function behind(connection: Connection, inTime: (run: () => void) => void): Connection {
  const request = async (call: Call) => {
    const [answer] = await Promise.allSettled([connection.request(call)])
    await new Promise<void>(resolve => inTime(resolve))
    if (answer.status === 'rejected') throw answer.reason
    return answer.value
  }
  const stream = async (call: Call) => {
    const reply = await connection.stream(call)
    return 'chunks' in reply ? { ...reply, chunks: late(reply.chunks) } : reply
  }
  async function* late(chunks: AsyncIterable<string>) {
    for await (const chunk of chunks) {
      await new Promise<void>(resolve => inTime(resolve))
      yield chunk
    }
  }
  return { ...connection, request, stream }
}
