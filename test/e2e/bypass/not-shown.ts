// What of the ways around a login no row can show on the stage, and why.
import type { WayId } from './catalogue.ts'

export type NotShown = { readonly of: WayId; readonly what: string; readonly why: string }

export const NOT_SHOWN: readonly NotShown[] = [
  {
    of: 'G6',
    what: 'a Service without a selector and endpoints written by hand, a ServiceImport',
    why: 'the gateways of the stage take the address of a Service and not its endpoints; nobody reads ServiceImports',
  },
  {
    of: 'G7',
    what: 'a Backend where the administrator of Envoy Gateway has turned them on',
    why: 'the stage leaves them off, as Envoy Gateway comes',
  },
  {
    of: 'G8',
    what: 'TLSRoute and UDPRoute, routes of other controllers, Services of type LoadBalancer or NodePort, hostNetwork',
    why: 'no application of the stage speaks TLS or UDP, nobody reads those routes, and there are no nodes',
  },
  {
    of: 'G19',
    what: 'an external processor, Wasm or a module on another route of the host',
    why: "it takes a program of the owner's that speaks Envoy's own protocol, where a second route to the Service does it too",
  },
  {
    of: 'G24',
    what: "the owner's own Gateway behind Envoy Gateway",
    why: 'nobody runs the proxy of another Gateway on the stage; with Traefik there is a row',
  },
  {
    of: 'T24',
    what: 'a peer that is trusted and hands on X-Forwarded headers of the client',
    why: 'the load balancer of the stage hands on connections and no headers, so there is no peer to trust',
  },
  {
    of: 'E2',
    what: 'connections from before the Gateway was prepared',
    why: 'the tests for leaks ask on connections of every age, and without the guard they get through',
  },
]
