// The credentials of a kubeconfig's current context: those written down are read here, all others by client-node.
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import { array, isObject, type JsonObject, object, string } from '../core/json.ts'
import type { Credentials, ReadCredentials, Tls } from './credentials.ts'

type Entry = { readonly value: JsonObject; readonly folder: string }
type Context = { readonly cluster: Entry; readonly user: Entry; readonly namespace: string | undefined }

/**
 * client-node loads all kinds of the API with its KubeConfig: 85 MB and more than a second (2.0.1), more than the whole
 * webhook takes. So it is loaded where a program has to be run for a token, or a proxy is in the way, and only there.
 */
export function kubeconfigCredentials(files: readonly string[]): ReadCredentials {
  let beyond: ReadCredentials | undefined
  return async afresh => {
    const context = await currentContext(files)
    if (isWrittenDown(context)) return readWrittenDown(context)
    beyond ??= (await import('./client-node.ts')).clientNodeCredentials(files)
    return beyond(afresh)
  }
}

function isWrittenDown({ cluster, user }: Context): boolean {
  const { exec, 'auth-provider': provider, username } = user.value
  return [exec, provider, username, cluster.value['proxy-url']].every(each => each === undefined || each === null)
}

async function readWrittenDown({ cluster, user, namespace }: Context): Promise<Credentials> {
  const server = string(cluster.value.server)
  if (server === undefined) throw new Error('the current cluster of the kubeconfig has no server')
  // As client-go does: the file goes first, because somebody renews it.
  const token = (await file(user, 'tokenFile')) ?? string(user.value.token)
  const impersonated = string(user.value.as)
  return {
    server,
    tls: await readTls(cluster, user),
    headers: {
      ...(token === undefined ? {} : { Authorization: `Bearer ${token.trim()}` }),
      ...(impersonated === undefined ? {} : { 'Impersonate-User': impersonated }),
    },
    ...(namespace === undefined ? {} : { namespace }),
  }
}

async function readTls(cluster: Entry, user: Entry): Promise<Tls> {
  const [ca, cert, key] = await Promise.all([
    material(cluster, 'certificate-authority'),
    material(user, 'client-certificate'),
    material(user, 'client-key'),
  ])
  const servername = string(cluster.value['tls-server-name'])
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
    ...(cluster.value['insecure-skip-tls-verify'] === true ? { rejectUnauthorized: false } : {}),
  }
}

/** As kubectl does: what stands in the kubeconfig goes before the file that it names. */
async function material(entry: Entry, key: string): Promise<string | undefined> {
  const data = string(entry.value[`${key}-data`])
  return data === undefined ? file(entry, key) : Buffer.from(data, 'base64').toString('utf8')
}

async function file({ value, folder }: Entry, key: string): Promise<string | undefined> {
  const path = string(value[key])
  return path === undefined ? undefined : readFile(resolve(folder, path), 'utf8')
}

/** Of several files the first that has a name, or names a context, counts. */
async function currentContext(files: readonly string[]): Promise<Context> {
  const configs = await Promise.all(files.map(readKubeconfig))
  const find = (list: string, field: string, name: unknown): Entry => {
    for (const { value, folder } of configs) {
      const found = array(value[list]).find(each => object(each).name === name)
      if (found !== undefined) return { value: object(object(found)[field]), folder }
    }
    throw new Error(`the kubeconfig ${files.join(', ')} has no ${field} named ${JSON.stringify(name)}`)
  }
  const current = configs.map(({ value }) => string(value['current-context'])).find(Boolean)
  if (current === undefined) throw new Error(`the kubeconfig ${files.join(', ')} names no current context`)
  const context = find('contexts', 'context', current).value
  const namespace = string(context.namespace)
  const cluster = find('clusters', 'cluster', context.cluster)
  // A context without a user asks anonymously.
  const user = context.user === undefined ? { value: {}, folder: '' } : find('users', 'user', context.user)
  return { cluster, user, namespace }
}

async function readKubeconfig(path: string): Promise<Entry> {
  const text = await readFile(path, 'utf8')
  const value = parseQuietly(text)
  if (!isObject(value)) throw new Error(`${path} is no kubeconfig`)
  return { value, folder: dirname(path) }
}

/** A parser's error shows the lines around it, and a token may be on one of them. */
function parseQuietly(text: string): unknown {
  try {
    return parse(text, { logLevel: 'error' })
  } catch {
    return undefined
  }
}
