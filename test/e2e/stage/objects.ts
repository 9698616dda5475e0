// Kubernetes objects that the stage is made of.
import type { KubeObject } from '../../../src/core/types.ts'
import type { Endpoint } from '../../parts/service.ts'

export function namespace(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
}

/** With the address that its process listens on: there are no pods that a selector could find. */
export function service(of: string, name: string, { host, port }: Endpoint): KubeObject {
  const spec = { clusterIP: host, ports: [{ name: 'http', port }] }
  return { apiVersion: 'v1', kind: 'Service', metadata: { namespace: of, name }, spec }
}

export function tlsSecret(of: string, name: string, { cert, key }: { cert: string; key: string }): KubeObject {
  const stringData = { 'tls.crt': cert, 'tls.key': key }
  const metadata = { namespace: of, name }
  return { apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/tls', stringData } as KubeObject
}

export function ingressClass(name: string, controller: string): KubeObject {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name }, spec: { controller } }
}

export type Backend = {
  readonly namespace: string
  readonly name: string
  readonly host: string
  readonly service: string
  readonly port: number
}

export function ingress(className: string, { namespace: of, name, host, service, port }: Backend): KubeObject {
  const backend = { service: { name: service, port: { number: port } } }
  const http = { paths: [{ path: '/', pathType: 'Prefix', backend }] }
  const spec = { ingressClassName: className, rules: [{ host, http }] }
  return { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { namespace: of, name }, spec }
}

export function httpRoute(gateway: string, { namespace: of, name, host, service, port }: Backend): KubeObject {
  const parentRefs = [{ namespace: 'gateways', name: gateway }]
  const rules = [{ backendRefs: [{ name: service, port }] }]
  const spec = { parentRefs, hostnames: [host], rules }
  return { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata: { namespace: of, name }, spec }
}

export function gateway(name: string, className: string, port: number, certificate: string): KubeObject {
  const tls = { mode: 'Terminate', certificateRefs: [{ name: certificate }] }
  const allowedRoutes = { namespaces: { from: 'All' } }
  const spec = {
    gatewayClassName: className,
    listeners: [{ name: 'https', protocol: 'HTTPS', port, tls, allowedRoutes }],
  }
  const metadata = { namespace: 'gateways', name }
  return { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', metadata, spec }
}
