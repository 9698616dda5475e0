// A team on the stage: its oauth2-proxy runs, and the cluster knows it.
import { applied } from '../../integration/objects.ts'
import type { RunningPart } from '../../parts/process.ts'
import type { Endpoint } from '../../parts/service.ts'
import { serviceAddress } from './addresses.ts'
import { startOAuth2Proxy } from './oauth2-proxy.ts'
import { namespace, service } from './objects.ts'
import type { Progress } from './progress.ts'
import type { Stage } from './stage.ts'
import { authTeam, cookieName, loginHost, loginNamespace, loginRoute, openIdClient, type TeamOptions } from './team.ts'

export type StageTeam = {
  readonly options: TeamOptions
  readonly listen: Endpoint
  readonly cookieName: string
  /** Kills oauth2-proxy, and starts it again once `whileAway` is over. */
  restart(whileAway?: () => Promise<void>): Promise<void>
}

export type RunningTeam = StageTeam & { stop(): Promise<void> }

type Around = Pick<Stage, 'cluster' | 'logs' | 'openId' | 'redis' | 'gateway'> & { readonly progress: Progress }

export async function startTeam(team: TeamOptions, around: Around): Promise<RunningTeam> {
  const { cluster, logs, openId, redis, gateway, progress } = around
  const { controlPlane } = cluster
  const listen = serviceAddress()
  const start = () =>
    startOAuth2Proxy({
      dir: logs,
      team: team.name,
      listen,
      issuer: openId.issuer,
      clientSecret: openIdClient(team).secret,
      loginHost: loginHost(team),
      cookieDomain: team.domain,
      cookieName: cookieName(team),
      redis: redis.url,
      allowedGroups: team.allowedGroups,
      flags: team.flags,
    })
  let part: RunningPart = await progress.step(`oauth2-proxy of ${team.name}`, start)
  await progress.step(`AuthTeam ${team.name}`, async () => {
    const home = loginNamespace(team)
    await applied(controlPlane, namespace(team.namespace), namespace(home), service(home, 'oauth2-proxy', listen))
    await applied(controlPlane, authTeam(team), loginRoute(team, gateway.name, listen))
  })
  return {
    options: team,
    listen,
    cookieName: cookieName(team),
    async restart(whileAway) {
      await part.stop('SIGKILL')
      await whileAway?.()
      part = await start()
    },
    stop: () => part.stop('SIGKILL'),
  }
}
