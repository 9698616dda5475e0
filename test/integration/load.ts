// Routes created at a steady rate whatever the answers, as far as they come: over one HTTP/2 connection, as by client-go, but
// never tried again. A connection that is gone is opened anew.
import { type ClientHttp2Session, connect } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { object } from '../../src/core/json.ts'
import { INJECTED, PROTECT } from '../../src/core/keys.ts'
import type { KubeObject } from '../../src/core/types.ts'
import type { ControlPlane } from '../parts/control-plane.ts'
import { collection, credentials } from './api.ts'

export type Sent = {
  readonly name: string
  readonly isLabelled: boolean
  readonly isDryRun: boolean
  /** 0: no answer came. */
  readonly status: number
  readonly message: string
  /** What came back, which is what was stored, has the protection. */
  readonly isProtected: boolean
  /** ms, by the clock that is never set back. */
  readonly began: number
  readonly milliseconds: number
}

export type Load = {
  /** Those that have been answered until now. */
  readonly answered: readonly Sent[]
  /** Resolves when the last one is answered. */
  stop(): Promise<readonly Sent[]>
}

export type LoadOptions = {
  readonly perSecond: number
  /** The route of each turn; names are not used twice. */
  readonly route: (turn: number) => KubeObject
  /** Answered as if, not stored. */
  readonly isDryRun?: (turn: number) => boolean
}

const TICK_MS = 5
// More would measure how long a queue may get on a machine that has other things to do.
const MOST_UNDER_WAY = 50

export function startLoad(controlPlane: ControlPlane, options: LoadOptions): Load {
  const { perSecond, route, isDryRun = () => false } = options
  const { authorization, ca } = credentials(controlPlane)
  let session = open(controlPlane.server, ca)
  const answered: Sent[] = []
  const asked: Promise<void>[] = []
  let stopped = false
  const ask = (turn: number) => {
    if (session.closed || session.destroyed) session = open(controlPlane.server, ca)
    return create({ session, authorization }, route(turn), isDryRun(turn))
  }
  const run = async () => {
    const began = performance.now()
    while (!stopped) {
      // What a late timer or late answers have missed is made up for: the rate holds.
      const due = ((performance.now() - began) * perSecond) / 1000
      while (asked.length < due && asked.length - answered.length < MOST_UNDER_WAY) {
        asked.push(ask(asked.length).then(sent => void answered.push(sent)))
      }
      await sleep(TICK_MS)
    }
    await Promise.all(asked)
    session.close()
  }
  const running = run()
  return {
    answered,
    async stop() {
      stopped = true
      await running
      return answered
    },
  }
}

function open(server: string, ca: Buffer): ClientHttp2Session {
  const session = connect(server, { ca })
  // Each request that is under way says it too.
  session.on('error', () => {})
  return session
}

type Client = { readonly session: ClientHttp2Session; readonly authorization: string }

async function create(client: Client, route: KubeObject, isDryRun: boolean): Promise<Sent> {
  const began = performance.now()
  const { status, text } = await post(client, route, isDryRun).catch(error => ({ status: 0, text: String(error) }))
  const body = text.startsWith('{') ? object(JSON.parse(text)) : { message: text }
  return {
    name: String(route.metadata.name),
    isLabelled: object(route.metadata.labels)[PROTECT] !== undefined,
    isDryRun,
    status,
    message: status === 201 ? '' : String(body.message),
    isProtected: status === 201 && isProtected(object(body.metadata)),
    began,
    milliseconds: performance.now() - began,
  }
}

function post(
  { session, authorization }: Client,
  route: KubeObject,
  isDryRun: boolean,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const path = `${collection(route)}${isDryRun ? '?dryRun=All' : ''}`
    const headers = { ':method': 'POST', ':path': path, authorization, 'content-type': 'application/json' }
    const stream = session.request(headers)
    let status = 0
    let text = ''
    stream.on('response', answer => {
      status = Number(answer[':status'])
    })
    stream.setEncoding('utf8').on('data', chunk => {
      text += chunk
    })
    stream.on('end', () => resolve({ status, text }))
    stream.on('error', reject)
    stream.end(JSON.stringify(route))
  })
}

/** As ingress-nginx reads it. */
export function isProtected(metadata: object): boolean {
  const annotations = object((metadata as KubeObject['metadata']).annotations)
  return annotations[INJECTED] !== undefined && annotations['nginx.ingress.kubernetes.io/auth-url'] !== undefined
}

/** Labelled ones that were let in without. There may be none, ever. */
export function unprotected(all: readonly Sent[]): readonly Sent[] {
  return all.filter(({ isLabelled, isProtected, status }) => status === 201 && isLabelled && !isProtected)
}

/** Said again by the client library of most, and then in order. */
export function notYet(all: readonly Sent[]): readonly Sent[] {
  return all.filter(({ status }) => status === 429)
}

export function failed(all: readonly Sent[]): readonly Sent[] {
  return all.filter(({ status }) => status !== 201 && status !== 429)
}

/** One line for whoever reads the run. */
export function figures(title: string, all: readonly Sent[]): string {
  const took = all.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b)
  const at = (part: number) => `${Math.round(took[Math.min(took.length - 1, Math.floor(took.length * part))] ?? 0)} ms`
  const labelled = all.filter(({ isLabelled }) => isLabelled).length
  const answers = all.filter(({ status }) => status !== 0).length
  const sent = `sent ${all.length} (${labelled} labelled), ${perSecond(all)} a second`
  const counts = `${sent}, answered ${answers}, failed ${failed(all).length}`
  return `${title}: ${counts}, not yet ${notYet(all).length}, p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)}\n`
}

function perSecond(all: readonly Sent[]): number {
  const began = all.map(({ began }) => began).sort((a, b) => a - b)
  const lastedMs = (began.at(-1) ?? 0) - (began[0] ?? 0)
  return Math.round((all.length * 1000) / Math.max(1000, lastedMs))
}

/** What was said to those that got no route, each text once, whatever the connection. */
export function texts(all: readonly Sent[]): readonly string[] {
  const said = all.filter(({ status }) => status !== 201).map(({ status, message }) => `${status} ${message}`)
  return [...new Set(said.map(text => text.replaceAll(/(\d+\.){3}\d+:\d+/g, 'ADDRESS')))]
}
