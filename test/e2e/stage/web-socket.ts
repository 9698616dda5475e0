// A WebSocket handshake with headers of one's own, and the first text that comes.
import { request } from 'node:https'
import type { Stage } from './stage.ts'

export type Handshake = {
  readonly status: number
  readonly location: string | undefined
  /** The first message; undefined: there was no WebSocket. */
  readonly said: string | undefined
}

export function openWebSocket(
  { gateway, ca }: Pick<Stage, 'gateway' | 'ca'>,
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Handshake> {
  const { hostname, pathname, search } = new URL(url)
  const upgrade = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': Buffer.from('sixteen bytes ok').toString('base64'),
  }
  return new Promise((resolve, reject) => {
    const sent = request({
      host: gateway.address,
      servername: hostname,
      path: `${pathname}${search}`,
      ca: ca.text,
      headers: { host: hostname, ...upgrade, ...headers },
      agent: false,
    })
    sent.on('error', reject)
    sent.on('response', answer => {
      answer.destroy()
      resolve({ status: answer.statusCode ?? 0, location: answer.headers.location, said: undefined })
    })
    sent.on('upgrade', (_, socket, head) => {
      let frame = head
      const heard = (data: Buffer) => {
        frame = Buffer.concat([frame, data])
        const text = textIn(frame)
        if (text === undefined) return
        socket.destroy()
        resolve({ status: 101, location: undefined, said: text })
      }
      socket.on('data', heard)
      socket.on('error', reject)
      heard(Buffer.alloc(0))
    })
    sent.end()
  })
}

/** That of one unmasked frame; undefined: it is not there yet. */
function textIn(frame: Buffer): string | undefined {
  if (frame.length < 4) return undefined
  const short = (frame[1] ?? 0) & 0x7f
  const [from, length] = short === 126 ? [4, frame.readUInt16BE(2)] : [2, short]
  return frame.length < from + length ? undefined : frame.subarray(from, from + length).toString()
}
