// Anchors: for each hostname of a Gateway's listeners a route that nobody asks for, with a policy that denies it. They keep
// the authorization filter in the listener's chain, so that a guard takes effect through route configuration alone; a
// listener whose hostname no anchor meets answers connections of before without a login (Envoy Gateway 1.9.1).
import { admitsNamespace, servesHTTP } from '../../core/attach.ts'
import { companionMetadata, scopeKey } from '../../core/companions.ts'
import { intersectHosts } from '../../core/hosts.ts'
import { array, object } from '../../core/json.ts'
import { PROTECT } from '../../core/keys.ts'
import { digest } from '../../core/names.ts'
import { isGateway } from '../../core/route.ts'
import type { Companion, Facts, Gateway, Listener, Policy, StoredRoute } from '../../core/types.ts'
import { DENY_ALL, routeTarget, securityPolicy } from './policies.ts'
import { targetsByName } from './targets.ts'

/** Where the anchor of a listener can live: beside the Gateway, or with us; undefined: the listener admits neither. */
export function anchorNamespace(listener: Listener, gateway: Gateway, facts: Facts): string | undefined {
  return [gateway.namespace, facts.config.namespace].find(namespace =>
    admitsNamespace(listener, gateway, namespace, facts),
  )
}

/** Anchors of the given listeners, one for each hostname and place. */
export function anchors(gateway: Gateway, listeners: readonly Listener[], facts: Facts): Companion[] {
  const groups = new Map<string, { hostname: string; namespace: string; sections: string[] }>()
  for (const listener of listeners) {
    const namespace = anchorNamespace(listener, gateway, facts)
    if (!servesHTTP(listener) || namespace === undefined) continue
    const key = `${namespace}/${listener.hostname}`
    const group = groups.get(key) ?? { hostname: listener.hostname, namespace, sections: [] }
    groups.set(key, { ...group, sections: [...group.sections, listener.name] })
  }
  return [...groups.values()].flatMap(({ hostname, namespace, sections }) =>
    anchor(gateway, hostname, namespace, sections),
  )
}

function anchor(gateway: Gateway, hostname: string, namespace: string, sections: readonly string[]): Companion[] {
  const mark = digest(gateway.namespace, gateway.name, hostname)
  const name = { namespace, name: `portcullis-anchor-${mark}` }
  const standsFor = `Gateway ${gateway.namespace}/${gateway.name}, listeners for ${hostname === '' ? 'every host' : hostname}`
  const scope = scopeKey({ of: 'gateway', namespace: gateway.namespace, name: gateway.name })
  const group = 'gateway.networking.k8s.io'
  const route = {
    apiVersion: `${group}/v1`,
    kind: 'HTTPRoute',
    metadata: companionMetadata(name, standsFor, scope),
    spec: {
      parentRefs: sections.map(sectionName => ({
        group,
        kind: 'Gateway',
        namespace: gateway.namespace,
        name: gateway.name,
        sectionName,
      })),
      ...unaskedFor(hostname, mark),
    },
  }
  return [
    { guards: true, object: route },
    securityPolicy({ ...name, standsFor, scope }, { ...routeTarget(name.name), ...DENY_ALL }, true),
  ]
}

/** A host that nobody asks for; where the listener has one host only, a path that nobody asks for. */
function unaskedFor(hostname: string, mark: string): { hostnames: string[]; rules: object[] } {
  const rule = (type: string, value: string) => [{ matches: [{ path: { type, value } }] }]
  if (hostname === '') return { hostnames: ['portcullis-anchor.invalid'], rules: rule('PathPrefix', '/') }
  if (hostname.startsWith('*.'))
    return { hostnames: [`portcullis-anchor${hostname.slice(1)}`], rules: rule('PathPrefix', '/') }
  return { hostnames: [hostname], rules: rule('Exact', `/.portcullis-anchor-${mark}`) }
}

/** The policy of an anchor that somebody keeps on a listener: it denies an unlabelled route of its own. */
export function foreignAnchor(listener: Listener, gateway: Gateway, facts: Facts): Policy | undefined {
  for (const route of facts.routes.ofGateway(gateway)) {
    if (route.labels[PROTECT] !== undefined || !admitsNamespace(listener, gateway, route.ref.namespace, facts)) continue
    const policy = isOn(route, listener, gateway) ? denial(route, facts) : undefined
    if (policy !== undefined) return policy
  }
  return undefined
}

function isOn(route: StoredRoute, listener: Listener, gateway: Gateway): boolean {
  const named = route.parents.some(
    parent =>
      isGateway(parent) &&
      parent.namespace === gateway.namespace &&
      parent.name === gateway.name &&
      (parent.sectionName ?? listener.name) === listener.name &&
      (parent.port ?? listener.port) === listener.port,
  )
  return named && route.hosts.some(host => intersectHosts(listener.hostname, host) !== undefined)
}

function denial(route: StoredRoute, facts: Facts): Policy | undefined {
  return facts.policies('SecurityPolicy', route.ref.namespace).find(policy => {
    const { defaultAction, rules } = object(object(policy.object.spec).authorization)
    return targetsByName(policy, route.ref.name) && defaultAction === 'Deny' && array(rules).length === 0
  })
}
