// Replicas of the controller, each behind a proxy of its own that records what it sends and may break it.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TestProxy } from '../kube/proxy.ts'
import { CONFIG } from './cluster-objects.ts'
import type { ControllerCluster } from './controller-cluster.ts'
import type { Pod } from './pods.ts'

const LEASE = 'leases/portcullis-controller'

export type Sent = { readonly at: number; readonly by: string; readonly method: string; readonly path: string }
export type Replica = { readonly name: string; readonly pod: Pod; readonly proxy: TestProxy }
/** True: it has answered, or nobody will; the request goes no further. */
export type Break = (sent: Sent, response: ServerResponse, request: IncomingMessage, proxy: TestProxy) => boolean

export type Replicas = {
  /** By the name of a replica. */
  readonly breaks: Map<string, Break>
  /** All that they sent, oldest first. */
  readonly sent: readonly Sent[]
  /** Alive when this resolves. */
  start(name: string): Promise<Replica>
  /** What they sent to change something, but for the Lease. */
  writes(): Sent[]
  writtenIn(namespace: string, by?: string): Sent[]
  renewals(by: string): Sent[]
  log(): string
  /** Ends them, also those that are paused, and forgets all of them. */
  end(): Promise<void>
}

export function controllerReplicas(cluster: () => ControllerCluster): Replicas {
  const breaks = new Map<string, Break>()
  const sent: Sent[] = []
  const started: Replica[] = []
  const writes = () =>
    sent.filter(({ method, path }) => method !== 'GET' && !path.endsWith(LEASE) && !path.endsWith('/leases'))
  return {
    breaks,
    sent,
    async start(name) {
      const proxy = await cluster().proxy()
      proxy.fault = ({ path }, response, request) => {
        const one = { at: Date.now(), by: name, method: request.method ?? '', path }
        sent.push(one)
        return breaks.get(name)?.(one, response, request, proxy) ?? false
      }
      const args = ['--kubeconfig', proxy.kubeconfig]
      const replica = { name, pod: await cluster().installed.startController({ config: CONFIG, args }), proxy }
      started.push(replica)
      return replica
    },
    writes,
    writtenIn: (namespace, by) =>
      writes().filter(each => each.path.includes(`/namespaces/${namespace}/`) && (by === undefined || each.by === by)),
    renewals: by => sent.filter(each => each.by === by && each.method === 'PATCH' && each.path.endsWith(LEASE)),
    log: () => started.map(({ pod }) => pod.log().slice(-5000)).join('\n'),
    async end() {
      breaks.clear()
      for (const { pod } of started.splice(0)) {
        if (!pod.part.hasEnded()) process.kill(pod.part.pid, 'SIGCONT')
        await pod.terminate()
      }
      sent.length = 0
    },
  }
}
