// The webhook configurations under which the API server asks the webhook of a test.
import type { KubeObject } from '../../src/core/types.ts'

export type Service = {
  readonly namespace: string
  readonly name: string
  readonly port: number
  readonly clusterIP: string
}

type Rule = { readonly group: string; readonly resources: readonly string[]; readonly operations?: readonly string[] }

const ROUTES: readonly Rule[] = [
  { group: 'networking.k8s.io', resources: ['ingresses'] },
  { group: 'gateway.networking.k8s.io', resources: ['httproutes'] },
]

const JUDGED: readonly Rule[] = [
  ...ROUTES,
  // A write to the status of an Ingress can take labels and annotations off it, past every rule on ingresses.
  { group: 'networking.k8s.io', resources: ['ingresses/status'], operations: ['UPDATE'] },
  // Routes on which the label would do nothing.
  { group: 'gateway.networking.k8s.io', resources: ['grpcroutes'] },
]

/** Never refuses, so that the API server may go on without it: the validating call then says what is missing. */
export function mutating(service: Service, ca: string): KubeObject {
  const webhook = { ...common(service, ca, '/mutate', ROUTES), failurePolicy: 'Ignore', reinvocationPolicy: 'IfNeeded' }
  return configuration('MutatingWebhookConfiguration', { name: 'mutate.auth.example', ...webhook })
}

export function validating(service: Service, ca: string): KubeObject {
  const webhook = { ...common(service, ca, '/validate', JUDGED), failurePolicy: 'Fail' }
  return configuration('ValidatingWebhookConfiguration', { name: 'validate.auth.example', ...webhook })
}

function configuration(kind: string, webhook: object): KubeObject {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind,
    metadata: { name: 'portcullis' },
    webhooks: [webhook],
  }
}

function common({ namespace, name, port }: Service, ca: string, path: string, rules: readonly Rule[]) {
  return {
    admissionReviewVersions: ['v1'],
    clientConfig: { caBundle: ca, service: { namespace, name, port, path } },
    objectSelector: { matchExpressions: [{ key: 'auth.example/protect', operator: 'Exists' }] },
    rules: rules.map(({ group, resources, operations = ['CREATE', 'UPDATE'] }) => ({
      apiGroups: [group],
      apiVersions: ['v1'],
      resources,
      operations,
      scope: 'Namespaced',
    })),
    matchPolicy: 'Equivalent',
    sideEffects: 'None',
    timeoutSeconds: 5,
  }
}
