// Free loopback ports for the processes of a test run.
import { createServer } from 'node:net'

// Below the range from which Linux and macOS take the local ports of outgoing connections, so that none of those
// takes a port between this look and the process that is to listen on it.
const lowest = 20_000
const highest = 32_000
const attempts = 200

const isFree = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })

export const freePorts = async (count: number): Promise<number[]> => {
  const found = new Set<number>()
  for (let attempt = 0; attempt < attempts && found.size < count; attempt++) {
    // Random, because suites run side by side and would all find the same first free port.
    const port = lowest + Math.floor(Math.random() * (highest - lowest))
    if (!found.has(port) && (await isFree(port))) found.add(port)
  }
  if (found.size < count) throw new Error(`no ${count} free ports between ${lowest} and ${highest}`)
  return [...found]
}
