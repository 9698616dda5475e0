// A way to a server that can go silent, as networks do: connections stay open, nothing arrives, and nobody is told.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export type Link = {
  readonly port: number
  /** Of connections that are open and, unless `open` alone is said, of those that come too. */
  silence(which?: 'all' | 'open'): void
  /** Of what was on its way nothing is lost, but connections that came into the silence begin only now. */
  heal(): void
  close(): Promise<void>
}

type Joined = { readonly client: Socket; readonly server: Socket }

/** On a free port of the loopback address; `to`: the port there that it leads to. */
export async function openLink(to: number): Promise<Link> {
  const joined = new Set<Joined>()
  const waiting = new Set<Socket>()
  const state = { isSilent: false }
  const join = (client: Socket) => {
    const both = { client, server: connect(to, '127.0.0.1') }
    joined.add(both)
    for (const [from, into] of [
      [both.client, both.server],
      [both.server, both.client],
    ] as const) {
      from.setNoDelay(true)
      from.pipe(into)
      from.on('error', () => into.resetAndDestroy())
      from.on('close', () => {
        joined.delete(both)
        into.destroySoon()
      })
    }
  }
  const listener = createServer(client => {
    if (!state.isSilent) return join(client)
    waiting.add(client.on('error', () => {}).on('close', () => waiting.delete(client)))
  })
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  return {
    port: (listener.address() as AddressInfo).port,
    silence(which = 'all') {
      state.isSilent = which === 'all'
      for (const { client, server } of joined) for (const each of [client, server]) each.unpipe().pause()
    },
    heal() {
      state.isSilent = false
      for (const { client, server } of joined) {
        client.pipe(server)
        server.pipe(client)
      }
      for (const client of waiting) {
        waiting.delete(client)
        join(client)
      }
    },
    close() {
      for (const { client, server } of joined) for (const each of [client, server]) each.destroy()
      for (const client of waiting) client.destroy()
      return new Promise(resolve => listener.close(() => resolve()))
    },
  }
}
