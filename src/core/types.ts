// The words of Portcullis as types: what a route, the facts about a cluster, a plan and a gateway are.
import type { AuthExemption } from '../api/auth-exemption.ts'
import type { AccessLevel, AuthTeam } from '../api/auth-team.ts'
import type { Config, Controller } from '../api/config.ts'
import type { JsonObject, StringMap } from './json.ts'
import type { ReasonCode } from './reasons.ts'
import type { LabelSelector } from './selector.ts'

/** A Kubernetes object as JSON. Nobody changes one: changes are JSON Patches. */
export type KubeObject = {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: JsonObject
  readonly spec?: unknown
  readonly [key: string]: unknown
}

export type RouteKind = 'Ingress' | 'HTTPRoute'
export type Client = 'browser' | 'api'
export type ObjectName = { readonly namespace: string; readonly name: string }
export type RouteRef = ObjectName & { readonly kind: RouteKind }

/** Something that a person can meet, as data; `reasons.ts` alone makes the sentence. */
export type Reason = {
  readonly code: ReasonCode
  /** Where in the object, such as `spec.rules[0].host`. */
  readonly field?: string
  readonly params: StringMap
}

/** A parentRef with its defaults filled in. */
export type Parent = ObjectName & {
  readonly group: string
  readonly kind: string
  readonly sectionName?: string
  readonly port?: number
}

/** What an Ingress and an HTTPRoute are both read into. */
export type Route = {
  readonly ref: RouteRef
  readonly object: KubeObject
  readonly labels: StringMap
  readonly annotations: StringMap
  /** Lower-cased, without duplicates; `''` stands for every host. */
  readonly hosts: readonly string[]
  /** Of every backend, mirrors included. */
  readonly services: readonly ObjectName[]
  /** Ingress: the class by field and by the legacy annotation. */
  readonly className?: string
  readonly legacyClassName?: string
  /** Ingress: answers what no rule matches. */
  readonly hasDefaultBackend: boolean
  /** HTTPRoute. */
  readonly parents: readonly Parent[]
  readonly paths: readonly string[]
  /** Whether each of them matches itself only. */
  readonly exactPathsOnly: boolean
}

export type IngressClass = { readonly name: string; readonly controller: string }
export type GatewayClass = { readonly name: string; readonly controller: string }

export type Listener = {
  readonly name: string
  /** `''`: every host. */
  readonly hostname: string
  readonly port: number
  readonly protocol: string
  readonly routesFrom: 'All' | 'Same' | 'Selector' | 'None'
  readonly routesSelector?: LabelSelector
  readonly admitsHTTPRoutes: boolean
}

export type Gateway = ObjectName & {
  readonly className: string
  readonly labels: StringMap
  readonly listeners: readonly Listener[]
}

export type Namespace = { readonly name: string; readonly labels: StringMap }

/** A policy that somebody attached to a Gateway or a route, ours included. `created` in ms since the epoch, 0 if not stored yet. */
export type Policy = ObjectName & {
  readonly kind: 'SecurityPolicy' | 'ClientTrafficPolicy'
  readonly created: number
  readonly ours: boolean
  readonly object: KubeObject
}

/** Read-only look-ups in one live store. Planning is synchronous, so nothing changes under it. */
export interface Facts {
  readonly config: Config
  team(name: string): AuthTeam | undefined
  teams(): Iterable<AuthTeam>
  namespace(name: string): Namespace | undefined
  /** Teams that admit the namespace, oldest first. */
  teamsIn(namespace: string): { readonly admitted: readonly AuthTeam[]; readonly defaults: readonly AuthTeam[] }
  /** `undefined` asks for the cluster's default class. */
  ingressClass(name: string | undefined): IngressClass | Reason
  gateway(namespace: string, name: string): Gateway | undefined
  gatewayClass(name: string): GatewayClass | undefined
  /** Controller names that a class of this kind of route carries in this cluster. */
  controllersOf(kind: RouteKind): ReadonlySet<string>
  policies(kind: Policy['kind'], namespace: string): readonly Policy[]
  /** SecurityPolicies that select routes in other namespaces than their own. */
  policiesAcrossNamespaces(): readonly Policy[]
  exemptions(route: RouteRef): readonly AuthExemption[]
  readonly routes: RouteIndex
  /**
   * Since when (ms since the epoch) the guards of a scope are there and right; undefined: they are not. `gateway`: those
   * that a route behind it relies on, whatever has become of the others.
   */
  readySince(scope: Scope, gateway?: GatewayKind['id']): number | undefined
}

/** A route among the facts: without its object, and with the team that its record names. */
export type StoredRoute = Route & { readonly recordedTeam?: string }

export interface RouteIndex {
  get(ref: RouteRef): StoredRoute | undefined
  /** Routes that name this Gateway as a parent. */
  ofGateway(gateway: ObjectName): Iterable<StoredRoute>
  inNamespace(namespace: string): Iterable<StoredRoute>
  /** Routes whose record names this team. */
  ofTeam(team: string): Iterable<StoredRoute>
}

/** A listener that a route attaches to, and the hosts it serves there. */
export type Attachment = {
  readonly gateway: Gateway
  readonly listener: Listener
  readonly hosts: readonly string[]
}

/** What protects a route, all of it from administrators' objects. */
export type Target = {
  readonly team: AuthTeam
  readonly access: AccessLevel | undefined
  readonly client: Client
  readonly controller: Controller
  readonly clusterDomain: string
  /** Portcullis' own namespace. */
  readonly ownNamespace: string
  /** The hosts under which the gateway serves the route. */
  readonly hosts: readonly string[]
  /** HTTPRoute only. */
  readonly attachments: readonly Attachment[]
}

export type HTTPRouteFilter = {
  readonly type: 'ExtensionRef'
  readonly extensionRef: { readonly group: string; readonly kind: string; readonly name: string }
}

/** What must be true of the route object itself once it is protected. */
export type Injection = {
  /** Exactly this; null: must not be there. */
  readonly annotations: Readonly<Record<string, string | null>>
  /** First in a comma list; the rest stays the owner's. */
  readonly listHead?: { readonly key: string; readonly element: string }
  /** First in every rule. */
  readonly firstFilter?: HTTPRouteFilter
}

export type Operation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }

export type Scope =
  | { readonly of: 'team'; readonly team: string }
  | { readonly of: 'namespace'; readonly team: string; readonly namespace: string }
  | { readonly of: 'gateway'; readonly namespace: string; readonly name: string }
  | { readonly of: 'route'; readonly route: RouteRef }

/** An object that Portcullis owns. `guards`: without it a route is not safely closed. */
export type Companion = { readonly object: KubeObject; readonly guards: boolean }

export type Plan =
  | { readonly outcome: 'skip'; readonly reason: Reason }
  | { readonly outcome: 'deny'; readonly reasons: readonly [Reason, ...Reason[]] }
  | { readonly outcome: 'release'; readonly patch: readonly Operation[] }
  | {
      readonly outcome: 'protect'
      readonly patch: readonly Operation[]
      readonly target: Target
      readonly scopes: readonly Scope[]
      readonly warnings: readonly Reason[]
    }

/**
 * A gateway: how a route behind it is protected. A value in an explicit list, in a folder of its own that states at its
 * top how it fails closed. Every function is pure; `bare` is the route as its owner wrote it.
 */
export interface GatewayKind {
  readonly id: Controller['gateway']
  readonly routeKinds: readonly RouteKind[]
  /** Whether the gateway reads this annotation at all: a change of it is judged again. */
  reads(annotation: string, controller: Controller): boolean
  /** What of the route's annotations is this gateway's authentication: ours to write and to take back. */
  owns(annotation: string, controller: Controller): boolean
  /** Whether undo may write this value back: an owned key, and a value that the gateway's rules accept. Never a snippet. */
  restores(annotation: string, value: string, controller: Controller): boolean
  /** Whether an element of a list is one that this gateway injects. */
  ownsElement?(key: string, element: string): boolean
  ownsFilter?(filter: HTTPRouteFilter): boolean
  /** Whether a route takes part of the traffic of another one, whose protection it has. */
  isCanary?(route: Route, controller: Controller): boolean
  /** Whether a change of labels that are not ours puts the route under a policy of somebody else's. */
  comesUnder?(before: Route, after: Route, facts: Facts): boolean
  refuse(bare: Route, target: Target, facts: Facts): Reason[]
  warn(bare: Route, target: Target, facts: Facts): Reason[]
  inject(bare: Route, target: Target): Injection
  scopes(bare: Route, target: Target, facts: Facts): Scope[]
  companions(scope: Scope, facts: Facts): Companion[]
  /** What a stored companion has to be whatever the facts are; undefined: that depends on them. */
  standing?(stored: KubeObject): Companion | undefined
  /** Policies of others that do for a Gateway what companions do for one that is handed over. */
  preparedByOthers?(gateway: Extract<Scope, { of: 'gateway' }>, facts: Facts): readonly Policy[]
  /** Policies that take effect before the companions of a scope, although they are for another team. */
  shadowedBy?(scope: Extract<Scope, { of: 'namespace' }>, facts: Facts): readonly Policy[]
}
