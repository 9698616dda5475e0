// The real parts that tests run against: which program, or which files, of which release.

export type Program = {
  kind: 'program'
  /** Folder below test/parts/go whose go.mod and go.sum pin the release. */
  module: string
  package: string
  /** Variables that the linker sets: most programs learn their own version only this way. */
  variables: Readonly<Record<string, string>>
  /** Where else the program may come from, so that it needn't be built. */
  elsewhere: readonly ('KUBEBUILDER_ASSETS' | 'PATH')[]
}

export type Files = {
  kind: 'files'
  module: string
  version: string
  /** Checksum of the module as a go.sum would hold it. */
  sum: string
  /** Folder inside the module; searched with its sub-folders. */
  folder: string
  pattern: RegExp
}

export type Part = Program | Files

const kubernetesVersion = {
  'k8s.io/component-base/version.gitVersion': 'v1.36.3',
  'k8s.io/component-base/version.gitMajor': '1',
  'k8s.io/component-base/version.gitMinor': '36',
}

export const catalogue = {
  'kube-apiserver': {
    kind: 'program',
    module: 'kubernetes',
    package: 'k8s.io/kubernetes/cmd/kube-apiserver',
    variables: kubernetesVersion,
    elsewhere: ['KUBEBUILDER_ASSETS'],
  },
  etcd: {
    kind: 'program',
    module: 'etcd',
    package: 'go.etcd.io/etcd/server/v3',
    variables: {},
    elsewhere: ['KUBEBUILDER_ASSETS'],
  },
  kubectl: {
    kind: 'program',
    module: 'kubernetes',
    package: 'k8s.io/kubernetes/cmd/kubectl',
    variables: kubernetesVersion,
    elsewhere: ['KUBEBUILDER_ASSETS', 'PATH'],
  },
  egctl: {
    kind: 'program',
    module: 'envoy-gateway',
    package: 'github.com/envoyproxy/gateway/cmd/egctl',
    variables: { 'github.com/envoyproxy/gateway/internal/cmd/version.envoyGatewayVersion': 'v1.9.1' },
    elsewhere: [],
  },
  'envoy-gateway-crds': {
    kind: 'files',
    module: 'github.com/envoyproxy/gateway',
    version: 'v1.9.1',
    sum: 'h1:vAVp6/AlBXJ1aOhp1mxL7fNEzVEfjADUguUhm2wzxQY=',
    folder: 'charts/gateway-helm/charts/crds/crds',
    pattern: /\.yaml$/,
  },
  'gateway-api-crds': {
    kind: 'files',
    module: 'sigs.k8s.io/gateway-api',
    version: 'v1.6.1',
    sum: 'h1:mock6phZbI6rvZerwrVNk7hVNymQgHo+6sJ81Ia7ftY=',
    folder: 'config/crd/standard',
    pattern: /\.yaml$/,
  },
  'traefik-crds': {
    kind: 'files',
    module: 'github.com/traefik/traefik/v3',
    version: 'v3.7.13',
    sum: 'h1:T8wy9KuaFzCkmXCqAzDy7t73pBDR1DHrJe3pqXpNXTw=',
    folder: 'docs/content/reference/dynamic-configuration',
    // The folder also holds examples, and one file that repeats all of these.
    pattern: /^traefik\.io_.*\.yaml$/,
  },
} as const satisfies Record<string, Part>

export type PartName = keyof typeof catalogue

export const partNames = Object.keys(catalogue) as PartName[]

export const partOf = (name: PartName): Part => catalogue[name]
