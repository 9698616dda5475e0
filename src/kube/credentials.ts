// Who we are to the API server, and where it is: from a kubeconfig, or from the Pod's service account.
import { access } from 'node:fs/promises'
import type { Agent, AgentOptions } from 'node:https'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { kubeconfigCredentials } from './kubeconfig.ts'
import { serviceAccountCredentials } from './service-account.ts'

export type Tls = Pick<AgentOptions, 'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'>

export type Credentials = {
  readonly server: string
  readonly tls: Tls
  /** What proves who asks. Never logged. */
  readonly headers: Readonly<Record<string, string>>
  /** Where commands work when they are not told. */
  readonly namespace?: string
  /** The way to the server, where a plain connection is none. */
  readonly agent?: Agent
}

/** `afresh`: nothing that was remembered is good any more. */
export type ReadCredentials = (afresh: boolean) => Promise<Credentials>

export type Environment = Readonly<Record<string, string | undefined>>

/** A kubeconfig by its path, `$KUBECONFIG`, the one in the home folder, or the Pod's service account, in this order. */
export async function findCredentials(kubeconfig: string | undefined, env: Environment): Promise<ReadCredentials> {
  if (kubeconfig !== undefined) return kubeconfigCredentials([kubeconfig])
  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter(file => file !== '')
  if (listed.length > 0) return kubeconfigCredentials(listed)
  const own = join(env.HOME ?? homedir(), '.kube', 'config')
  if (await isThere(own)) return kubeconfigCredentials([own])
  const pod = serviceAccountCredentials(env)
  if (pod !== undefined) return pod
  throw new Error(`no cluster to connect to: neither $KUBECONFIG nor ${own} is there, and this is no Pod`)
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}
