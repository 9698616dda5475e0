// The scene of a row: its own route and host, and how it is asked.
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { object } from '../../../src/core/json.ts'
import type { KubeObject } from '../../../src/core/types.ts'
import { clientOf } from '../stage/client.ts'
import type { Stage } from '../stage/stage.ts'
import { APPLICATION } from './ground.ts'
import type { Answered, Scene, Way } from './way.ts'

export const nameOf = (index: number, portcullis: boolean) => `way-${index}${portcullis ? '' : '-off'}`

export function sceneOf(way: Way, index: number, stage: Stage, portcullis: boolean): Scene {
  const name = nameOf(index, portcullis)
  const namespace = way.namespace ?? 'monitoring'
  const host = `${name}.team-a.${stage.domain}`
  const plain = way.kind.route({ namespace, name, host, service: APPLICATION, port: 80 })
  let status: number | undefined
  const sessions = new Map<string, Promise<string>>()
  const ask: Scene['ask'] = async (url, asked) => {
    // A connection of its own each time: what an old one still gets is another question.
    const client = clientOf(stage)
    try {
      const got = await client.ask(url, asked)
      status = got.status
      return got
    } finally {
      client.close()
    }
  }
  return {
    stage,
    portcullis,
    name,
    namespace,
    host,
    domain: stage.domain,
    route: plain,
    url: (path = '/', of = host) => `https://${of}${path}`,
    ask,
    status: () => status,
    askPlain: (path = '/', headers = {}) => askPlain(stage, path, { ...headers, host }),
    session(person) {
      const known = sessions.get(person) ?? session(stage, person)
      sessions.set(person, known)
      return known
    },
    beside: (other, changes = {}) => beside(plain, `${name}-${other}`, changes),
  }
}

function beside(route: KubeObject, name: string, changes: object): KubeObject {
  return { ...route, metadata: { ...route.metadata, name }, spec: { ...object(route.spec), ...changes } }
}

/** The session is that of an application of the team which has nothing to do with any row. */
async function session(stage: Stage, person: string): Promise<string> {
  const client = clientOf(stage)
  try {
    await client.login(`https://session.team-a.${stage.domain}/`, person)
    const [team] = stage.teams
    const name = team?.cookieName ?? ''
    return `${name}=${client.jar.value(name)}`
  } finally {
    client.close()
  }
}

function askPlain({ gateway }: Stage, path: string, headers: Readonly<Record<string, string>>): Promise<Answered> {
  if (gateway.plainPort === undefined) throw new Error(`${gateway.name} has no entry without TLS`)
  const options = { host: '127.0.0.1', port: gateway.plainPort, path, headers, agent: false as const }
  return new Promise(resolve => {
    // Cut off is not let through.
    const cutOff = () => resolve({ who: undefined, body: '' })
    const sent = request(options, answer => {
      const who = answer.headers['x-application']?.toString()
      text(answer).then(body => resolve({ who, body }), cutOff)
    })
    sent.on('error', cutOff)
    sent.end()
  })
}
