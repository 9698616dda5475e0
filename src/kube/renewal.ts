// Keeps credentials good: read again now and then, and at once when the server refuses them.
import type { Agent } from 'node:https'
import type { Credentials, ReadCredentials, Tls } from './credentials.ts'
import type { Way } from './send.ts'

export type Access = {
  readonly first: Credentials
  current(): Promise<Way>
  /** What is used was refused. The same comes back when there is nothing newer. */
  renew(used: Way): Promise<Way>
  close(): void
}

// As client-go does with token files.
const READ_AGAIN_MS = 60_000

export async function keepAccess(read: ReadCredentials, agentFor: (tls: Tls) => Agent): Promise<Access> {
  const agents = new Set<Agent>()
  const wayOf = (credentials: Credentials, before?: Way): Way => {
    if (before !== undefined && same(before, credentials)) return before
    if (before !== undefined && same(before.tls, credentials.tls)) return { ...credentials, agent: before.agent }
    const agent = credentials.agent ?? agentFor(credentials.tls)
    // What runs on an older one goes on; its idle connections end by themselves.
    agents.add(agent)
    return { ...credentials, agent }
  }
  const first = await read(false)
  if (!first.server.startsWith('https://')) throw new Error(`${first.server} is no https:// address`)
  let way = wayOf(first)
  let readAt = performance.now()
  let reading: Promise<Way> | undefined
  const again = (afresh: boolean): Promise<Way> => {
    reading ??= read(afresh)
      // Files are away for a moment while they are replaced; the server judges what we have.
      .then(
        next => wayOf(next, way),
        () => way,
      )
      .then(next => {
        way = next
        readAt = performance.now()
        reading = undefined
        return way
      })
    return reading
  }
  return {
    first,
    current: async () => (performance.now() - readAt > READ_AGAIN_MS ? again(false) : way),
    renew: async used => (used === way ? again(true) : way),
    close: () => {
      for (const agent of agents) agent.destroy()
    },
  }
}

function same(before: object, after: object): boolean {
  return text(before) === text(after)
}

function text(value: object): string {
  return JSON.stringify(value, (key, each) => (key === 'agent' ? undefined : each))
}
