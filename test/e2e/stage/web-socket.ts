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
      const said = (data: Buffer) => {
        socket.destroy()
        const length = (data[1] ?? 0) & 0x7f
        const from = length === 126 ? 4 : 2
        resolve({ status: 101, location: undefined, said: data.subarray(from).toString() })
      }
      if (head.length > 0) said(head)
      else socket.once('data', said)
    })
    sent.end()
  })
}
