// A reference setup on a stage: its Services, its oauth2-proxy, its team, and the processes of its applications.
import { object } from '../../../src/core/json.ts'
import type { KubeObject } from '../../../src/core/types.ts'
import { applied, fromYaml, succeeds } from '../../integration/objects.ts'
import type { RunningPart } from '../../parts/process.ts'
import type { Endpoint } from '../../parts/service.ts'
import type { TeamOfPlace } from '../protected.ts'
import { serviceAddress } from '../stage/addresses.ts'
import { startApplication } from '../stage/application.ts'
import { cookieSecret, runOAuth2Proxy, startOAuth2Proxy } from '../stage/oauth2-proxy.ts'
import { namespace, service } from '../stage/objects.ts'
import type { Stage } from '../stage/stage.ts'
import { backendOf, type Setup } from './setup.ts'

export type RunningSetup = {
  readonly setup: Setup
  readonly team: TeamOfPlace
  /** Where an application or the oauth2-proxy listens, which is the address of its Service. */
  readonly listens: ReadonlyMap<string, Endpoint>
  /** Runs oauth2-proxy from now on with the flags that Portcullis asks for, and these. */
  runAsAsked(...flags: readonly string[]): Promise<void>
  /** Runs it with nothing but its client, its address and these. */
  runByHand(...flags: readonly string[]): Promise<void>
  stop(): Promise<void>
}

export type Wanted = {
  /** For its oauth2-proxy, when it runs as asked. */
  readonly flags?: readonly string[]
  readonly allowedGroups?: readonly string[]
  /** Applied with the team. */
  readonly objects?: readonly KubeObject[]
  /** Services of its namespace that no route leads to. */
  readonly internal?: readonly { readonly namespace: string; readonly name: string }[]
}

export async function startSetup(stage: Stage, setup: Setup, wanted: Wanted = {}): Promise<RunningSetup> {
  const { controlPlane } = stage.cluster
  const { proxy } = setup.team
  const listens = new Map<string, Endpoint>()
  const served = async (of: string, name: string, port: number) => {
    const listen = { ...serviceAddress(), port }
    await applied(controlPlane, namespace(of), service(of, name, listen), endpointSlice(of, name, listen))
    listens.set(name, listen)
    return listen
  }
  const listen = await served(proxy.service.namespace, proxy.service.name, proxy.service.port)
  const parts: RunningPart[] = []
  const internal = (wanted.internal ?? []).map(each => ({ ...each, port: 80 }))
  for (const { namespace: of, name, port } of [...setup.applications.map(backendOf), ...internal]) {
    if (!listens.has(name)) parts.push(await startApplication(stage.logs, name, await served(of, name, port)))
  }
  const start = starts(stage, setup, listen, wanted)
  let begin = () => start.asAsked([])
  let running = await begin()
  const replace = async (by: () => Promise<RunningPart>, whileAway?: () => Promise<void>) => {
    await running.stop('SIGKILL')
    await whileAway?.()
    begin = by
    running = await by()
  }
  await copyCertificates(stage, [...setup.facts, ...setup.applications])
  await applied(controlPlane, ...setup.facts, ...(wanted.objects ?? []))
  return {
    setup,
    listens,
    team: {
      name: setup.team.name,
      cookieName: proxy.cookieName,
      loginHost: proxy.loginHost,
      restart: whileAway => replace(begin, whileAway),
    },
    runAsAsked: (...flags) => replace(() => start.asAsked(flags)),
    runByHand: (...flags) => replace(() => start.byHand(flags)),
    async stop() {
      for (const part of [running, ...parts]) await part.stop('SIGKILL')
    },
  }
}

function starts({ logs, openId, redis }: Stage, { team, client }: Setup, listen: Endpoint, wanted: Wanted) {
  const { loginHost, cookieDomains, cookieName } = team.proxy
  const { flags: always = [], allowedGroups = [] } = wanted
  const at = { dir: logs, team: team.name, listen }
  const asAsked = (flags: readonly string[]) =>
    startOAuth2Proxy({
      ...at,
      issuer: openId.issuer,
      clientSecret: client.secret,
      loginHost: loginHost ?? '',
      cookieDomain: cookieDomains[0] as string,
      cookieName,
      redis: redis.url,
      allowedGroups,
      // Without a login host each host has its own callback.
      flags: [...(loginHost === undefined ? ['--redirect-url='] : []), ...always, ...flags],
    })
  const byHand = (flags: readonly string[]) =>
    runOAuth2Proxy(at, [
      `--http-address=${listen.host}:${listen.port}`,
      '--provider=oidc',
      `--oidc-issuer-url=${openId.issuer}`,
      `--client-id=${client.id}`,
      `--client-secret=${client.secret}`,
      `--cookie-secret=${cookieSecret(team.name)}`,
      '--email-domain=*',
      ...flags,
    ])
  return { asAsked, byHand }
}

/**
 * Traefik's reader of the annotations of ingress-nginx wants endpoints. As IP addresses the API server takes none of the
 * loopback's; as names it does.
 */
function endpointSlice(of: string, name: string, { host, port }: Endpoint): KubeObject {
  const metadata = { namespace: of, name, labels: { 'kubernetes.io/service-name': name } }
  const endpoints = [{ addresses: [host], conditions: { ready: true } }]
  const slice = { addressType: 'FQDN', endpoints, ports: [{ name: 'http', port }] }
  return { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata, ...slice } as KubeObject
}

/** The certificate of the stage under the names that Ingresses have for theirs. */
async function copyCertificates({ cluster }: Stage, objects: readonly KubeObject[]): Promise<void> {
  const { controlPlane } = cluster
  const get = ['get', 'secret', 'certificate', '-n', 'gateways', '-o', 'yaml']
  const [stored] = fromYaml(await succeeds(controlPlane, get)) as [KubeObject]
  for (const { metadata, spec } of objects) {
    for (const { secretName } of (object(spec).tls ?? []) as { secretName?: string }[]) {
      if (secretName === undefined) continue
      const copy = { ...stored, metadata: { namespace: String(metadata.namespace), name: secretName } }
      await applied(controlPlane, namespace(String(metadata.namespace)), copy)
    }
  }
}
