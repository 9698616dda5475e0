// Applications behind the gateway: processes that answer with what reached them.
import { join } from 'node:path'
import { type RunningPart, startPart } from '../../parts/process.ts'
import type { Endpoint } from '../../parts/service.ts'
import { accepts } from './accepts.ts'

/** What an application says of a request. */
export type Reached = {
  readonly application: string
  readonly method: string
  /** Path and query as they came. */
  readonly url: string
  /** In order, names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

export function startApplication(dir: string, name: string, { host, port }: Endpoint): Promise<RunningPart> {
  return startPart({
    name: `application-${name}`,
    command: process.execPath,
    args: [join(import.meta.dirname, 'application-main.ts'), `${name}@${host}:${port}`],
    dir,
    ready: () => accepts({ host, port }),
  })
}
