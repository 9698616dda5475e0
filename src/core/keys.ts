// Every label, annotation, name and address of ours that is written anywhere: nobody else spells one.

/** On a route: which team protects it. On a namespace: the default for its routes. */
export const PROTECT = 'auth.example/protect'
/** On a route: the access level of the team. */
export const ACCESS = 'auth.example/access'
/** On a route: `browser` or `api`. */
export const CLIENT = 'auth.example/client'
/** On a route: the record of what was injected and what stood there before. */
export const INJECTED = 'auth.example/injected'
/** On a namespace: `enforce`, `warn` or `audit`. */
export const REQUIRE = 'auth.example/require'
/** On a companion: what it stands for, in words; names are hashes where identity does not fit into a name. */
export const STANDS_FOR = 'auth.example/stands-for'
/** On a companion: the key of its scope, so that the object alone says what has to be looked at when it changes. */
export const SCOPE = 'auth.example/scope'
/** On a companion: since when (ISO time) it is right, if it has not been since it was made. */
export const SINCE = 'auth.example/since'

export const MANAGED_BY = 'app.kubernetes.io/managed-by'
export const MANAGER = 'portcullis'

/** external-dns makes no record for an object whose controller is somebody other than itself. */
export const EXTERNAL_DNS_CONTROLLER = 'external-dns.alpha.kubernetes.io/controller'
/** cert-manager marks the routes that answer its HTTP-01 challenges. */
export const ACME_SOLVER = 'acme.cert-manager.io/http01-solver'
/** The class of an Ingress before `spec.ingressClassName`, still read by every controller. */
export const LEGACY_CLASS = 'kubernetes.io/ingress.class'
/** Marks the IngressClass of Ingresses that name none. */
export const DEFAULT_CLASS = 'ingressclass.kubernetes.io/is-default-class'

export const ROUTE_LABELS = [PROTECT, ACCESS, CLIENT] as const
