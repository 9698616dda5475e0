// The process of the applications, which know no authentication: each answers with what reached it, exactly.
// Arguments: <name>@<address>:<port> for each.
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Reached } from './application.ts'

/** RFC 6455, 1.3 */
const WEB_SOCKET = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

const reached = (application: string, request: IncomingMessage, body: string): Reached => {
  const { method = '', url = '', rawHeaders } = request
  const headers = rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1] ?? ''] as const] : [],
  )
  return { application, method, url, headers, body }
}

/** One unmasked text frame. */
function frame(message: string): Buffer {
  const payload = Buffer.from(message)
  const { length } = payload
  const head = length < 126 ? [0x81, length] : [0x81, 126, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), payload])
}

/** What a client has sent in one short masked frame. */
function payload(data: Buffer): string {
  const length = (data[1] ?? 0) & 0x7f
  const mask = data.subarray(2, 6)
  return Buffer.from(data.subarray(6, 6 + length).map((byte, index) => byte ^ (mask[index % 4] ?? 0))).toString()
}

/** Says what reached it, then every short text that it hears. */
function openWebSocket(socket: Duplex, key: string, first: Reached): void {
  const accept = createHash('sha1').update(`${key}${WEB_SOCKET}`).digest('base64')
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
  socket.write(`${[...lines, `Sec-WebSocket-Accept: ${accept}`].join('\r\n')}\r\n\r\n`)
  socket.write(frame(JSON.stringify(first)))
  socket.on('error', () => socket.destroy())
  socket.on('data', (data: Buffer) => {
    if (data[0] === 0x81) socket.write(frame(payload(data)))
    else socket.end()
  })
}

for (const argument of process.argv.slice(2)) {
  const [name = '', address = ''] = argument.split('@')
  const [host, port] = address.split(':')
  const server = createServer(async (request, response) => {
    const body = JSON.stringify(reached(name, request, await text(request)), undefined, 2)
    response.writeHead(200, { 'content-type': 'application/json', 'x-application': name }).end(`${body}\n`)
  })
  server.on('upgrade', (request, socket) => {
    openWebSocket(socket, String(request.headers['sec-websocket-key']), reached(name, request, ''))
  })
  // Gateways keep connections for longer than Node does: an end between two requests would look like a fault of theirs.
  server.keepAliveTimeout = 600_000
  server.listen(Number(port), host)
}
