// The ways in which somebody without a session can ask: on new connections, kept ones, HTTP/2, and connections that
// were opened for another host long before.
import type { OutgoingHttpHeaders } from 'node:http'
import { type ClientHttp2Session, connect } from 'node:http2'
import { Agent, request } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SecureContext } from 'node:tls'
import type { Trick } from './requests.ts'

/** `began`: when it was asked, on the clock of this process. */
export type Said = { readonly status: number; readonly application: boolean; readonly began: number }

/** Asks one host once; rejects where nobody answers. */
export type Way = (host: string, trick: Trick) => Promise<Said>

export type Target = {
  readonly address: string
  /** With the authority: made once, since to make one takes longer than to connect. */
  readonly trust: SecureContext
  readonly openHost: string
}

const WITHIN_MS = 20_000
const OPENING: Trick = { name: '', ordinary: true, method: 'GET', path: '/', headers: {} }

export function freshConnections(target: Target): Way {
  return (host, trick) => ask(target, host, host, trick, false)
}

export function keptConnections(target: Target): Way {
  const agent = new Agent({ keepAlive: true, maxSockets: 2 })
  return (host, trick) => ask(target, host, host, trick, agent)
}

/** One connection for every host, as browsers do where a certificate is for all of them. */
export function http2Connection(target: Target): Way {
  let session: ClientHttp2Session | undefined
  return (host, trick) => {
    if (session === undefined || session.closed || session.destroyed) session = open(target)
    return askIn(session, host, trick)
  }
}

/** Opened and used for the host that is open, then left alone before it is used for another, once. */
export function oldConnections(target: Target, afterMs: number): Way {
  return async (host, trick) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, timeout: 0 })
    try {
      await ask(target, target.openHost, target.openHost, OPENING, agent)
      await sleep(afterMs)
      return await ask(target, target.openHost, host, trick, agent)
    } finally {
      agent.destroy()
    }
  }
}

function ask(
  { address, trust }: Target,
  servername: string,
  host: string,
  { method, path, headers }: Trick,
  agent: Agent | false,
): Promise<Said> {
  const began = performance.now()
  return new Promise((resolve, reject) => {
    const options = { host: address, servername, secureContext: trust, agent, method, path, timeout: WITHIN_MS }
    const sent = request({ ...options, headers: { ...headers, host } as OutgoingHttpHeaders }, answer => {
      answer.resume()
      const application = answer.headers['x-application'] !== undefined
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, application, began }))
      answer.on('error', reject)
    })
    // Nobody but an application opens a WebSocket.
    sent.on('upgrade', (answer, socket) => {
      socket.destroy()
      resolve({ status: answer.statusCode ?? 0, application: true, began })
    })
    sent.on('timeout', () => sent.destroy(new Error('no answer')))
    sent.on('error', reject)
    sent.end()
  })
}

function open({ address, trust, openHost }: Target): ClientHttp2Session {
  const session = connect(`https://${address}`, { servername: openHost, secureContext: trust })
  session.on('error', () => session.destroy())
  return session
}

function askIn(session: ClientHttp2Session, host: string, { method, path, headers }: Trick): Promise<Said> {
  const began = performance.now()
  return new Promise((resolve, reject) => {
    const pseudo = { ':method': method, ':authority': host, ':path': path }
    const stream = session.request({ ...headers, ...pseudo } as OutgoingHttpHeaders, { endStream: true })
    stream.setTimeout(WITHIN_MS, () => stream.close())
    stream.on('response', answer => {
      stream.resume()
      resolve({ status: Number(answer[':status']), application: answer['x-application'] !== undefined, began })
    })
    stream.on('error', reject)
    stream.on('close', () => reject(new Error('no answer')))
  })
}
