// Credentials that somebody else has to make: programs run for a token, login providers, proxies. By client-node.
import type { RequestOptions } from 'node:https'
import { KubeConfig } from '@kubernetes/client-node'
import type { Credentials, ReadCredentials, Tls } from './credentials.ts'

/** Tokens are remembered in the KubeConfig for as long as they say, so a fresh one needs a new KubeConfig. */
export function clientNodeCredentials(files: readonly string[]): ReadCredentials {
  let config = load(files)
  return async afresh => {
    if (afresh) config = load(files)
    return read(config)
  }
}

function load(files: readonly string[]): KubeConfig {
  const config = new KubeConfig()
  for (const [i, file] of files.entries()) {
    if (i === 0) {
      config.loadFromFile(file)
      continue
    }
    const next = new KubeConfig()
    next.loadFromFile(file)
    config.mergeConfig(next)
  }
  return config
}

async function read(config: KubeConfig): Promise<Credentials> {
  const cluster = config.getCurrentCluster()
  if (cluster === null) throw new Error('the kubeconfig has no current cluster')
  const options: RequestOptions = {}
  await config.applyToHTTPSOptions(options)
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace
  return {
    server: cluster.server,
    tls: tlsOf(options),
    headers: headersOf(options),
    ...(namespace === undefined ? {} : { namespace }),
    ...(cluster.proxyUrl === undefined ? {} : { agent: options.agent as NonNullable<Credentials['agent']> }),
  }
}

function tlsOf({ ca, cert, key, servername, rejectUnauthorized }: RequestOptions): Tls {
  const text = <T>(value: T) => (Buffer.isBuffer(value) ? value.toString('utf8') : value)
  const found = { ca: text(ca), cert: text(cert), key: text(key), servername, rejectUnauthorized }
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined && value !== null))
}

function headersOf({ headers, auth }: RequestOptions): Record<string, string> {
  const basic = typeof auth === 'string' ? { Authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {}
  const own = Object.entries(headers ?? {}).map(([name, value]) => [name, String(value).trim()])
  return { ...basic, ...Object.fromEntries(own) }
}
