// Envoy Gateway with its Envoy, behind a load balancer. It writes Deployment and Service of the proxy as in any cluster;
// the process of that Deployment is started here.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { stringify } from 'yaml'
import { array, object } from '../../../src/core/json.ts'
import type { KubeObject } from '../../../src/core/types.ts'
import { until } from '../../integration/api.ts'
import { applied, succeeds } from '../../integration/objects.ts'
import type { ControlPlane } from '../../parts/control-plane.ts'
import { programAt } from '../../parts/locate.ts'
import { freePorts } from '../../parts/ports.ts'
import { type RunningPart, startPart } from '../../parts/process.ts'
import { accepts } from './accepts.ts'
import { startEnvoy } from './envoy.ts'
import type { Gateway, GatewayOptions } from './gateway.ts'
import { startLoadBalancer } from './load-balancer.ts'
import { gateway, namespace, tlsSecret } from './objects.ts'

const NAMESPACE = 'envoy-gateway-system'
const CONTROLLER = 'gateway.envoyproxy.io/gatewayclass-controller'
const OWNED = ['-n', NAMESPACE, '-l', 'gateway.envoyproxy.io/owning-gateway-name=envoy', '-o', 'json']

/** Where Envoy Gateway looks for the certificate that it shows its proxies; no flag changes it. */
const CERTS = '/certs'

/** Where its proxies find it; no flag changes it either, so that a machine has room for one Envoy Gateway. */
const XDS_PORT = 18_000

/** How long a proxy keeps connections that have an old filter chain. */
const DRAIN_SECONDS = 5

export const ENVOY_GATEWAY = {
  controller: CONTROLLER,
  gateway: 'envoy-gateway',
  handedOver: [{ namespace: 'gateways', name: 'envoy', drainSeconds: DRAIN_SECONDS, keepEscapedSlashes: true }],
}

export async function startEnvoyGateway(options: GatewayOptions): Promise<Gateway> {
  const parts: Record<string, RunningPart> = {}
  const stopParts = async () => {
    for (const part of Object.values(parts)) await part.stop('SIGKILL')
  }
  try {
    const { start, port } = await startParts(options, parts)
    const balancer = await startLoadBalancer(options.address, port)
    return {
      name: 'envoy-gateway',
      address: options.address,
      port,
      parts,
      async restart(name, whileAway) {
        await parts[name]?.stop('SIGKILL')
        await whileAway?.()
        parts[name] = await (start[name] as Start)()
      },
      async stop() {
        await balancer.close()
        await stopParts()
      },
    }
  } catch (error) {
    await stopParts()
    throw error
  }
}

type Start = () => Promise<RunningPart>

async function startParts(
  options: GatewayOptions,
  parts: Record<string, RunningPart>,
): Promise<{ start: Readonly<Record<string, Start>>; port: number }> {
  const { controlPlane, dir, files, certificate, progress } = options
  const [port] = (await freePorts(1)) as [number]
  await applied(controlPlane, namespace(NAMESPACE))
  const certs = await makeCertificates(controlPlane, files)
  const startController = () => startControllerOf(options, certs['envoy-gateway'] as string)
  parts['envoy-gateway'] = await progress.step('Envoy Gateway', startController)
  await applied(controlPlane, tlsSecret('gateways', 'certificate', certificate), ENVOY_PROXY)
  await applied(controlPlane, GATEWAY_CLASS, gateway('envoy', 'envoy', port, 'certificate'))
  const envoy = await progress.step('Envoy Gateway wants a proxy', () => wanted(controlPlane))
  const startProxy = () => startEnvoy({ ...envoy, dir, files, certs: certs.envoy as string })
  parts.envoy = await progress.step('Envoy', startProxy)
  await progress.step('Gateway programmed', () => untilProgrammed(controlPlane, envoy.deployment))
  return { start: { 'envoy-gateway': startController, envoy: startProxy }, port }
}

const GATEWAY_CLASS: KubeObject = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'GatewayClass',
  metadata: { name: 'envoy' },
  spec: {
    controllerName: CONTROLLER,
    parametersRef: { group: 'gateway.envoyproxy.io', kind: 'EnvoyProxy', name: 'proxy', namespace: NAMESPACE },
  },
}

const ENVOY_PROXY: KubeObject = {
  apiVersion: 'gateway.envoyproxy.io/v1alpha1',
  kind: 'EnvoyProxy',
  metadata: { name: 'proxy', namespace: NAMESPACE },
  spec: {
    // Services have addresses here and no endpoints.
    routingType: 'Service',
    concurrency: 1,
    // Its port is one that Envoy Gateway itself listens on.
    telemetry: { metrics: { prometheus: { disable: true } } },
    shutdown: { drainTimeout: `${DRAIN_SECONDS}s` },
    provider: { type: 'Kubernetes', kubernetes: { envoyService: { type: 'ClusterIP' } } },
  },
}

const SETTINGS = {
  apiVersion: 'gateway.envoyproxy.io/v1alpha1',
  kind: 'EnvoyGateway',
  gateway: { controllerName: CONTROLLER },
  telemetry: { metrics: { prometheus: { disable: true } } },
  provider: {
    type: 'Kubernetes',
    kubernetes: { leaderElection: { disable: true }, proxyTopologyInjector: { disabled: true } },
  },
}

/** Has Envoy Gateway make its Secrets, and gives for each the folder with its files. */
async function makeCertificates(controlPlane: ControlPlane, files: string): Promise<Record<string, string>> {
  const env = { ...process.env, KUBECONFIG: controlPlane.kubeconfig, ENVOY_GATEWAY_NAMESPACE: NAMESPACE }
  await promisify(execFile)(programAt('envoy-gateway'), ['certgen', '--disable-topology-injector'], { env })
  const folders: Record<string, string> = {}
  for (const name of ['envoy-gateway', 'envoy']) {
    const folder = join(files, 'certificates', name)
    mkdirSync(folder, { recursive: true })
    const secret = JSON.parse(await succeeds(controlPlane, ['get', 'secret', name, '-n', NAMESPACE, '-o', 'json']))
    for (const file of ['ca.crt', 'tls.crt', 'tls.key']) {
      writeFileSync(join(folder, file), Buffer.from(String(object(secret.data)[file]), 'base64'), { mode: 0o600 })
    }
    folders[name] = folder
  }
  return folders
}

/** With its certificate mounted, for this process alone, where it looks for it. */
async function startControllerOf({ controlPlane, dir, files }: GatewayOptions, certs: string): Promise<RunningPart> {
  if (await accepts({ host: '127.0.0.1', port: XDS_PORT })) {
    throw new Error(`port ${XDS_PORT} is taken: another Envoy Gateway runs on this machine, and there is room for one`)
  }
  if (!existsSync(CERTS)) mkdirSync(CERTS)
  const settings = join(files, 'envoy-gateway.yaml')
  writeFileSync(settings, stringify(SETTINGS))
  const script = 'mount --bind "$1" "$2" && exec "$3" server --config-path "$4"'
  return startPart({
    name: 'envoy-gateway',
    command: 'unshare',
    args: ['--mount', 'sh', '-c', script, 'sh', certs, CERTS, programAt('envoy-gateway'), settings],
    env: { KUBECONFIG: controlPlane.kubeconfig, ENVOY_GATEWAY_NAMESPACE: NAMESPACE },
    dir,
    ready: () => accepts({ host: '127.0.0.1', port: XDS_PORT }),
  })
}

async function wanted(
  controlPlane: ControlPlane,
): Promise<{ deployment: KubeObject; secrets: Readonly<Record<string, string>> }> {
  const items = async (kind: string) =>
    array(JSON.parse(await succeeds(controlPlane, ['get', kind, ...OWNED])).items) as KubeObject[]
  await until('the Deployment of the proxy is there', async () => (await items('deployments')).length > 0)
  const maps = await items('configmaps')
  const secrets = Object.assign({}, ...maps.map(({ data }) => object(data))) as Record<string, string>
  return { deployment: (await items('deployments'))[0] as KubeObject, secrets }
}

/** Nobody else says of the Deployment that its pod runs. */
async function untilProgrammed(controlPlane: ControlPlane, { metadata }: KubeObject): Promise<void> {
  const status = { replicas: 1, readyReplicas: 1, availableReplicas: 1, updatedReplicas: 1 }
  const patch = ['--type=merge', '-p', JSON.stringify({ status })]
  const deployment = ['deployment', String(metadata.name), '-n', NAMESPACE]
  await succeeds(controlPlane, ['patch', ...deployment, '--subresource=status', ...patch])
  const wait = ['--for=condition=Programmed', 'gateway/envoy', '-n', 'gateways', '--timeout=60s']
  await succeeds(controlPlane, ['wait', ...wait])
}
