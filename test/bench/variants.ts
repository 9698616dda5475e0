// The ways to get the same annotations onto a labelled Ingress, all configured at once: each has a namespace of its own.
import { array, object, type StringMap } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { ofKind } from '../manifests/documents.ts'

export type Variant = {
  readonly name: string
  readonly namespace: string
  /** Of which process the CPU is measured, and how often it is asked for one create. */
  readonly asks?: { readonly process: 'webhook' | 'empty'; readonly times: number }
}

export const NOTHING: Variant = { name: 'nothing', namespace: 'nothing' }
export const POLICY: Variant = { name: 'in-tree policy', namespace: 'policy' }
export const EMPTY: Variant = {
  name: 'empty Node webhook',
  namespace: 'empty',
  asks: { process: 'empty', times: 1 },
}
export const MUTATING: Variant = {
  name: 'Portcullis, mutating',
  namespace: 'mutating',
  asks: { process: 'webhook', times: 1 },
}
export const BOTH: Variant = {
  name: 'Portcullis, mutating and validating',
  namespace: 'both',
  asks: { process: 'webhook', times: 2 },
}
export const VARIANTS: readonly Variant[] = [NOTHING, POLICY, EMPTY, MUTATING, BOTH]

export type Server = { readonly url: string; readonly ca: string }

/** The shipped configurations, of which only the entries by the label match here. */
export function portcullis(server: Server): KubeObject[] {
  const [mutating, validating] = [ofKind('MutatingWebhookConfiguration'), ofKind('ValidatingWebhookConfiguration')]
  return [
    ...mutating.map(each => at(server, each, [MUTATING, BOTH])),
    ...validating.map(each => at(server, each, [BOTH])),
  ]
}

export function empty(server: Server): KubeObject {
  const [shipped] = ofKind('MutatingWebhookConfiguration')
  const { metadata, webhooks, ...rest } = at(server, shipped as KubeObject, [EMPTY])
  const [first] = array(webhooks).map(object)
  return { ...rest, metadata: { name: 'empty' }, webhooks: [{ ...first, name: 'empty.auth.example' }] } as KubeObject
}

function at({ url, ca }: Server, configuration: KubeObject, variants: readonly Variant[]): KubeObject {
  const webhooks = array(configuration.webhooks).map(object)
  return {
    ...configuration,
    webhooks: webhooks.map(each => {
      const { path } = object(object(each.clientConfig).service)
      const clientConfig = { url: `${url}${path}`, caBundle: Buffer.from(ca).toString('base64') }
      const given = array(object(each.namespaceSelector).matchExpressions)
      return { ...each, clientConfig, namespaceSelector: { matchExpressions: [...given, ...isOne(variants)] } }
    }),
  }
}

function isOne(variants: readonly Variant[]): object[] {
  const values = variants.map(each => each.namespace)
  return [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }]
}

/** Stable since Kubernetes 1.36: no feature gate, no runtime configuration. */
export function policy(annotations: StringMap): KubeObject[] {
  const entries = Object.entries(annotations).map(([key, value]) => `${inCel(key)}: ${inCel(value)}`)
  const expression = `Object{metadata: Object.metadata{annotations: {${entries.join(', ')}}}}`
  const rule = { apiGroups: ['networking.k8s.io'], apiVersions: ['v1'], resources: ['ingresses'] }
  const spec = {
    failurePolicy: 'Fail',
    reinvocationPolicy: 'IfNeeded',
    matchConstraints: {
      resourceRules: [{ ...rule, operations: ['CREATE', 'UPDATE'] }],
      objectSelector: { matchExpressions: [{ key: 'auth.example/protect', operator: 'Exists' }] },
    },
    mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }],
  }
  const binding = {
    policyName: 'annotations',
    matchResources: { namespaceSelector: { matchExpressions: isOne([POLICY]) } },
  }
  const of = (kind: string, spec: object) => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind,
    metadata: { name: 'annotations' },
    spec,
  })
  return [of('MutatingAdmissionPolicy', spec), of('MutatingAdmissionPolicyBinding', binding)]
}

/** What JSON escapes, CEL reads in the same way. */
function inCel(text: string): string {
  return JSON.stringify(text)
}
