// The Redis that keeps the sessions, in memory only.
import { connect } from 'node:net'
import { programAt } from '../../parts/locate.ts'
import { freePorts } from '../../parts/ports.ts'
import { type RunningPart, startPart } from '../../parts/process.ts'

export type Redis = { readonly url: string; readonly part: RunningPart }

export async function startRedis(dir: string): Promise<Redis> {
  const [port] = (await freePorts(1)) as [number]
  const part = await startPart({
    name: 'redis-server',
    command: programAt('redis-server'),
    args: ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir],
    dir,
    ready: () => answersPing(port),
  })
  return { url: `redis://127.0.0.1:${port}/0`, part }
}

function answersPing(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('error', () => resolve(false))
    socket.once('data', said => {
      socket.destroy()
      resolve(said.toString().startsWith('+PONG'))
    })
    socket.write('PING\r\n')
  })
}
