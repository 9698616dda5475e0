// The credentials that the kubelet puts into every Pod.
import { readFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import type { Environment, ReadCredentials } from './credentials.ts'

const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Undefined outside a Pod. The token is replaced long before it ends (after 80 % of its life), so files are re-read. */
export function serviceAccountCredentials(env: Environment, folder = FOLDER): ReadCredentials | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env
  if (host === undefined || port === undefined) return undefined
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`
  const read = (name: string) => readFile(join(folder, name), 'utf8')
  return async () => {
    const [token, ca, namespace] = await Promise.all([read('token'), read('ca.crt'), read('namespace')])
    return {
      server,
      tls: { ca },
      headers: { Authorization: `Bearer ${token.trim()}` },
      namespace: namespace.trim(),
    }
  }
}
