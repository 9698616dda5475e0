// What the webhook and the controller begin with: a configuration, and a connection to the cluster.
import { type Config, defaultConfig } from '../api/config.ts'
import { readConfigFile } from '../facts/config-file.ts'
import { type Connection, connect } from '../kube/connection.ts'
import { failure } from './io.ts'

export type Start = { readonly config: Config; readonly connection: Connection }

export type StartOptions = { readonly config?: string; readonly kubeconfig?: string }

/** Problems: each in one line. `otherwise`: what the command can do without a cluster. */
export async function prepare(
  { config: file, kubeconfig }: StartOptions,
  otherwise = '',
): Promise<Start | { readonly problems: readonly string[] }> {
  const read = file === undefined ? { config: defaultConfig() } : await readConfigFile(file)
  if ('problems' in read) return read
  try {
    return { config: read.config, connection: await connect(kubeconfig) }
  } catch (error) {
    return { problems: [`${failure(error).message}; --kubeconfig names a cluster${otherwise}`] }
  }
}
