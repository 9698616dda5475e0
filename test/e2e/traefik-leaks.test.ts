// Clients without a session ask all the time behind Traefik, and reach no application.
import { afterAll, beforeAll } from '@jest/globals'
import { describeWithParts } from '../parts/require.ts'
import { describeLeaks } from './leaks.ts'
import { progressOn } from './stage/progress.ts'
import { INGRESS_NGINX, TRAEFIK_HTTP_ROUTE, TRAEFIK_INGRESS } from './stage/route-kinds.ts'
import { type Stage, stageParts, startStage } from './stage/stage.ts'
import { describeWithoutGuard } from './without-guard.ts'

describeWithParts('no leak behind Traefik', stageParts.traefik, () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await startStage({ gateway: 'traefik', progress: progressOn(process.stdout) })
    await stage.startApplication('monitoring', 'prometheus')
  }, 400_000)
  afterAll(() => stage?.stop(), 60_000)

  const kinds = [TRAEFIK_INGRESS, TRAEFIK_HTTP_ROUTE, INGRESS_NGINX]
  describeLeaks('behind Traefik', kinds, () => stage)
  describeWithoutGuard(kinds, () => stage)
})
