// Objects of Envoy Gateway's own API as they are written: the group, the metadata, references to targets.
import { companionMetadata } from '../../core/companions.ts'
import type { Companion, KubeObject, ObjectName } from '../../core/types.ts'

export const ENVOY_GATEWAY = 'gateway.envoyproxy.io'

/** Header set by the authorization call; its presence is what the guard asks for. */
export const IDENTITY = 'x-auth-request-user'

export const DENY_ALL = { authorization: { defaultAction: 'Deny' } } as const
export const ALLOW_ALL = { authorization: { defaultAction: 'Allow' } } as const

export function securityPolicy(name: ObjectName, standsFor: string, spec: object, guards: boolean): Companion {
  return { guards, object: policy('SecurityPolicy', name, standsFor, spec) }
}

export function clientTrafficPolicy(name: ObjectName, standsFor: string, spec: object): Companion {
  return { guards: true, object: policy('ClientTrafficPolicy', name, standsFor, spec) }
}

export function routeTarget(name: string): { targetRefs: object[] } {
  return { targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name }] }
}

function policy(kind: string, name: ObjectName, standsFor: string, spec: object): KubeObject {
  return { apiVersion: `${ENVOY_GATEWAY}/v1alpha1`, kind, metadata: companionMetadata(name, standsFor), spec }
}
