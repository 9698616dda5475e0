// What the benchmark asks about: facts of any size, and one labelled Ingress in a review of about 2 kB.
import type { KubeObject } from '../../src/core/types.ts'

export function ingress(name: string, namespace: string, host: string): KubeObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name,
      namespace,
      labels: { 'auth.example/protect': 'true', 'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': 'shop' },
      annotations: {
        'nginx.ingress.kubernetes.io/proxy-body-size': '8m',
        'nginx.ingress.kubernetes.io/proxy-read-timeout': '60',
        'cert-manager.io/cluster-issuer': 'internal',
      },
    },
    spec: {
      ingressClassName: 'nginx',
      tls: [{ hosts: [host], secretName: `${name}-tls` }],
      rules: [
        {
          host,
          http: { paths: ['/', '/api', '/static'].map(path => ({ path, pathType: 'Prefix', backend: backend(name) })) },
        },
      ],
    },
  }
}

function backend(name: string): object {
  return { service: { name, port: { number: 8080 } } }
}

export function teamName(index: number): string {
  return `team-${index}`
}

/** A team, its namespace: of each `count`; the one class. */
export function facts(count: number): KubeObject[] {
  const documents: KubeObject[] = [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: 'nginx' },
      spec: { controller: 'k8s.io/ingress-nginx' },
    },
  ]
  for (let i = 0; i < count; i++) {
    const name = teamName(i)
    documents.push({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, team(name))
  }
  return documents
}

export function team(name: string, namespaces: readonly string[] = [name]): KubeObject {
  return {
    apiVersion: 'auth.example/v1alpha1',
    kind: 'AuthTeam',
    metadata: { name },
    spec: {
      namespaces: { names: namespaces },
      proxy: { service: { namespace: name, name: 'oauth2-proxy' }, cookieDomains: [`${name}.example.com`] },
    },
  }
}

/** As the API server sends it for `kubectl create`, managed fields included. */
export function review(object: KubeObject): string {
  const { name, namespace } = object.metadata
  const kind = { group: 'networking.k8s.io', version: 'v1', kind: 'Ingress' }
  const resource = { group: 'networking.k8s.io', version: 'v1', resource: 'ingresses' }
  const fieldsV1 = {
    'f:metadata': { 'f:annotations': { '.': {} }, 'f:labels': { '.': {}, 'f:auth.example/protect': {} } },
    'f:spec': { 'f:ingressClassName': {}, 'f:rules': {}, 'f:tls': {} },
  }
  const time = '2026-01-01T00:00:00Z'
  const managed = {
    manager: 'kubectl-create',
    operation: 'Update',
    apiVersion: 'networking.k8s.io/v1',
    time,
    fieldsType: 'FieldsV1',
    fieldsV1,
  }
  return JSON.stringify({
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind,
      resource,
      requestKind: kind,
      requestResource: resource,
      name,
      namespace,
      operation: 'CREATE',
      userInfo: { username: 'developer', groups: ['system:authenticated'] },
      object: { ...object, metadata: { ...object.metadata, managedFields: [managed] } },
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'kubectl-create' },
    },
  })
}
