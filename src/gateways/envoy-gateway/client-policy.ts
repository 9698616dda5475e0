// What every Gateway needs before identity can be trusted behind it: the exact return address in a header, and headers
// that only the login may write taken from the client.
import { scopeKey } from '../../core/companions.ts'
import { array, isObject, object, string } from '../../core/json.ts'
import { digest } from '../../core/names.ts'
import { selects } from '../../core/selector.ts'
import type { Companion, Facts, Gateway, Listener, Policy } from '../../core/types.ts'
import { IDENTITY_HEADERS } from '../upstream.ts'
import { clientTrafficPolicy } from './policies.ts'

/** Envoy evaluates this before any filter, on the path as normalised; the port of the authority is kept. */
const RETURN_ADDRESS = { name: 'X-Auth-Request-Redirect', value: 'https://%REQ(:authority)%%REQ(:path)%' } as const

/**
 * What only the login may say, and what oauth2-proxy would take a made-up address from. Never one of the headers that are
 * set: Envoy Gateway emits removals after sets.
 */
const REMOVED: readonly string[] = [...IDENTITY_HEADERS, 'X-Forwarded-Uri', 'X-Forwarded-Host']

/**
 * The same names with other characters between their words: many applications read dots and tildes as dashes. Names with
 * underscores do not get past Envoy (Envoy Gateway 1.9.1, Envoy 1.39.3).
 */
const REMOVED_LOOKALIKES = [
  'x[^a-z0-9](auth[^a-z0-9]request|forwarded)[^a-z0-9](user|email|groups|preferred[^a-z0-9]username|access[^a-z0-9]token)',
  'gap[^a-z0-9]auth',
].map(value => ({ type: 'RegularExpression', value }) as const)

/** The part of a ClientTrafficPolicy that protection needs, for our own and to be merged into somebody's. */
export const NEEDED_HEADERS = {
  headers: { earlyRequestHeaders: { set: [RETURN_ADDRESS], remove: REMOVED, removeOnMatch: REMOVED_LOOKALIKES } },
} as const

export function clientPolicy(gateway: Gateway, keepEscapedSlashes: boolean): Companion {
  const { namespace, name } = gateway
  const head = {
    namespace,
    name: `portcullis-client-${digest(namespace, name)}`,
    standsFor: `Gateway ${namespace}/${name}`,
    scope: scopeKey({ of: 'gateway', namespace, name }),
  }
  return clientTrafficPolicy(head, {
    targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name }],
    // Without it Envoy answers /a%2Fb with a redirect to /a/b before anybody is asked to log in.
    ...(keepEscapedSlashes ? { path: { escapedSlashesAction: 'KeepUnchanged' } } : {}),
    ...NEEDED_HEADERS,
  })
}

/** The policy of somebody else that takes effect on a listener: of the listener before of the Gateway, then the oldest. */
export function foreignClientPolicy(gateway: Gateway, listener: Listener, facts: Facts): Policy | undefined {
  const aimed = facts
    .policies('ClientTrafficPolicy', gateway.namespace)
    .filter(policy => !policy.ours)
    .flatMap(policy => {
      const section = sectionOf(policy, gateway)
      return section === undefined || (section !== '' && section !== listener.name) ? [] : [{ policy, section }]
    })
  return aimed.sort((a, b) => Number(a.section === '') - Number(b.section === '') || older(a.policy, b.policy))[0]
    ?.policy
}

/** Whether it applies to one listener only, and so before any of the whole Gateway. */
export function isOfListener(policy: Policy, gateway: Gateway): boolean {
  return (sectionOf(policy, gateway) ?? '') !== ''
}

/** Of two policies at one level the older takes effect; one that is not stored yet is the younger. */
export function older(a: Policy, b: Policy): number {
  const [first, second] = [a.created || Number.POSITIVE_INFINITY, b.created || Number.POSITIVE_INFINITY]
  if (first !== second) return first < second ? -1 : 1
  return a.name < b.name ? -1 : 1
}

/** The listener that a policy is for, '' for the whole Gateway, undefined if it is not for this Gateway. */
export function sectionOf(policy: Policy, gateway: Gateway): string | undefined {
  const spec = object(policy.object.spec)
  const refs = [...array(spec.targetRefs), ...(isObject(spec.targetRef) ? [spec.targetRef] : [])].map(object)
  const ref = refs.find(each => (each.kind ?? 'Gateway') === 'Gateway' && each.name === gateway.name)
  if (ref !== undefined) return string(ref.sectionName) ?? ''
  const selected = array(spec.targetSelectors)
    .map(object)
    .some(each => each.kind === 'Gateway' && selects(each, gateway.labels))
  return selected ? '' : undefined
}

/** Whether a policy takes made-up identity from clients and sets the return address, as ours does. */
export function doesTheSame(policy: Policy): boolean {
  const early = object(object(object(policy.object.spec).headers).earlyRequestHeaders)
  const removed = new Set(array(early.remove).map(lowerCase))
  if (!REMOVED.every(name => removed.has(name.toLowerCase()))) return false
  if (removed.has(RETURN_ADDRESS.name.toLowerCase())) return false
  const matched = array(early.removeOnMatch).map(object)
  // Whether another expression takes out as much, nobody can tell.
  if (!REMOVED_LOOKALIKES.every(({ type, value }) => matched.some(each => each.type === type && each.value === value)))
    return false
  const written = [...array(early.set), ...array(early.add)].map(object)
  const identity = new Set<string>(REMOVED.map(name => name.toLowerCase()))
  if (written.some(header => identity.has(lowerCase(header.name)))) return false
  return array(early.set)
    .map(object)
    .some(
      header => lowerCase(header.name) === RETURN_ADDRESS.name.toLowerCase() && header.value === RETURN_ADDRESS.value,
    )
}

function lowerCase(name: unknown): string {
  return (string(name) ?? '').toLowerCase()
}
