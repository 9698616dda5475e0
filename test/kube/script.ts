// An API server that says what a test tells it, without a network: only so can a test be an hour long and take no time.
// That the real one and a real network do these things is shown in test/integration/watch.test.ts.
import type { KubeObject } from '../../src/core/types.ts'
import type { Call, Connection, Reply, Stream } from '../../src/kube/connection.ts'
import { watchKind } from '../../src/kube/watch.ts'
import type { WatchOptions } from '../../src/kube/watched.ts'
import { type FakeClock, fakeClock } from './time.ts'

export type Asked = {
  readonly at: number
  readonly kind: 'list' | 'present' | 'watch'
  readonly query: URLSearchParams
}

/** The end of a watch that the server holds. */
export type Line = {
  say(...events: readonly (object | string)[]): void
  end(): void
  break(): void
}

export type Script = {
  readonly asked: Asked[]
  /** Of the watch that runs. */
  readonly line: Line
  readonly connection: Connection
  list: (query: URLSearchParams) => Reply | Promise<Reply>
  /** To whoever only wants to know the version. */
  present: () => Reply
  /** Undefined: a watch begins. */
  watch: () => Reply | undefined
}

export function script(clock: FakeClock): Script {
  let line: Line | undefined
  const asked: Asked[] = []
  const note = (call: Call, kind: Asked['kind']) => {
    const query = new URL(call.path, 'https://server').searchParams
    asked.push({ at: clock.now(), kind, query })
    return query
  }
  const made: Script = {
    asked,
    get line() {
      if (line === undefined) throw new Error('no watch runs')
      return line
    },
    list: () => listOf([], '10'),
    present: () => listOf([], '15', 'more'),
    watch: () => undefined,
    connection: {
      server: 'https://server',
      namespace: undefined,
      timeOfDay: Date.now,
      async request(call) {
        const isPresent = new URL(call.path, 'https://server').searchParams.get('limit') === '1'
        const query = note(call, isPresent ? 'present' : 'list')
        return isPresent ? made.present() : made.list(query)
      },
      async stream(call) {
        note(call, 'watch')
        const reply = made.watch()
        if (reply !== undefined) return reply
        const opened = openLine(call.signal)
        line = opened.line
        return opened.stream
      },
      close() {},
    },
  }
  return made
}

function openLine(signal: AbortSignal | undefined): { line: Line; stream: Stream } {
  const said: string[] = []
  let over: 'ended' | 'broken' | undefined
  let wake = () => {}
  const finish = (how: 'ended' | 'broken') => {
    over ??= how
    wake()
  }
  signal?.addEventListener('abort', () => finish('broken'), { once: true })
  async function* chunks() {
    for (;;) {
      const next = said.shift()
      if (next !== undefined) yield next
      else if (over === 'broken') throw new Error('aborted')
      else if (over === 'ended') return
      else {
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
    }
  }
  const line: Line = {
    say(...events) {
      said.push(...events.map(event => (typeof event === 'string' ? event : `${JSON.stringify(event)}\n`)))
      wake()
    },
    end: () => finish('ended'),
    break: () => finish('broken'),
  }
  return { line, stream: { status: 200, chunks: chunks() } }
}

export function listOf(items: readonly object[], resourceVersion: string, next?: string): Reply {
  const metadata = next === undefined ? { resourceVersion } : { resourceVersion, continue: next }
  return { status: 200, body: JSON.stringify({ apiVersion: 'v1', kind: 'ThingList', metadata, items }) }
}

/** As in a list: without its type. */
export function item(name: string, resourceVersion: string, more: object = {}): object {
  return { metadata: { namespace: 'default', name, resourceVersion, ...more } }
}

export function event(type: string, name: string, resourceVersion: string): object {
  return { type, object: { apiVersion: 'v1', kind: 'Thing', ...item(name, resourceVersion) } }
}

export function bookmark(resourceVersion: string): object {
  return { type: 'BOOKMARK', object: { apiVersion: 'v1', kind: 'Thing', metadata: { resourceVersion } } }
}

export function status(code: number, message = 'no', retryAfterMs?: number): Reply {
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'Status', code, message })
  return { status: code, body, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}

export type Logged = { level: 'info' | 'warn' | 'error'; fields: Record<string, unknown>; message: string }

export function watching(options: Partial<WatchOptions> = {}) {
  const clock = fakeClock()
  const server = script(clock)
  const received: string[] = []
  const states: string[] = []
  const logged: Logged[] = []
  const note = (level: Logged['level']) => (fields: object, message: string) =>
    void logged.push({ level, fields: { ...fields }, message })
  const start = () =>
    watchKind(server.connection, {
      path: '/apis/example/v1/things',
      receive: (what, { metadata }: KubeObject) => received.push(`${what} ${metadata.name}`),
      onState: state => states.push(state),
      clock,
      random: () => 0.5,
      log: { info: note('info'), warn: note('warn'), error: note('error') },
      ...options,
    })
  return { clock, server, received, states, logged, start }
}
