// Load on one HTTPS server: raw TLS connections that send one request after the other. A whole HTTP client would need
// more of its core than the server needs of the other.
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'

export type Target = { readonly port: number; readonly ca: string; readonly path: string; readonly body: string }
export type Result = { readonly answers: number; readonly seconds: number; readonly latencies: readonly number[] }

const HEAD_END = '\r\n\r\n'

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

async function open({ port, ca }: Target): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca })
  socket.setNoDelay(true)
  await once(socket, 'secureConnect')
  return socket
}

function requestOf({ path, body }: Target): string {
  const length = Buffer.byteLength(body)
  const head = `POST ${path}?timeout=10s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json`
  return `${head}\r\nContent-Length: ${length}${HEAD_END}${body}`
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
      const end = endOfAnswer(text)
      if (end === undefined || text.length < end) return
      if (!text.startsWith('HTTP/1.1 200 ')) return reject(new Error(`not an answer: ${text.slice(0, 200)}`))
      text = ''
      const now = performance.now()
      latencies.push(now - sent)
      if (now < until) send()
      else resolve(latencies)
    })
    send()
  })
}

function endOfAnswer(text: string): number | undefined {
  const head = text.indexOf(HEAD_END)
  if (head < 0) return undefined
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, head))?.[1]
  if (length === undefined) throw new Error('an answer without Content-Length')
  return head + HEAD_END.length + Number(length)
}
