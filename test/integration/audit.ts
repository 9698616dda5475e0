// What somebody asked of the API server, as its own audit log has it.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { object, string } from '../../src/core/json.ts'

export type Asked = {
  /** ms since the epoch. */
  readonly at: number
  readonly user: string
  readonly verb: string
  /** Such as `authteams/status.auth.example`; of the core group, `services.`. */
  readonly resource: string
  readonly namespace: string
  readonly name: string
  readonly code: number
}

export type Audit = {
  /** Flags of the API server. */
  readonly args: readonly string[]
  /** Oldest first; the API server adds each when it has been answered, a watch when it begins. */
  asked(): Asked[]
  /** The same without what only reads. */
  writes(): Asked[]
}

const READS: ReadonlySet<string> = new Set(['get', 'list', 'watch'])

/** `users`: of whom. Its files are in `dir`. */
export function audit(dir: string, ...users: readonly string[]): Audit {
  const [policy, log] = [join(dir, 'audit-policy.json'), join(dir, 'audit.log')]
  const rules = [{ level: 'Metadata', users }, { level: 'None' }]
  writeFileSync(
    policy,
    JSON.stringify({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', omitStages: ['RequestReceived'], rules }),
  )
  writeFileSync(log, '')
  const asked = () => {
    const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1)
    return lines.map(line => object(JSON.parse(line))).flatMap(read)
  }
  return {
    args: [`--audit-policy-file=${policy}`, `--audit-log-path=${log}`],
    asked,
    writes: () => asked().filter(each => !READS.has(each.verb)),
  }
}

function read(event: ReturnType<typeof object>): Asked[] {
  const { verb, stage } = event
  const { resource, subresource, apiGroup, namespace, name } = object(event.objectRef)
  // What is no object, such as health; and the end of a watch, whose beginning is there.
  if (resource === undefined || (verb === 'watch') !== (stage === 'ResponseStarted')) return []
  const under = subresource === undefined ? '' : `/${String(subresource)}`
  return [
    {
      at: Date.parse(String(event.requestReceivedTimestamp)),
      user: String(object(event.user).username),
      verb: String(verb),
      resource: `${String(resource)}${under}.${string(apiGroup) ?? ''}`,
      namespace: string(namespace) ?? '',
      name: string(name) ?? '',
      code: Number(object(event.responseStatus).code),
    },
  ]
}
