// The cluster that commands for administrators work on: how to reach it, and the configuration that is in force there.
import { type Config, defaultConfig } from '../api/config.ts'
import { object, string } from '../core/json.ts'
import { readConfig, readConfigFile } from '../facts/config-file.ts'
import { type Connection, connect } from '../kube/connection.ts'
import { createWriter } from '../kube/writer.ts'
import { failure } from './io.ts'

export type ClusterOptions = { readonly kubeconfig?: string; readonly config?: string }

export type Installed = {
  readonly connection: Connection
  readonly config: Config
  /** Why it is not the configuration of the installation; undefined: it is. */
  readonly note?: string
}

/** Where the manifests put the configuration. */
const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'portcullis', name: 'portcullis' }
const KEY = 'config.yaml'

/** Problems: each in one line. */
export async function reachInstalled({
  kubeconfig,
  config: file,
}: ClusterOptions): Promise<Installed | { readonly problems: readonly string[] }> {
  const read = file === undefined ? undefined : await readConfigFile(file)
  if (read !== undefined && 'problems' in read) return read
  let connection: Connection
  try {
    connection = await connect(kubeconfig)
  } catch (error) {
    return { problems: [`${failure(error).message}; --kubeconfig names a cluster`] }
  }
  const found = read ?? (await storedConfig(connection))
  if ('config' in found) return { connection, ...found }
  connection.close()
  return found
}

type Found = { readonly config: Config; readonly note?: string } | { readonly problems: readonly string[] }

async function storedConfig(connection: Connection): Promise<Found> {
  const name = `ConfigMap ${CONFIG_MAP.namespace}/${CONFIG_MAP.name}`
  const defaults = (why: string) => ({
    config: defaultConfig(),
    note: `${name} ${why}, so defaults are taken for the configuration; --config names a file`,
  })
  const written = await createWriter(connection).get(CONFIG_MAP)
  switch (written.outcome) {
    case 'done': {
      const text = string(object(written.object.data)[KEY])
      return text === undefined ? defaults(`has no ${KEY}`) : readConfig(text, `${name} ${KEY}`)
    }
    case 'gone':
    case 'nowhere':
      return defaults('is not there')
    case 'refused':
      return defaults(`cannot be read (${written.message})`)
    default:
      return {
        problems: [`${connection.server} does not answer: ${'message' in written ? written.message : written.outcome}`],
      }
  }
}
