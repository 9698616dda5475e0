// A real API server with its etcd, on free loopback ports, for the length of one test suite.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { get } from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PartName } from './catalogue.ts'
import { type KubectlResult, runKubectl } from './kubectl.ts'
import { locate } from './locate.ts'
import { freePorts } from './ports.ts'
import { type RunningPart, startPart } from './process.ts'

export type ControlPlane = {
  /** Path of a kubeconfig whose user may do everything. */
  kubeconfig: string
  server: string
  /** Logs of all processes are in here, until stop. */
  dir: string
  kubectl(args: readonly string[], input?: string, env?: Readonly<Record<string, string>>): Promise<KubectlResult>
  /** Server-side apply; throws what kubectl said when it fails. */
  apply(...files: string[]): Promise<void>
  /** The same for custom resource definitions: afterwards their kinds can be used. */
  applyCrds(...files: string[]): Promise<void>
  /** The same where none of them is there: with Envoy Gateway's megabytes two thirds of the work. */
  createCrds(...files: string[]): Promise<void>
  /** Kills the API server, and starts it again on its port and with its etcd once `whileAway` is over. */
  restartApiServer(whileAway?: () => Promise<void>): Promise<void>
  /** The same with etcd too, which keeps what it has stored. */
  restart(whileAway?: () => Promise<void>): Promise<void>
  /** Those that run now. */
  processes(): { readonly etcd: RunningPart; readonly apiServer: RunningPart }
  stop(): Promise<void>
}

export type ControlPlaneOptions = {
  dir: string
  serviceClusterIpRange?: string
  /** More flags for the API server. */
  extraArgs?: readonly string[]
}

export const controlPlaneParts = ['kube-apiserver', 'etcd', 'kubectl'] as const satisfies readonly PartName[]

const programOf = (name: PartName): string => {
  const program = locate(name)
  if (!program) throw new Error(`${name} not on this machine; "npm run parts" builds it`)
  return program
}

const isReady = (server: string, certificate: string, token: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    // The API server writes its certificate while it starts: until then there is nothing to read, and it isn't ready.
    const ca = readFileSync(certificate)
    const request = get(`${server}/readyz`, { ca, headers: { authorization: `Bearer ${token}` } }, response => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.on('error', reject)
  })

type EtcdOptions = { dir: string; endpoint: string; peers: string }

const startEtcd = ({ dir, endpoint, peers }: EtcdOptions): Promise<RunningPart> =>
  startPart({
    name: 'etcd',
    command: programOf('etcd'),
    args: [
      `--data-dir=${join(dir, 'etcd')}`,
      '--unsafe-no-fsync',
      `--listen-client-urls=${endpoint}`,
      `--advertise-client-urls=${endpoint}`,
      `--listen-peer-urls=${peers}`,
      `--initial-advertise-peer-urls=${peers}`,
      `--initial-cluster=default=${peers}`,
    ],
    dir,
    ready: async () => (await fetch(`${endpoint}/health`)).ok,
  })

type ApiServerOptions = {
  dir: string
  etcd: string
  serviceClusterIpRange: string
  token: string
  port: number
  extraArgs: readonly string[]
}

const credentialsIn = (dir: string) => ({
  key: join(dir, 'service-account.key'),
  tokens: join(dir, 'tokens.csv'),
})

const writeCredentials = (dir: string, token: string): void => {
  const { key, tokens } = credentialsIn(dir)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  writeFileSync(key, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 })
  writeFileSync(tokens, `${token},admin,admin,system:masters\n`, { mode: 0o600 })
}

const startApiServer = (options: ApiServerOptions): Promise<RunningPart> => {
  const { dir, port } = options
  const { key, tokens } = credentialsIn(dir)
  return startPart({
    name: 'kube-apiserver',
    command: programOf('kube-apiserver'),
    args: [
      `--etcd-servers=${options.etcd}`,
      '--bind-address=127.0.0.1',
      // Otherwise it looks for a default route, which a machine without a network hasn't got.
      '--advertise-address=127.0.0.1',
      `--secure-port=${port}`,
      `--cert-dir=${dir}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-signing-key-file=${key}`,
      `--service-account-key-file=${key}`,
      '--authorization-mode=RBAC',
      `--token-auth-file=${tokens}`,
      // Nobody makes service accounts here: no controller runs.
      '--disable-admission-plugins=ServiceAccount',
      // EndpointSlices refuse loopback addresses, and so would the API server's own.
      '--endpoint-reconciler-type=none',
      `--service-cluster-ip-range=${options.serviceClusterIpRange}`,
      ...options.extraArgs,
    ],
    dir,
    // On a busy machine, with thousands of objects in etcd and everybody asking at once.
    readyWithinMs: 180_000,
    ready: () => isReady(`https://127.0.0.1:${port}`, join(dir, 'apiserver.crt'), options.token),
  })
}

const kubeconfigFor = (server: string, certificate: Buffer, token: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': certificate.toString('base64') } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    'current-context': 'test',
  })

type Running = { etcd?: RunningPart; apiServer?: RunningPart }

type AllOptions = { etcd: EtcdOptions; apiServer: ApiServerOptions }

const startAll = async (options: ControlPlaneOptions, token: string, running: Running): Promise<AllOptions> => {
  const { dir } = options
  const [client, peer, port] = await freePorts(3)
  const etcd = { dir, endpoint: `http://127.0.0.1:${client}`, peers: `http://127.0.0.1:${peer}` }
  running.etcd = await startEtcd(etcd)
  writeCredentials(dir, token)
  const apiServer: ApiServerOptions = {
    dir,
    etcd: etcd.endpoint,
    // Loopback addresses: every clusterIP is one that a local process can listen on, so Services work without
    // kube-proxy, and so do webhook configurations that name one.
    serviceClusterIpRange: options.serviceClusterIpRange ?? '127.96.0.0/16',
    token,
    port: port as number,
    extraArgs: options.extraArgs ?? [],
  }
  running.apiServer = await startApiServer(apiServer)
  return { etcd, apiServer }
}

/** "Established" is not enough: discovery, which kubectl goes by, learns of a definition a moment later. */
const untilUsable = async (kubectl: ControlPlane['kubectl']): Promise<void> => {
  const definitions = await kubectl(['get', 'customresourcedefinitions', '-o', 'jsonpath={.items[*].metadata.name}'])
  const kinds = definitions.stdout.replaceAll(' ', ',')
  const deadline = performance.now() + 30_000
  for (;;) {
    const { code, stderr } = await kubectl(['get', kinds, '--all-namespaces', '-o', 'name'])
    if (code === 0) return
    if (performance.now() > deadline) throw new Error(`definitions can't be used after 30 s: ${stderr.trim()}`)
    await sleep(100)
  }
}

export const startControlPlane = async (options: ControlPlaneOptions): Promise<ControlPlane> => {
  const { dir } = options
  await mkdir(dir, { recursive: true })
  const token = randomBytes(16).toString('hex')
  const running: Running = {}
  // The API server first. No farewell: what it would save is thrown away with the folder.
  const kill = async (): Promise<void> => {
    await running.apiServer?.stop('SIGKILL')
    await running.etcd?.stop('SIGKILL')
  }
  // On failure the folder stays, for its logs.
  const { etcd, apiServer } = await startAll(options, token, running).catch(async error => {
    await kill()
    throw error
  })
  const server = `https://127.0.0.1:${apiServer.port}`
  const restartApiServer: ControlPlane['restartApiServer'] = async whileAway => {
    await running.apiServer?.stop('SIGKILL')
    await whileAway?.()
    running.apiServer = await startApiServer(apiServer)
  }
  const restart: ControlPlane['restart'] = async whileAway => {
    await kill()
    await whileAway?.()
    running.etcd = await startEtcd(etcd)
    running.apiServer = await startApiServer(apiServer)
  }
  const processes = () => running as Required<Running>
  const stop = async (): Promise<void> => {
    await kill()
    await rm(dir, { recursive: true, force: true })
  }
  const kubeconfig = join(dir, 'kubeconfig')
  writeFileSync(kubeconfig, kubeconfigFor(server, readFileSync(join(dir, 'apiserver.crt')), token), { mode: 0o600 })
  const target = { program: programOf('kubectl'), kubeconfig, cacheDir: join(dir, 'kubectl-cache') }
  const kubectl: ControlPlane['kubectl'] = (args, input, env) => runKubectl(target, args, input, env)
  const mustSucceed = async (args: readonly string[]): Promise<void> => {
    const { code, stderr } = await kubectl(args)
    if (code !== 0) throw new Error(`kubectl ${args[0]} ended with ${code}: ${stderr.trim()}`)
  }
  const apply = (...files: string[]) => mustSucceed(['apply', '--server-side', ...files.flatMap(file => ['-f', file])])
  const applyCrds = async (...files: string[]) => {
    await apply(...files)
    await untilUsable(kubectl)
  }
  const createCrds = async (...files: string[]) => {
    await mustSucceed(['create', '--validate=false', ...files.flatMap(file => ['-f', file])])
    await untilUsable(kubectl)
  }
  return { kubeconfig, server, dir, kubectl, apply, applyCrds, createCrds, restartApiServer, restart, processes, stop }
}
