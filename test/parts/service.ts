// What kube-proxy does for a Service: each new connection goes to one of the ready endpoints, and stays with it.
import { connect, createServer, type Socket } from 'node:net'

export type Endpoint = { readonly host: string; readonly port: number }

export type ServedService = {
  /** Connections that are there stay, also those to endpoints that are gone from the list. */
  use(endpoints: readonly Endpoint[]): void
  close(): Promise<void>
}

/** On a clusterIP that is a loopback address, and on the Service's own port. */
export async function serveService({ host, port }: Endpoint): Promise<ServedService> {
  let endpoints: readonly Endpoint[] = []
  let next = 0
  const open = new Set<Socket>()
  const server = createServer(client => {
    const endpoint = endpoints[next++ % Math.max(endpoints.length, 1)]
    if (endpoint === undefined) client.resetAndDestroy()
    else join(client, connect(endpoint), open)
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  return {
    use: next => {
      endpoints = next
    },
    close: () => {
      for (const socket of open) socket.destroy()
      return new Promise(resolve => server.close(() => resolve()))
    },
  }
}

/** The end of one side is the end of the other, and in the same way: a reset stays a reset. */
function join(client: Socket, upstream: Socket, open: Set<Socket>): void {
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    open.add(from)
    from.setNoDelay(true)
    from.pipe(to)
    from.on('error', () => reset(to))
    from.on('close', () => {
      open.delete(from)
      to.destroySoon()
    })
  }
}

/**
 * One that is ending already is only closed: libuv refuses to reset it (uv_tcp_close_reset gives EINVAL while a shutdown is
 * under way), and Node 26 then never closes it, and goes round forever when the process ends.
 */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}
