// A control plane for tests of the controller as it is installed, and whatever it asks of the API server recorded.
import { join } from 'node:path'
import { array, type JsonObject, object, strings } from '../../src/core/json.ts'
import { INJECTED } from '../../src/core/keys.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { startProxy, type TestProxy } from '../kube/proxy.ts'
import { pathOf, serviceAccount } from './api.ts'
import { type Audit, audit } from './audit.ts'
import { CONFIG, ENVOY, GATEWAY, NGINX, namespace } from './cluster-objects.ts'
import { untilLeads } from './controller-pod.ts'
import { gatewayDefinitions } from './gateway-definitions.ts'
import type { Replica } from './installed.ts'
import { type InstalledCluster, installedParts, startInstalled, untilAsked } from './installed-cluster.ts'
import { applied, succeeds } from './objects.ts'
import { NAMESPACE, type Pod } from './pods.ts'

export const CONTROLLER = serviceAccount(NAMESPACE, 'portcullis-controller')
export const controllerParts = installedParts

export type ControllerCluster = InstalledCluster & {
  readonly audit: Audit
  /** A proxy before the API server, for one replica of the controller. */
  proxy(): Promise<TestProxy>
  /** Undefined: it is not there. */
  get(document: KubeObject): Promise<KubeObject | undefined>
  /** Everything of a kind, such as `securitypolicies`. */
  all(kind: string, ...args: readonly string[]): Promise<KubeObject[]>
  /** The condition Ready of a team; empty: nothing is said of it yet. */
  ready(team: string): Promise<JsonObject>
  /** Nobody of ours is asked any more before an object is stored, as if somebody had removed the entries. */
  withoutAdmission(): Promise<void>
}

export type ControllerClusterOptions = {
  /** Whether the kinds of Envoy Gateway and Traefik are there; unless said otherwise, they are. */
  readonly hasGateways?: boolean
}

/** With an ingress-nginx and a Gateway of Envoy Gateway. Nothing of ours runs yet, and there is no team. */
export async function startControllerCluster(options: ControllerClusterOptions = {}): Promise<ControllerCluster> {
  const { hasGateways = true } = options
  let audited: Audit | undefined
  const cluster = await startInstalled({
    replicas: [],
    definitions: hasGateways ? gatewayDefinitions() : [],
    extraArgs: dir => {
      audited = audit(dir, CONTROLLER.name)
      return audited.args
    },
  })
  const { controlPlane, api } = cluster
  await applied(controlPlane, namespace('gateways'), NGINX, ...(hasGateways ? [ENVOY, GATEWAY] : []))
  const proxies: TestProxy[] = []
  return {
    ...cluster,
    audit: audited as Audit,
    async proxy() {
      const proxy = await startProxy(join(controlPlane.dir, 'kubeconfig-portcullis-controller'), controlPlane.dir)
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
    async ready(team) {
      const { body } = await api.send('GET', `/apis/auth.example/v1alpha1/authteams/${team}`)
      const conditions = array(object(body.status).conditions).map(object)
      return conditions.find(({ type }) => type === 'Ready') ?? {}
    },
    async withoutAdmission() {
      const kinds = 'validatingadmissionpolicybindings,validatingwebhookconfigurations,mutatingwebhookconfigurations'
      await succeeds(controlPlane, ['delete', kinds, '-l', 'app.kubernetes.io/name=portcullis'])
    },
    async stop() {
      for (const proxy of proxies) await proxy.stop()
      await cluster.stop()
    },
  }
}

export type Serving = { readonly webhook: Replica; readonly controller: Pod }

/** A webhook that is asked and a controller that leads. `args`: more of the controller's. Before there is a team. */
export async function serve(
  { installed, api }: ControllerCluster,
  config: KubeObject = CONFIG,
  args: readonly string[] = [],
): Promise<Serving> {
  const [webhook, controller] = await Promise.all([
    installed.start({ config }),
    installed.startController({ config, args }),
  ])
  await webhook.ready()
  await untilAsked(api)
  await untilLeads(controller)
  return { webhook, controller }
}

/** Whether Portcullis has protected this route. */
export function hasRecord(route: KubeObject | undefined): boolean {
  return strings(route?.metadata.annotations)[INJECTED] !== undefined
}
