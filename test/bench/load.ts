// Load on one HTTPS server: raw TLS connections that send one request after the other. A whole HTTP client would need
// more of its core than the server needs of the other.
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'

export type Target = {
  /** Absent: loopback. */
  readonly host?: string
  readonly port: number
  readonly ca: string
  readonly path: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}
export type Result = { readonly answers: number; readonly seconds: number; readonly latencies: readonly number[] }

const HEAD_END = '\r\n\r\n'
const LAST_CHUNK = '\r\n0\r\n\r\n'

export async function load(target: Target, connections: number, milliseconds: number): Promise<Result> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(target)))
  const request = requestOf(target)
  const started = performance.now()
  const until = started + milliseconds
  const latencies = (await Promise.all(sockets.map(socket => drive(socket, request, until)))).flat()
  const seconds = (performance.now() - started) / 1000
  for (const socket of sockets) socket.destroy()
  return { answers: latencies.length, seconds, latencies }
}

async function open({ host = '127.0.0.1', port, ca }: Target): Promise<TLSSocket> {
  const socket = connect({ host, port, ca })
  socket.setNoDelay(true)
  await once(socket, 'secureConnect')
  return socket
}

function requestOf({ path, body, headers = {} }: Target): string {
  const all = {
    Host: 'localhost',
    'Content-Type': 'application/json',
    ...headers,
    'Content-Length': Buffer.byteLength(body),
  }
  const head = Object.entries(all).map(([name, value]) => `\r\n${name}: ${value}`)
  return `POST ${path} HTTP/1.1${head.join('')}${HEAD_END}${body}`
}

/** The latency of each answer, in ms. */
function drive(socket: TLSSocket, request: string, until: number): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const latencies: number[] = []
    let sent = 0
    let text = ''
    const send = () => {
      sent = performance.now()
      socket.write(request)
    }
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the server hung up')))
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (!isComplete(text)) return
      if (!/^HTTP\/1\.1 20[01] /.test(text)) return reject(new Error(`not an answer: ${text.slice(0, 200)}`))
      text = ''
      const now = performance.now()
      latencies.push(now - sent)
      if (now < until) send()
      else resolve(latencies)
    })
    send()
  })
}

function isComplete(text: string): boolean {
  const end = text.indexOf(HEAD_END)
  if (end < 0) return false
  const head = text.slice(0, end)
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
  if (length !== undefined) return text.length >= end + HEAD_END.length + Number(length)
  if (/\r\ntransfer-encoding: chunked/i.test(head)) return text.endsWith(LAST_CHUNK)
  throw new Error('an answer of unknown length')
}
