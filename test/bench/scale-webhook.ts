// The webhook as it is shipped, in a cluster.
import { freePorts } from '../parts/ports.ts'
import { type Shipped, startShipped } from './shipped.ts'

export type ShippedWebhook = Shipped & { readonly port: number }

export type Files = {
  readonly kubeconfig: string
  readonly certs: string
  readonly config: string
  readonly log: string
}

export async function startWebhook(bundle: string, { kubeconfig, certs, config, log }: Files): Promise<ShippedWebhook> {
  const [port, healthPort] = (await freePorts(2)) as [number, number]
  const files = ['--kubeconfig', kubeconfig, '--certs', certs, '--config', config]
  const args = ['webhook', ...files, '--port', String(port)]
  return { ...(await startShipped({ bundle, args, healthPort, log })), port }
}
