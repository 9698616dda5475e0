// Traefik behind a load balancer: reads Ingresses, HTTPRoutes, and Ingresses with the annotations of ingress-nginx.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { array, object } from '../../../src/core/json.ts'
import type { KubeObject } from '../../../src/core/types.ts'
import type { Api } from '../../integration/api.ts'
import { applied } from '../../integration/objects.ts'
import { programAt } from '../../parts/locate.ts'
import { freePorts } from '../../parts/ports.ts'
import { type RunningPart, startPart } from '../../parts/process.ts'
import type { Gateway, GatewayOptions } from './gateway.ts'
import { startLoadBalancer } from './load-balancer.ts'
import { gateway, ingressClass, tlsSecret } from './objects.ts'

export const TRAEFIK = [
  { controller: 'traefik.io/ingress-controller', gateway: 'traefik' },
  { controller: 'traefik.io/gateway-controller', gateway: 'traefik' },
  { controller: 'k8s.io/ingress-nginx', gateway: 'ingress-nginx' },
]

const GATEWAY_CLASS: KubeObject = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'GatewayClass',
  metadata: { name: 'traefik' },
  spec: { controllerName: 'traefik.io/gateway-controller' },
}

export async function startTraefik(options: GatewayOptions): Promise<Gateway> {
  const { controlPlane, api, files, address, certificate, progress } = options
  // A listener of a Gateway finds its entry point by the port.
  const ports = (await freePorts(3)) as [number, number, number]
  const [web, secure] = ports
  await applied(
    controlPlane,
    ingressClass('traefik', 'traefik.io/ingress-controller'),
    ingressClass('nginx', 'k8s.io/ingress-nginx'),
    GATEWAY_CLASS,
    tlsSecret('gateways', 'certificate', certificate),
    gateway('traefik', 'traefik', secure, 'certificate'),
  )
  const defaults = join(files, 'traefik-defaults.yaml')
  writeFileSync(join(files, 'tls.crt'), certificate.cert)
  writeFileSync(join(files, 'tls.key'), certificate.key, { mode: 0o600 })
  const defaultCertificate = { certFile: join(files, 'tls.crt'), keyFile: join(files, 'tls.key') }
  writeFileSync(defaults, stringify({ tls: { stores: { default: { defaultCertificate } } } }))
  const start = () => startProcess(options, defaults, ports)
  const parts: Record<string, RunningPart> = { traefik: await progress.step('Traefik', start) }
  const names = followServices(api, join(files, 'hosts'))
  const balancer = await startLoadBalancer(address, secure)
  return {
    name: 'traefik',
    address,
    port: secure,
    plainPort: web,
    parts,
    async restart(name, whileAway) {
      await parts[name]?.stop('SIGKILL')
      await whileAway?.()
      parts[name] = await start()
    },
    async stop() {
      names.stop()
      await balancer.close()
      for (const part of Object.values(parts)) await part.stop('SIGKILL')
    },
  }
}

async function startProcess(
  { controlPlane, api, dir, files }: GatewayOptions,
  defaults: string,
  [web, secure, own]: readonly [number, number, number],
): Promise<RunningPart> {
  const hosts = join(files, 'hosts')
  writeFileSync(hosts, await clusterNames(api))
  const script = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'
  return startPart({
    name: 'traefik',
    command: 'unshare',
    args: ['--mount', 'sh', '-c', script, 'sh', hosts, programAt('traefik'), ...flags({ web, secure, own, defaults })],
    env: { KUBECONFIG: controlPlane.kubeconfig },
    dir,
    ready: async () => (await fetch(`http://127.0.0.1:${own}/ping`)).ok,
  })
}

function flags({ web, secure, own, defaults }: { web: number; secure: number; own: number; defaults: string }) {
  return [
    '--global.checkNewVersion=false',
    '--global.sendAnonymousUsage=false',
    '--log.level=INFO',
    `--entryPoints.traefik.address=127.0.0.1:${own}`,
    '--ping=true',
    '--api.insecure=true',
    `--entryPoints.web.address=127.0.0.1:${web}`,
    `--entryPoints.websecure.address=127.0.0.1:${secure}`,
    '--entryPoints.websecure.http.tls=true',
    // Otherwise names such as X_Auth_Request_User pass for ours in an application that reads them like CGI does.
    '--entryPoints.websecure.http.aliasHeadersStrategy=delete',
    '--providers.providersThrottleDuration=100ms',
    `--providers.file.filename=${defaults}`,
    // Services have addresses here and no endpoints.
    '--providers.kubernetesIngress.nativeLBByDefault=true',
    '--providers.kubernetesCRD.nativeLBByDefault=true',
    '--providers.kubernetesGateway.nativeLBByDefault=true',
    '--providers.kubernetesIngressNGINX.httpEntryPoint=web',
    '--providers.kubernetesIngressNGINX.httpsEntryPoint=websecure',
  ]
}

/** The cluster's DNS, for this one process: Services by their names. */
async function clusterNames(api: Api): Promise<string> {
  const { body } = await api.send('GET', '/api/v1/services')
  const lines = (array(body.items) as KubeObject[]).map(({ metadata, spec }) => {
    return `${object(spec).clusterIP} ${metadata.name}.${metadata.namespace}.svc.cluster.local`
  })
  return ['127.0.0.1 localhost', ...lines, ''].join('\n')
}

const EVERY_MS = 1_000

function followServices(api: Api, file: string): { stop(): void } {
  const timer = setInterval(() => {
    const written = clusterNames(api).then(names => {
      // In place: another file would not be the one that is mounted.
      if (names !== readFileSync(file, 'utf8')) writeFileSync(file, names)
    })
    // The API server may be away: names stay as they are.
    written.catch(() => {})
  }, EVERY_MS)
  return { stop: () => clearInterval(timer) }
}
