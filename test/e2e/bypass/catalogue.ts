// Every way around a login that is known of these gateways, each with a number of its own. Each is shown by a row, or it
// is said why it cannot be shown on the stage; a test counts.

/** Ways around a login on an HTTPRoute, for whoever may write objects in the namespace of the application. */
const GATEWAY_API = {
  G1: 'the label of the route is removed or changed',
  G2: 'the route is deleted and made again without the label',
  G3: 'a second route to the same Service: another host, or the same host with a narrower match',
  G4: 'on the same host, a longer path to another Service of the application',
  G5: 'a host that is narrower than the wildcard of the protected route',
  G6: 'another Service that leads to the same pods',
  G7: 'a backend that is no Service but an address',
  G8: 'a route of another kind: TCP, TLS, gRPC, Ingress, IngressRoute',
  G9: 'an unprotected route that mirrors requests to the protected Service',
  G10: 'a route of another namespace that a ReferenceGrant lets reach the Service',
  G11: "somebody else's policy on the route, empty or for CORS alone",
  G12: "somebody else's policy on one rule of the route",
  G13: 'a policy that is older than ours, planted for a route to come',
  G14: 'a policy that is merged with ours and fails open',
  G15: 'a policy of another namespace that selects routes here',
  G16: 'our policy, Middleware or grant is edited or deleted',
  G17: 'our policy is made to belong to an object that can be deleted',
  G18: 'our ReferenceGrant is deleted',
  G19: 'an extension of the gateway changes host or path after the login was passed by',
  G20: 'an unprotected route that rewrites host or path',
  G21: 'the answer of the login is replaced by another',
  G22: "the login's own paths are taken over",
  G23: 'the same route on another parent: another Gateway, a mesh, a default Gateway',
  G24: "the owner's own Gateway or listeners",
  G25: "the proxy's configuration is patched directly",
  G26: 'identity headers that the client makes up',
  G27: 'a route that is made while the webhook is away',
  G28: 'the status, or another version of the kind, is written instead',
  G29: 'the Service is spoken to past the gateway',
  G30: 'the groups that an access level asks for are widened through the address',
} as const

/** Ways around a login on an Ingress, and what must not stand on a protected one. */
const INGRESS = {
  I1: 'satisfy: any, with a range of addresses that everybody is in',
  I2: 'enable-global-auth: "false"',
  I3: "the login's own annotations, written by the owner",
  I4: 'snippets, on the route or on a neighbour of its host',
  I5: 'ssl-passthrough, on the route or on a neighbour of its host',
  I6: 'mirror-target',
  I7: 'backend-protocol: FCGI',
  I8: 'a canary',
  I9: 'paths of certificate challenges',
  I10: "paths that overlap the login's",
  I11: 'custom-http-errors for 401 and 403',
  I12: 'an unprotected route for the same host, a wildcard that covers it, every host, or a default backend',
  I13: 'a second route to the same backend without protection',
  I14: 'server-alias and from-to-www-redirect with names of others',
  I15: 'Middlewares before ours, another spelling of the annotation, a priority of a neighbour',
  I16: 'a Middleware whose joined name is that of ours',
  I17: 'label, class or hosts are changed by an update',
  I18: 'a class that nobody supports, none, or several',
  I19: 'a backend that is a name outside of the cluster',
  I20: 'annotations that are allowed and change who sees what',
} as const

/** What Traefik was seen to do besides. */
const TRAEFIK = {
  T1: 'names of headers that an application takes for identity headers',
  T2: 'the Middleware is gone, and a broader route takes the request',
  T3: 'the Middleware does something else under the same name',
  T4: 'the annotation is there and empty',
  T5: 'Middlewares of two namespaces have one name when joined',
  T6: 'Services of two namespaces have one name when joined',
  T7: 'routers of two namespaces have one name when joined',
  T8: 'headers, another answer, or a chain of Middlewares in front of ours',
  T9: 'a rule without the filter',
  T10: 'a filter in front of ours',
  T11: 'a route for the same host and path: lots are drawn',
  T12: 'a longer path on the same host',
  T13: 'an Ingress wins against an HTTPRoute of the same host',
  T14: 'an HTTPRoute with a path wins against an Ingress',
  T15: 'a priority',
  T16: 'a long rule wins without a priority',
  T17: 'a router for plain TCP takes everything from its entry point',
  T18: 'an empty auth-url',
  T19: 'ssl-passthrough serves plain HTTP without a login',
  T20: 'variables in auth-url that the client decides on',
  T21: 'annotations in the dialect of another reader',
  T22: 'an IngressRoute beside the protected route',
  T23: 'rules of oauth2-proxy that ask for no login',
  T24: 'a trusted peer that hands on X-Forwarded headers of the client',
} as const

/** What Envoy Gateway was seen to do besides. */
const ENVOY_GATEWAY = {
  E1: 'an older policy of somebody else comes to target the route',
  E2: 'connections that are older than the preparation of the Gateway',
  E3: 'the label in a namespace where no policy of ours is',
  E4: 'the label while Envoy Gateway is away',
  E5: 'a policy of the Gateway that loses its effect on the route',
  E6: 'the client policy of the Gateway is replaced, and with it what strips made-up identity',
  E7: 'policy and net are deleted by somebody who may',
  E8: 'a listener that no anchor of ours is on',
} as const

export const CATALOGUE = { ...GATEWAY_API, ...INGRESS, ...TRAEFIK, ...ENVOY_GATEWAY } as const

export type WayId = keyof typeof CATALOGUE
