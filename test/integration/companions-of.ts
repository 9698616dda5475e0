// What render makes besides the routes, for clusters in which nobody makes companions yet.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { KubeObject } from '../../src/core/types.ts'
import { nameOf } from '../golden/case.ts'
import { MAIN } from './cluster-webhook.ts'
import { fromYaml, inYaml } from './objects.ts'

/** By the real command. */
export async function companionsOf(documents: readonly KubeObject[]): Promise<KubeObject[]> {
  const running = promisify(execFile)(process.execPath, [MAIN, 'render', '-f', '-'])
  running.child.stdin?.end(inYaml(documents))
  const given = new Set(documents.map(nameOf))
  return fromYaml((await running).stdout).filter(each => !given.has(nameOf(each)))
}
