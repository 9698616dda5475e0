// Who asks how much of the API server, by its own audit log: each process has a token of its own, which the log names.
import { closeSync, fstatSync, openSync, readSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { array, object } from '../../src/core/json.ts'

export type Requests = {
  /** Flags of the API server. */
  readonly args: readonly string[]
  /** A place in the log. */
  mark(): number
  /** How many with a token since then, by verb and resource; a watch when it begins. */
  since(mark: number, token: string): ReadonlyMap<string, number>
}

/** `users`: of whom. Its files are in `dir`. */
export function requests(dir: string, users: readonly string[]): Requests {
  const [policy, log] = [join(dir, 'audit-policy.json'), join(dir, 'audit.log')]
  const rules = [{ level: 'Metadata', users }, { level: 'None' }]
  const omitStages = ['RequestReceived']
  writeFileSync(policy, JSON.stringify({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', omitStages, rules }))
  writeFileSync(log, '')
  return {
    args: [`--audit-policy-file=${policy}`, `--audit-log-path=${log}`],
    mark: () => statSync(log).size,
    since(mark, token) {
      const counts = new Map<string, number>()
      const lines = textFrom(log, mark).split('\n').slice(0, -1)
      for (const event of lines.map(line => object(JSON.parse(line)))) {
        // A long-running request is told twice.
        if (
          credentialOf(event) !== credential(token) ||
          (event.verb === 'watch') !== (event.stage === 'ResponseStarted')
        )
          continue
        const what = `${event.verb} ${object(event.objectRef).resource ?? event.requestURI}`
        counts.set(what, (counts.get(what) ?? 0) + 1)
      }
      return counts
    },
  }
}

function textFrom(file: string, from: number): string {
  const open = openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(fstatSync(open).size - from)
    readSync(open, bytes, 0, bytes.length, from)
    return bytes.toString()
  } finally {
    closeSync(open)
  }
}

/** By this name the API server's log knows a token of a service account. */
function credential(token: string): string {
  const claims = object(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()))
  return `JTI=${claims.jti}`
}

function credentialOf(event: ReturnType<typeof object>): string {
  return String(array(object(object(event.user).extra)['authentication.kubernetes.io/credential-id'])[0])
}
