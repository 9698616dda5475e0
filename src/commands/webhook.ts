// `portcullis webhook`: serves admission in a cluster, or from documents in a folder with no cluster.
import type { LogLevel } from '../log.ts'
import { type Io, USAGE } from './io.ts'

export type WebhookOptions = {
  readonly standalone?: string
  readonly kubeconfig?: string
  readonly config?: string
  readonly port?: number
  readonly host?: string
  /** Folder; absent: as the configuration says, standalone `certs`. */
  readonly certs?: string
  readonly healthPort?: number
  readonly clientCa?: string
  readonly clientName?: readonly string[]
  /** Seconds. */
  readonly drainDelay?: number
  readonly logLevel: LogLevel
}

export async function webhook(options: WebhookOptions, io: Io): Promise<number> {
  if ((options.clientCa === undefined) !== (options.clientName === undefined)) {
    io.err('--client-ca and --client-name go together: who issues the certificates, and which of them may ask\n')
    return USAGE
  }
  const { standalone } = options
  if (standalone !== undefined) {
    return (await import('./webhook/standalone.ts')).standaloneWebhook({ ...options, standalone }, io)
  }
  return (await import('./webhook/cluster.ts')).clusterWebhook(options, io)
}
