// Every way around a login that Traefik can show: with Portcullis as it is installed, and without it.
import { applied } from '../../integration/objects.ts'
import { ingressClass, namespace } from '../stage/objects.ts'
import { TRAEFIK_INGRESS } from '../stage/route-kinds.ts'
import type { Stage } from '../stage/stage.ts'
import { exampleTeams } from '../stage/team.ts'
import { describeBypass } from './bypass.ts'
import { ELSEWHERE, labelled, made, mayDoEverything } from './ground.ts'
import { middleware } from './made.ts'
import { TRAEFIK_HTTP_ROUTE_WAYS } from './rows/traefik-http-route.ts'
import { TRAEFIK_INGRESS_WAYS } from './rows/traefik-ingress.ts'
import { TRAEFIK_NGINX_WAYS } from './rows/traefik-nginx.ts'
import { startAlias, startRecorder } from './stand-ins.ts'

const DOMAIN = 'corp.test'
const [teamA, teamB] = exampleTeams(DOMAIN)

describeBypass({
  title: 'ways around a login behind Traefik',
  gateway: 'traefik',
  domain: DOMAIN,
  teams: [teamA, { ...teamB, flags: ['--skip-auth-route=GET=^/public'] }],
  ways: [...TRAEFIK_INGRESS_WAYS, ...TRAEFIK_HTTP_ROUTE_WAYS, ...TRAEFIK_NGINX_WAYS],
  prepare,
  shake,
})

async function prepare(stage: Stage): Promise<() => unknown> {
  const { controlPlane, api } = stage.cluster
  await applied(controlPlane, ingressClass('other', 'example.org/ingress-controller'), namespace('pair'))
  await applied(controlPlane, mayDoEverything('stranger', 'pair'))
  await stage.startApplication('pair', 'x-prometheus')
  await stage.startApplication('shop', 'cart')
  const host = `skips.team-b.${stage.domain}`
  const skips = TRAEFIK_INGRESS.route({ namespace: 'shop', name: 'skips', host, service: 'cart', port: 80 })
  await made(api, labelled(skips))
  const standIns = [await startAlias(stage, 'monitoring'), await startRecorder(stage, 'monitoring')]
  return () => Promise.all(standIns.map(each => each.close()))
}

/**
 * Where routes are equal, or names are when joined, Traefik draws lots each time that it builds its configuration: whenever
 * Ingresses have changed, or kinds of its own.
 */
async function shake({ cluster: { api }, domain }: Stage, round: number): Promise<void> {
  const backend = {
    namespace: ELSEWHERE,
    name: 'shaken',
    host: `shaken-${round}.${domain}`,
    service: 'intruder',
    port: 80,
  }
  const customRequestHeaders = { 'x-round': String(round) }
  const shaken = [
    TRAEFIK_INGRESS.route(backend),
    middleware(ELSEWHERE, 'shaken', { headers: { customRequestHeaders } }),
  ]
  for (const each of shaken) {
    const { status } = await api.patch(each, { spec: each.spec })
    if (status === 404) await api.create(each)
  }
}
