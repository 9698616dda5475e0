// The whole stage: a cluster with Portcullis, one gateway, teams with their logins, applications; every part a process.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cp, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuthority } from '../../../src/certificates/authority.ts'
import { issueLeaf } from '../../../src/certificates/leaf.ts'
import { PROTECT } from '../../../src/core/keys.ts'
import type { KubeObject } from '../../../src/core/types.ts'
import { type Api, until } from '../../integration/api.ts'
import { applied } from '../../integration/objects.ts'
import { controllerManagerParts } from '../../parts/controller-manager.ts'
import { leaveStage } from '../report/evidence.ts'
import { loadBalancerAddress, serviceAddress } from './addresses.ts'
import { startApplication } from './application.ts'
import { type Cluster, startCluster } from './cluster.ts'
import { ENVOY_GATEWAY, startEnvoyGateway } from './envoy-gateway.ts'
import type { Gateway, GatewayName } from './gateway.ts'
import { httpRoute, namespace, service } from './objects.ts'
import { type OpenIdClient, type OpenIdProvider, startOpenIdProvider } from './openid-provider.ts'
import { PEOPLE, type Person, TENANT } from './people.ts'
import { type Progress, SILENT } from './progress.ts'
import { type Redis, startRedis } from './redis.ts'
import { type StageTeam, startTeam } from './running-team.ts'
import { exampleTeams, openIdClient, type TeamOptions } from './team.ts'
import { together } from './together.ts'
import { startTraefik, TRAEFIK } from './traefik.ts'

export type StageOptions = {
  readonly gateway: GatewayName
  /** Every host is below; `corp.test` unless said otherwise. */
  readonly domain?: string
  /** A loopback address for port 443; any, unless said otherwise. */
  readonly address?: string
  readonly people?: readonly Person[]
  readonly teams?: readonly TeamOptions[]
  /** That the certificate is for, besides the domains and all right below them. */
  readonly hosts?: readonly string[]
  readonly progress?: Progress
  /** Of teams that come later, known to the OpenID provider from its start. */
  readonly clients?: readonly OpenIdClient[]
}

export type Stage = {
  readonly cluster: Cluster
  readonly gateway: Gateway
  readonly domain: string
  /** Logs of every process, also afterwards. */
  readonly logs: string
  readonly redis: Redis
  readonly openId: OpenIdProvider
  readonly teams: readonly StageTeam[]
  /** Of the authority behind every certificate, and its file. */
  readonly ca: { readonly text: string; readonly file: string }
  /** That the gateway shows. */
  readonly certificate: string
  /** Starts one; its Service has its name. */
  startApplication(namespace: string, name: string): Promise<void>
  stop(): Promise<void>
}

const partsOfEach = [...controllerManagerParts, 'oauth2-proxy', 'redis-server'] as const

export const stageParts = {
  'envoy-gateway': [...partsOfEach, 'envoy-gateway', 'envoy', 'envoy-gateway-crds'],
  traefik: [...partsOfEach, 'traefik', 'gateway-api-crds', 'traefik-crds'],
} as const

/** Of the cluster. Both bring the kinds of Gateway API, each in the channel that it goes with. */
const NEEDS = {
  'envoy-gateway': { controllers: [ENVOY_GATEWAY], crds: ['envoy-gateway'] },
  traefik: { controllers: TRAEFIK, crds: ['gateway-api', 'traefik'] },
} as const

type Stop = () => unknown

export async function startStage(options: StageOptions): Promise<Stage> {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-stage-'))
  const logs = join(dir, 'logs')
  mkdirSync(logs)
  const stops: Stop[] = [() => removeAllBut(dir, 'logs')]
  const stop = async () => {
    await keepLogs(dir, logs)
    for (const each of stops.splice(0).reverse()) await each()
  }
  const start = performance.now()
  try {
    const stage = { ...(await startAll(options, dir, logs, stops)), stop }
    leaveStage(options.gateway, stageParts[options.gateway], (performance.now() - start) / 1000)
    return stage
  } catch (error) {
    await stop()
    throw new Error(`the stage does not stand; logs are in ${logs}`, { cause: error })
  }
}

async function startAll(options: StageOptions, dir: string, logs: string, stops: Stop[]): Promise<Omit<Stage, 'stop'>> {
  const { gateway: name, domain = 'corp.test', address = loadBalancerAddress(), progress = SILENT } = options
  const { people = PEOPLE, teams = exampleTeams(domain), hosts: more = [] } = options
  const clients = [...teams.map(openIdClient), ...(options.clients ?? [])]
  const [cluster, openId, redis] = await together(
    startCluster({ dir, ...NEEDS[name], progress }).then(started => {
      stops.push(() => started.stop())
      return started
    }),
    progress.step('OpenID provider', async () => {
      const started = await startOpenIdProvider(logs, dir, { tenant: TENANT, people, clients, mailDomain: domain })
      stops.push(() => started.part.stop('SIGKILL'))
      return started
    }),
    progress.step('Redis', async () => {
      const started = await startRedis(logs)
      stops.push(() => started.part.stop('SIGKILL'))
      return started
    }),
  )
  const { controlPlane, api } = cluster
  const authority = await createAuthority(new Date())
  const domains = [domain, ...teams.map(team => team.domain)]
  const hosts = [...domains.flatMap(each => [each, `*.${each}`]), ...more]
  const certificate = await issueLeaf(authority, hosts, new Date())
  const ca = { text: authority.cert, file: join(dir, 'ca.crt') }
  writeFileSync(ca.file, authority.cert)
  const start = name === 'traefik' ? startTraefik : startEnvoyGateway
  const gateway = await start({ controlPlane, api, dir: logs, files: dir, address, certificate, progress })
  stops.push(() => gateway.stop())
  const running: StageTeam[] = []
  for (const team of teams) {
    const started = await startTeam(team, { cluster, logs, openId, redis, gateway, progress })
    stops.push(() => started.stop())
    running.push(started)
  }
  await progress.step('labels are admitted', () => untilAdmitted(cluster.api, name, teams))
  return {
    cluster,
    gateway,
    domain,
    logs,
    redis,
    openId,
    teams: running,
    ca,
    certificate: certificate.cert,
    async startApplication(of, application) {
      const listen = serviceAddress()
      await applied(controlPlane, namespace(of), service(of, application, listen))
      const part = await startApplication(logs, application, listen)
      stops.push(() => part.stop('SIGKILL'))
    },
  }
}

/** A Gateway is prepared once its proxies have no older connections, and guards of teams count once they have settled. */
async function untilAdmitted(api: Api, gateway: GatewayName, teams: readonly TeamOptions[]): Promise<void> {
  for (const { namespace, domain } of teams) {
    const backend = { namespace, name: 'probe', host: `probe.${domain}`, service: 'probe', port: 80 }
    const { metadata, ...rest } = httpRoute(gateway === 'traefik' ? 'traefik' : 'envoy', backend)
    const probe = { ...rest, metadata: { ...metadata, labels: { [PROTECT]: 'true' } } } as KubeObject
    await until(
      `${namespace} may label`,
      async () => (await api.create(probe, undefined, '?dryRun=All')).status === 201,
    )
  }
}

async function keepLogs(dir: string, logs: string): Promise<void> {
  const cluster = join(dir, 'cluster')
  const files = await readdir(cluster).catch(() => [])
  for (const file of files.filter(each => each.endsWith('.log'))) await cp(join(cluster, file), join(logs, file))
}

async function removeAllBut(dir: string, kept: string): Promise<void> {
  for (const each of await readdir(dir)) if (each !== kept) rmSync(join(dir, each), { recursive: true, force: true })
}
