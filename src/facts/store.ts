// The facts: one live store, filled by `put` and emptied by `remove`, whether documents come from files or from watches.
import { isDeepStrictEqual } from 'node:util'
import { type AuthExemption, parseAuthExemption } from '../api/auth-exemption.ts'
import { type AuthTeam, parseAuthTeam } from '../api/auth-team.ts'
import type { Config } from '../api/config.ts'
import type { Problem } from '../api/problems.ts'
import { array, object, strings } from '../core/json.ts'
import { reason } from '../core/reasons.ts'
import { routeKind } from '../core/route.ts'
import { selects, selectsAcross } from '../core/selector.ts'
import type {
  Facts,
  Gateway,
  GatewayClass,
  GatewayKind,
  IngressClass,
  KubeObject,
  Namespace,
  Policy,
  Reason,
  RouteKind,
  RouteRef,
  Scope,
} from '../core/types.ts'
import type { StoredCompanions } from './companions.ts'
import type { StoredClass } from './read.ts'
import { nameOf, readGateway, readGatewayClass, readIngressClass, readNamespace, readPolicy } from './read.ts'
import { Routes } from './routes.ts'

type TeamsIn = { readonly admitted: readonly AuthTeam[]; readonly defaults: readonly AuthTeam[] }

/** Kinds whose documents are facts, with their groups: another group may have a kind of the same name. */
export const FACT_KINDS: ReadonlyMap<string, string> = new Map([
  ['AuthTeam', 'auth.example'],
  ['AuthExemption', 'auth.example'],
  ['Namespace', ''],
  ['IngressClass', 'networking.k8s.io'],
  ['GatewayClass', 'gateway.networking.k8s.io'],
  ['Gateway', 'gateway.networking.k8s.io'],
  ['SecurityPolicy', 'gateway.envoyproxy.io'],
  ['ClientTrafficPolicy', 'gateway.envoyproxy.io'],
  ['Ingress', 'networking.k8s.io'],
  ['HTTPRoute', 'gateway.networking.k8s.io'],
  ['Middleware', 'traefik.io'],
])

/** Every other document passes by. */
export function isFact({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): boolean {
  const slash = apiVersion.indexOf('/')
  return FACT_KINDS.get(kind) === (slash < 0 ? '' : apiVersion.slice(0, slash))
}

/** Kinds of which some objects are guards. */
const COMPANION_KINDS: ReadonlySet<string> = new Set([
  'SecurityPolicy',
  'ClientTrafficPolicy',
  'Middleware',
  'HTTPRoute',
])

export class FactStore implements Facts {
  readonly config: Config
  readonly routes = new Routes()
  readonly #companions: StoredCompanions | undefined
  readonly #teams = new Map<string, AuthTeam>()
  readonly #exemptions = new Map<string, AuthExemption>()
  readonly #namespaces = new Map<string, Namespace>()
  readonly #ingressClasses = new Map<string, StoredClass>()
  readonly #gatewayClasses = new Map<string, GatewayClass>()
  readonly #gateways = new Map<string, Gateway>()
  readonly #policies = new Map<string, Map<string, Policy>>()
  readonly #acrossNamespaces = new Map<string, Policy>()
  readonly #teamsIn = new Map<string, TeamsIn>()
  #controllers: { Ingress: ReadonlySet<string>; HTTPRoute: ReadonlySet<string> } = {
    Ingress: new Set(),
    HTTPRoute: new Set(),
  }

  /** Without `companions` nobody makes any here (documents from files), and guards count as ready. */
  constructor(config: Config, companions?: StoredCompanions) {
    this.config = config
    this.#companions = companions
  }

  /** A document that is not valid is not taken, what it would replace stays, and every problem is returned. */
  put(document: KubeObject): readonly Problem[] {
    if (!isFact(document)) return []
    if (COMPANION_KINDS.has(document.kind)) this.#companions?.put(document)
    const { name } = nameOf(document)
    switch (document.kind) {
      case 'AuthTeam':
        return this.#putTeam(document)
      case 'AuthExemption':
        return this.#putExemption(document)
      case 'Namespace':
        if (this.#put(this.#namespaces, name, readNamespace(document))) this.#teamsIn.delete(name)
        break
      case 'IngressClass':
        if (this.#put(this.#ingressClasses, name, readIngressClass(document))) this.#readControllers()
        break
      case 'GatewayClass':
        if (this.#put(this.#gatewayClasses, name, readGatewayClass(document))) this.#readControllers()
        break
      case 'Gateway':
        this.#put(this.#gateways, key(document), readGateway(document))
        break
      case 'SecurityPolicy':
      case 'ClientTrafficPolicy':
        this.#putPolicy(readPolicy(document))
        break
      default:
        this.routes.put(document)
    }
    return []
  }

  remove(document: KubeObject): void {
    if (!isFact(document)) return
    const { namespace, name } = nameOf(document)
    if (COMPANION_KINDS.has(document.kind)) this.#companions?.remove(document)
    if (document.kind !== 'Ingress' && document.kind !== 'HTTPRoute') this.#companions?.forget()
    switch (document.kind) {
      case 'AuthTeam':
        this.#teams.delete(name)
        this.#teamsIn.clear()
        break
      case 'AuthExemption':
        this.#exemptions.delete(name)
        break
      case 'Namespace':
        this.#namespaces.delete(name)
        this.#teamsIn.delete(name)
        break
      case 'IngressClass':
        this.#ingressClasses.delete(name)
        this.#readControllers()
        break
      case 'GatewayClass':
        this.#gatewayClasses.delete(name)
        this.#readControllers()
        break
      case 'Gateway':
        this.#gateways.delete(key(document))
        break
      case 'SecurityPolicy':
      case 'ClientTrafficPolicy':
        this.#policies.get(`${document.kind}/${namespace}`)?.delete(name)
        if (document.kind === 'SecurityPolicy') this.#acrossNamespaces.delete(key(document))
        break
      default: {
        const kind = routeKind(document)
        if (kind !== undefined) this.routes.remove({ kind, namespace, name })
      }
    }
  }

  team(name: string): AuthTeam | undefined {
    return this.#teams.get(name)
  }

  teams(): Iterable<AuthTeam> {
    return this.#teams.values()
  }

  namespace(name: string): Namespace | undefined {
    return this.#namespaces.get(name)
  }

  namespaces(): Iterable<Namespace> {
    return this.#namespaces.values()
  }

  gateways(): Iterable<Gateway> {
    return this.#gateways.values()
  }

  teamsIn(namespace: string): TeamsIn {
    const known = this.#teamsIn.get(namespace)
    if (known !== undefined) return known
    const labels = this.#namespaces.get(namespace)?.labels ?? strings({ 'kubernetes.io/metadata.name': namespace })
    const admitted = [...this.#teams.values()]
      .filter(
        ({ namespaces: { names, selector } }) =>
          names.includes(namespace) || (selector !== undefined && selects(selector, labels)),
      )
      .sort(oldestFirst)
    const teams = { admitted, defaults: admitted.filter(team => team.namespaces.default) }
    // Only namespaces that exist are remembered: names in requests are anybody's text.
    if (this.#namespaces.has(namespace)) this.#teamsIn.set(namespace, teams)
    return teams
  }

  ingressClass(name: string | undefined): IngressClass | Reason {
    const field = 'spec.ingressClassName'
    if (name !== undefined) return this.#ingressClasses.get(name) ?? reason('class-unknown', { class: name }, field)
    const [only, another] = [...this.#ingressClasses.values()].filter(each => each.isDefault)
    if (only === undefined) return reason('class-missing', {}, field)
    return another === undefined ? only : reason('class-ambiguous', { classes: `${only.name}, ${another.name}` }, field)
  }

  gatewayClass(name: string): GatewayClass | undefined {
    return this.#gatewayClasses.get(name)
  }

  gateway(namespace: string, name: string): Gateway | undefined {
    return this.#gateways.get(`${namespace}/${name}`)
  }

  controllersOf(kind: RouteKind): ReadonlySet<string> {
    return this.#controllers[kind]
  }

  policies(kind: Policy['kind'], namespace: string): readonly Policy[] {
    return [...(this.#policies.get(`${kind}/${namespace}`)?.values() ?? [])]
  }

  policiesAcrossNamespaces(): readonly Policy[] {
    return [...this.#acrossNamespaces.values()]
  }

  exemptions(route: RouteRef): readonly AuthExemption[] {
    return [...this.#exemptions.values()].filter(
      ({ route: of }) => of.kind === route.kind && of.namespace === route.namespace && of.name === route.name,
    )
  }

  exemption(name: string): AuthExemption | undefined {
    return this.#exemptions.get(name)
  }

  readySince(scope: Scope, gateway?: GatewayKind['id']): number | undefined {
    return this.#companions === undefined ? 0 : this.#companions.readySince(scope, this, gateway)
  }

  /** False: it is what was there, as after a change of a status alone; then the old one stays, and all that is known by it. */
  #put<T>(known: Map<string, T>, name: string, value: T): boolean {
    if (isDeepStrictEqual(known.get(name), value)) return false
    known.set(name, value)
    this.#companions?.forget()
    return true
  }

  #putTeam(document: KubeObject): readonly Problem[] {
    const parsed = parseAuthTeam(document)
    if ('problems' in parsed) return parsed.problems
    if (this.#put(this.#teams, parsed.value.name, parsed.value)) this.#teamsIn.clear()
    return []
  }

  #putExemption(document: KubeObject): readonly Problem[] {
    const parsed = parseAuthExemption(document)
    if ('problems' in parsed) return parsed.problems
    this.#put(this.#exemptions, parsed.value.name, parsed.value)
    return []
  }

  #putPolicy(policy: Policy): void {
    const group = `${policy.kind}/${policy.namespace}`
    const siblings = this.#policies.get(group) ?? new Map<string, Policy>()
    if (!isDeepStrictEqual(decisive(siblings.get(policy.name)), decisive(policy))) this.#companions?.forget()
    this.#policies.set(group, siblings.set(policy.name, policy))
    const id = `${policy.namespace}/${policy.name}`
    if (policy.kind !== 'SecurityPolicy') return
    if (array(object(policy.object.spec).targetSelectors).some(selectsAcross)) this.#acrossNamespaces.set(id, policy)
    else this.#acrossNamespaces.delete(id)
  }

  #readControllers(): void {
    const controllers = (classes: Iterable<{ controller: string }>) =>
      new Set([...classes].map(each => each.controller))
    this.#controllers = {
      Ingress: controllers(this.#ingressClasses.values()),
      HTTPRoute: controllers(this.#gatewayClasses.values()),
    }
  }
}

/** Gateways write a status on each policy, which decides nothing. */
function decisive(policy: Policy | undefined): unknown {
  if (policy === undefined) return undefined
  const { resourceVersion: _, ...metadata } = policy.object.metadata
  return { ...policy, object: { metadata, spec: policy.object.spec } }
}

function oldestFirst(a: AuthTeam, b: AuthTeam): number {
  // A team that is not stored yet is the youngest.
  const [first, second] = [a.created ?? '9', b.created ?? '9']
  if (first !== second) return first < second ? -1 : 1
  return a.name < b.name ? -1 : 1
}

function key(document: KubeObject): string {
  const { namespace, name } = nameOf(document)
  return `${namespace}/${name}`
}
