// Clients without a session ask all the time behind Envoy Gateway, and reach no application.
import { afterAll, beforeAll } from '@jest/globals'
import { describeWithParts } from '../parts/require.ts'
import { describeLeaks } from './leaks.ts'
import { progressOn } from './stage/progress.ts'
import { ENVOY_HTTP_ROUTE } from './stage/route-kinds.ts'
import { type Stage, stageParts, startStage } from './stage/stage.ts'
import { describeWithoutGuard } from './without-guard.ts'

describeWithParts('no leak behind Envoy Gateway', stageParts['envoy-gateway'], () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await startStage({ gateway: 'envoy-gateway', progress: progressOn(process.stdout) })
    await stage.startApplication('monitoring', 'prometheus')
  }, 400_000)
  afterAll(() => stage?.stop(), 60_000)

  describeLeaks('behind Envoy Gateway', [ENVOY_HTTP_ROUTE], () => stage)
  describeWithoutGuard([ENVOY_HTTP_ROUTE], () => stage)
})
