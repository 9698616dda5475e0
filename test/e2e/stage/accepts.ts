// Whether somebody listens there.
import { connect } from 'node:net'
import type { Endpoint } from '../../parts/service.ts'

export function accepts({ host, port }: Endpoint): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host, port })
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}
