// Somebody else's admission policy that stands in the way of a write.
import type { KubeObject } from '../../src/core/types.ts'

export type Refusing = {
  readonly name: string
  readonly apiGroup: string
  readonly resource: string
  readonly operations: readonly string[]
  /** Only there. */
  readonly namespace?: string
  /** Of what is let be. */
  readonly expression: string
  readonly message: string
  /** Of the answer's status. */
  readonly reason?: string
}

const apiVersion = 'admissionregistration.k8s.io/v1'

/** The policy and its binding, of one name. */
export function refusingPolicy(refusing: Refusing): KubeObject[] {
  const { name, apiGroup, resource, operations, namespace, expression, message, reason } = refusing
  const resourceRules = [{ apiGroups: [apiGroup], apiVersions: ['*'], resources: [resource], operations }]
  const there = namespace === undefined ? {} : { matchLabels: { 'kubernetes.io/metadata.name': namespace } }
  const matchConstraints = { namespaceSelector: there, resourceRules }
  const validations = [{ expression, message, ...(reason === undefined ? {} : { reason }) }]
  const binding = { policyName: name, validationActions: ['Deny'] }
  return [
    { apiVersion, kind: 'ValidatingAdmissionPolicy', metadata: { name }, spec: { matchConstraints, validations } },
    { apiVersion, kind: 'ValidatingAdmissionPolicyBinding', metadata: { name }, spec: binding },
  ]
}
