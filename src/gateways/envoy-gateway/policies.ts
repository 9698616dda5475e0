// Objects of Envoy Gateway's own API as they are written: the group, the metadata, references to targets.
import { companionMetadata } from '../../core/companions.ts'
import type { Companion, KubeObject, ObjectName } from '../../core/types.ts'

const ENVOY_GATEWAY = 'gateway.envoyproxy.io'

/** Header set by the authorization call; its presence is what the guard asks for. */
export const IDENTITY = 'x-auth-request-user'

export const DENY_ALL = { authorization: { defaultAction: 'Deny' } } as const
export const ALLOW_ALL = { authorization: { defaultAction: 'Allow' } } as const

/** Where a policy is, what it stands for in words, and the key of its scope. */
export type PolicyHead = ObjectName & { readonly standsFor: string; readonly scope: string }

export function securityPolicy(head: PolicyHead, spec: object, guards: boolean): Companion {
  return { guards, object: policy('SecurityPolicy', head, spec) }
}

export function clientTrafficPolicy(head: PolicyHead, spec: object): Companion {
  return { guards: true, object: policy('ClientTrafficPolicy', head, spec) }
}

export function routeTarget(name: string): { targetRefs: object[] } {
  return { targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name }] }
}

function policy(kind: string, head: PolicyHead, spec: object): KubeObject {
  const metadata = companionMetadata(head, head.standsFor, head.scope)
  return { apiVersion: `${ENVOY_GATEWAY}/v1alpha1`, kind, metadata, spec }
}
