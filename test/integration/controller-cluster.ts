// A control plane for tests of the controller as it is installed, and whatever it asks of the API server recorded.
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { connect as connectTo } from '../../src/kube/connection.ts'
import { readLines } from '../../src/kube/lines.ts'
import { startProxy, type TestProxy } from '../kube/proxy.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { crdFiles } from '../parts/crds.ts'
import { type Api, connect, pathOf, serviceAccount } from './api.ts'
import { type Audit, audit } from './audit.ts'
import { until } from './cluster-webhook.ts'
import { type Installed, install } from './installed.ts'
import { succeeds } from './objects.ts'
import { NAMESPACE, type Pod } from './pods.ts'

export const CONTROLLER = serviceAccount(NAMESPACE, 'portcullis-controller')
export const controllerParts = [...controlPlaneParts, 'envoy-gateway-crds', 'traefik-crds'] as const

export type ControllerCluster = {
  readonly controlPlane: ControlPlane
  readonly installed: Installed
  readonly api: Api
  readonly audit: Audit
  /** A proxy before the API server, for one replica of the controller. */
  proxy(): Promise<TestProxy>
  /** Undefined: it is not there. */
  get(document: KubeObject): Promise<KubeObject | undefined>
  /** Everything of a kind, such as `securitypolicies`. */
  all(kind: string, ...args: readonly string[]): Promise<KubeObject[]>
  /** Takes away what asks webhooks and policies before an object is stored. */
  stopAsking(): Promise<void>
  stop(): Promise<void>
}

export async function startControllerCluster(
  crds: readonly ('envoy-gateway' | 'traefik' | 'gateway-api')[] = ['envoy-gateway', 'traefik'],
): Promise<ControllerCluster> {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-'))
  const audited = audit(dir, CONTROLLER.name)
  const controlPlane = await startControlPlane({ dir, extraArgs: audited.args })
  if (crds.length > 0) await controlPlane.applyCrds(...crds.flatMap(crdFiles))
  const installed = await install(controlPlane)
  const api = connect(controlPlane)
  const proxies: TestProxy[] = []
  return {
    controlPlane,
    installed,
    api,
    audit: audited,
    async proxy() {
      const proxy = await startProxy(join(dir, 'kubeconfig-portcullis-controller'), dir)
      proxies.push(proxy)
      return proxy
    },
    async get(document) {
      const { status, body } = await api.send('GET', pathOf(document))
      return status === 200 ? (body as unknown as KubeObject) : undefined
    },
    async all(kind, ...args) {
      const { items } = object(JSON.parse(await succeeds(controlPlane, ['get', kind, '-o', 'json', ...args])))
      return items as KubeObject[]
    },
    async stopAsking() {
      const kinds = 'validatingadmissionpolicybindings,validatingwebhookconfigurations,mutatingwebhookconfigurations'
      await succeeds(controlPlane, ['delete', kinds, '-l', 'app.kubernetes.io/name=portcullis'])
    },
    async stop() {
      api.close()
      await installed.stop()
      for (const proxy of proxies) await proxy.stop()
      await controlPlane.stop()
    },
  }
}

/** With what its log says while it doesn't. */
export async function untilLeads(pod: Pod): Promise<void> {
  await until(async () => (await pod.metric('portcullis_leader')) === 1, 'it leads', 60_000)
}

/** Writes what is mounted as the configuration of this pod; it looks every few seconds. */
export function reconfigure({ controlPlane }: ControllerCluster, { host }: Pod, config: object): void {
  writeFileSync(join(controlPlane.dir, `portcullis-controller-${host}`, 'config.yaml'), stringify(config))
}

/** Has a full pass made, and waits for it. */
export async function lookedAtEverything({ api }: ControllerCluster, leader: Pod): Promise<void> {
  const passes = () => leader.metric('portcullis_passes_total{complete="true"}')
  const before = (await passes()) || 0
  // One more class, or one less, may concern every route.
  const [apiVersion, name] = ['networking.k8s.io/v1', `pass-${before}`]
  const other = { apiVersion, kind: 'IngressClass', metadata: { name }, spec: { controller: 'example.com/other' } }
  await api.create(other)
  await until(async () => (await passes()) > before, 'everything is looked at again', 60_000)
  await api.remove(other)
}

/** Lines of the log with this message. */
export function logged(pod: Pod, message: string): readonly object[] {
  return pod
    .log()
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => object(JSON.parse(line)))
    .filter(line => line.msg === message)
}

export type Version = { readonly at: number; readonly type: string; readonly object: KubeObject }

/** Every version of the objects of one list from now on, in the order in which they were stored. `seen` hears of each. */
export async function recordVersions(
  { controlPlane }: ControllerCluster,
  list: string,
  seen: (version: Version) => void = () => {},
): Promise<{ readonly versions: Version[]; stop(): void }> {
  const connection = await connectTo(controlPlane.kubeconfig, {})
  const { body } = await connection.request({ path: list, timeoutMs: 10_000 })
  const from = String(object(JSON.parse(body).metadata).resourceVersion)
  const path = `${list}?watch=true&resourceVersion=${from}&timeoutSeconds=600`
  const stream = await connection.stream({ path, timeoutMs: 10_000 })
  if (!('chunks' in stream)) throw new Error(stream.body)
  const versions: Version[] = []
  const read = async () => {
    for await (const line of readLines(stream.chunks, () => {})) {
      const event = JSON.parse(line) as { type: string; object: KubeObject }
      const version = { at: Date.now(), ...event }
      versions.push(version)
      seen(version)
    }
  }
  read().catch(() => {})
  return { versions, stop: () => connection.close() }
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
