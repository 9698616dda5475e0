// One label on an Ingress, on an HTTPRoute, and on an Ingress for ingress-nginx, all served by a real Traefik.
import { afterAll, beforeAll } from '@jest/globals'
import { describeWithParts } from '../parts/require.ts'
import { describeLogin } from './login.ts'
import { progressOn } from './stage/progress.ts'
import { INGRESS_NGINX, TRAEFIK_HTTP_ROUTE, TRAEFIK_INGRESS } from './stage/route-kinds.ts'
import { type Stage, stageParts, startStage } from './stage/stage.ts'

describeWithParts('behind Traefik', [...stageParts.traefik, 'chromium'], () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await startStage({ gateway: 'traefik', progress: progressOn(process.stdout) })
    await stage.startApplication('monitoring', 'prometheus')
    await stage.startApplication('shop', 'cart')
  }, 400_000)
  afterAll(() => stage?.stop(), 60_000)

  describeLogin(TRAEFIK_INGRESS, () => stage)
  describeLogin(TRAEFIK_HTTP_ROUTE, () => stage)
  describeLogin(INGRESS_NGINX, () => stage)
})
