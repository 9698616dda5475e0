// The process of the intruders: asks every host that is watched, without a session and in every way, and counts what
// an application has answered that should not have been reached.
import { setTimeout as sleep } from 'node:timers/promises'
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

const settings: IntruderSettings = JSON.parse(process.argv[2] ?? '{}')

const MADE_UP = {
  'x-auth-request-user': 'evil',
  'x-auth-request-email': 'evil@corp.test',
  'x-auth-request-groups': 'evil',
  'x-forwarded-user': 'evil',
}

/** Since when a host must not answer, on the clock of this process; undefined: it may still be open. */
type Watched = { closedSince: number | undefined }

const watched = new Map<string, Watched>()
const counts = { asked: 0, closed: 0, open: 0, other: 0 }
const ways: Record<string, number> = {}
const leaks: Leak[] = []
const closedOnce = new Set<string>()

function record(host: string, how: string, { status, application, began }: Said): void {
  const watch = watched.get(host)
  if (watch === undefined) return
  if (application) {
    const leaked = watch.closedSince !== undefined && began > watch.closedSince
    counts.open++
    if (leaked) leaks.push({ host, how, at: new Date().toISOString() })
  } else if ([301, 302, 401, 403].includes(status)) {
    counts.closed++
    closedOnce.add(host)
    watch.closedSince ??= performance.now()
  } else counts.other++
}

async function intrude(name: string, way: Way, pauseMs: number, nth: number): Promise<void> {
  for (let turn = nth; ; turn++) {
    const hosts = [...watched.keys()]
    const host = hosts[turn % Math.max(hosts.length, 1)]
    if (host === undefined) {
      await sleep(100)
      continue
    }
    const madeUp = Math.random() < 0.5
    const how = `${name}${madeUp ? ', made-up headers' : ''}`
    const began = performance.now()
    counts.asked++
    ways[name] = (ways[name] ?? 0) + 1
    await way(host, madeUp ? MADE_UP : {}).then(
      said => record(host, how, said),
      () => counts.other++,
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

const target: Target = settings
const WORKERS = 4
const quick: [string, () => Way][] = [
  ['new connections', () => freshConnections(target)],
  ['kept connections', () => keptConnections(target)],
  ['HTTP/2', () => http2Connection(target)],
]
const pauseMs = (1000 * WORKERS * quick.length) / settings.requestsPerSecond
for (let nth = 0; nth < WORKERS; nth++) {
  for (const [name, way] of quick) void intrude(name, way(), pauseMs, nth)
}
for (const [nth, afterMs] of [500, 2_000, 5_000, 10_000].entries()) {
  for (let more = 0; more < WORKERS; more++) {
    void intrude(`connections ${afterMs / 1000} s old`, oldConnections(target, afterMs), 0, nth + more)
  }
}
