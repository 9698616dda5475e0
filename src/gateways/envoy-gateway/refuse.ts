// Why a labelled HTTPRoute could not be fully protected behind Envoy Gateway: policies of others that exclude ours, and
// Gateways that are not prepared.
import { array, isObject, object } from '../../core/json.ts'
import { reason } from '../../core/reasons.ts'
import type { Attachment, Companion, Facts, Policy, Reason, Route, Target } from '../../core/types.ts'
import { anchorNamespace, anchors, foreignAnchor } from './anchors.ts'
import {
  clientPolicy,
  doesTheSame,
  foreignClientPolicy,
  isOfListener,
  NEEDED_HEADERS,
  older,
  sectionOf,
} from './client-policy.ts'
import { handedOver } from './settings.ts'
import { foreignPolicies } from './targets.ts'

export function refuse(bare: Route, target: Target, facts: Facts): Reason[] {
  const policies = [
    ...foreignPolicies(bare, facts).filter(policy => !isLogin(policy)),
    ...gatewayPolicies(target.attachments, facts),
  ]
  const names = new Set(policies.map(policy => `SecurityPolicy ${policy.namespace}/${policy.name}`))
  return [
    ...[...names].map(policy => reason('policy-excludes', { policy })),
    ...target.attachments.flatMap((attachment, index) =>
      refuseAttachment(attachment, isFirstOfGateway(target.attachments, index), facts),
    ),
  ]
}

/**
 * Policies select routes by any label, and an older one takes effect before ours. So a label that nobody else judges can be
 * what opens a route.
 */
export function comesUnder(before: Route, after: Route, facts: Facts): boolean {
  const already = new Set(foreignPolicies(before, facts))
  return foreignPolicies(after, facts).some(policy => !already.has(policy))
}

/** A hand-made login that fails closed: ours waits behind it and takes over when it goes, with no open answer between. */
function isLogin(policy: Policy): boolean {
  const extAuth = object(policy.object.spec).extAuth
  return isObject(extAuth) && extAuth.failOpen !== true
}

/** Policies of a Gateway or a listener: a route with a policy of its own, ours, does not get them any more. */
function gatewayPolicies(attachments: readonly Attachment[], facts: Facts): Policy[] {
  return attachments.flatMap(({ gateway, listener }) =>
    facts.policies('SecurityPolicy', gateway.namespace).filter(policy => {
      const section = sectionOf(policy, gateway)
      return (
        !policy.ours && section !== undefined && (section === '' || section === listener.name) && !isDefaultDeny(policy)
      )
    }),
  )
}

/** Denies what has no policy of its own and does nothing else: it loses nothing under ours. */
function isDefaultDeny(policy: Policy): boolean {
  const { targetRef: _, targetRefs: __, targetSelectors: ___, ...rest } = object(policy.object.spec)
  const { defaultAction, rules } = object(rest.authorization)
  return Object.keys(rest).length === 1 && defaultAction === 'Deny' && array(rules).length === 0
}

function isFirstOfGateway(attachments: readonly Attachment[], index: number): boolean {
  return attachments.findIndex(each => each.gateway === attachments[index]?.gateway) === index
}

function refuseAttachment({ gateway, listener }: Attachment, firstOfGateway: boolean, facts: Facts): Reason[] {
  const name = `${gateway.namespace}/${gateway.name}`
  const settings = handedOver(gateway, facts)
  const foreign = foreignClientPolicy(gateway, listener, facts)
  const problems: Reason[] = []
  if (
    foreign !== undefined &&
    !doesTheSame(foreign) &&
    (settings === undefined || beatsOurs(foreign, { gateway, listener, hosts: [] }, facts))
  ) {
    const policy = `ClientTrafficPolicy ${foreign.namespace}/${foreign.name}`
    problems.push(
      reason('gateway-foreign-policy', { policy, gateway: name, snippet: JSON.stringify({ spec: NEEDED_HEADERS }) }),
    )
  }
  if (settings === undefined) {
    const missing: Companion[] = foreign === undefined && firstOfGateway ? [clientPolicy(gateway, false)] : []
    if (foreignAnchor(listener, gateway, facts) === undefined) missing.push(...anchors(gateway, [listener], facts))
    if (missing.length > 0) problems.push(reason('gateway-open', { gateway: name, snippet: asSnippet(missing) }))
  }
  if (
    anchorNamespace(listener, gateway, facts) === undefined &&
    foreignAnchor(listener, gateway, facts) === undefined
  ) {
    problems.push(reason('anchor-nowhere', { listener: listener.name, gateway: name }))
  }
  return problems
}

/** One of a listener comes before ours, which is of the Gateway; of two for the Gateway the older does. */
function beatsOurs(foreign: Policy, { gateway }: Attachment, facts: Facts): boolean {
  if (isOfListener(foreign, gateway)) return true
  const ours = facts
    .policies('ClientTrafficPolicy', gateway.namespace)
    .find(policy => policy.ours && sectionOf(policy, gateway) === '')
  return ours === undefined || older(foreign, ours) < 0
}

/** In one line of JSON, which kubectl takes as it is. */
function asSnippet(companions: readonly Companion[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: companions.map(each => unmanaged(each.object)) })
}

/** Not ours: whoever pastes it owns it. */
function unmanaged({ metadata, ...rest }: Companion['object']): object {
  const { labels: _, annotations: __, ...name } = metadata
  return { ...rest, metadata: name }
}
