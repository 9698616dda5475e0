// The process of the intruders: asks every host that is watched, without a session and in every way, and counts what
// an application has answered that should not have been reached.
import { setTimeout as sleep } from 'node:timers/promises'
import { createSecureContext } from 'node:tls'
import {
  freshConnections,
  http2Connection,
  keptConnections,
  oldConnections,
  type Said,
  type Target,
  type Way,
} from './connections.ts'
import type { IntruderSettings, Leak, Report, ToIntruders } from './protocol.ts'
import { type Trick, tricks } from './requests.ts'

const settings: IntruderSettings = JSON.parse(process.argv[2] ?? '{}')

/** Since when a host must not answer, on the clock of this process; undefined: it may still be open. */
type Watched = { closedSince: number | undefined }

const watched = new Map<string, Watched>()
const counts = { answered: 0, closed: 0, open: 0, other: 0, unanswered: 0 }
const ways: Record<string, number> = {}
const leaks: Leak[] = []
const closedOnce = new Set<string>()

function record(host: string, how: string, { ordinary }: Trick, { status, application, began }: Said): void {
  const watch = watched.get(host)
  if (watch === undefined) return
  if (application) {
    const leaked = watch.closedSince !== undefined && began > watch.closedSince
    counts.open++
    if (leaked) leaks.push({ host, how, at: new Date().toISOString() })
  } else if ([301, 302, 401, 403].includes(status)) {
    counts.closed++
    if (!ordinary) return
    closedOnce.add(host)
    watch.closedSince ??= performance.now()
  } else counts.other++
}

type Kind = { readonly way: Way; readonly http: 1 | 2 }

async function intrude(name: string, { way, http }: Kind, pauseMs: number): Promise<void> {
  const list = tricks(http)
  for (;;) {
    const hosts = [...watched.keys()]
    const host = hosts[Math.floor(Math.random() * hosts.length)]
    if (host === undefined) {
      await sleep(100)
      continue
    }
    const trick = list.next()
    const how = trick.name === '' ? name : `${name}, ${trick.name}`
    const began = performance.now()
    await way(host, trick).then(
      said => {
        counts.answered++
        ways[name] = (ways[name] ?? 0) + 1
        record(host, how, trick, said)
      },
      () => counts.unanswered++,
    )
    const rest = pauseMs - (performance.now() - began)
    if (rest > 0) await sleep(rest)
  }
}

process.on('message', (message: ToIntruders) => {
  if ('report' in message) {
    const report: Report = { ...counts, leaks, hosts: [...closedOnce], ways }
    process.send?.(report)
  } else if ('watch' in message) {
    watched.set(message.watch, { closedSince: message.open === 'never' ? 0 : undefined })
  } else watched.delete(message.forget)
})
// The test is gone: so are its intruders.
process.on('disconnect', () => process.exit())

const { address, ca, openHost } = settings
const target: Target = { address, openHost, trust: createSecureContext({ ca }) }
/** Each with its share of the requests: a new connection costs both sides more than all else. */
const quick: [string, number, () => Kind][] = [
  ['new connections', 0.2, () => ({ http: 1, way: freshConnections(target) })],
  ['kept connections', 0.4, () => ({ http: 1, way: keptConnections(target) })],
  ['HTTP/2', 0.4, () => ({ http: 2, way: http2Connection(target) })],
]
const WORKERS = 6
for (const [name, share, way] of quick) {
  const pauseMs = (1000 * WORKERS) / (settings.requestsPerSecond * share)
  for (let nth = 0; nth < WORKERS; nth++) void intrude(name, way(), pauseMs)
}
for (const afterMs of [500, 2_000, 5_000, 10_000]) {
  for (let more = 0; more < WORKERS; more++) {
    const kind: Kind = { http: 1, way: oldConnections(target, afterMs) }
    void intrude(`connections ${afterMs / 1000} s old`, kind, 0)
  }
}
