// One label on an HTTPRoute behind Envoy Gateway, with a real Envoy, oauth2-proxy, Redis and Chromium.
import { afterAll, beforeAll } from '@jest/globals'
import { describeWithParts } from '../parts/require.ts'
import { describeLogin } from './login.ts'
import { progressOn } from './stage/progress.ts'
import { ENVOY_HTTP_ROUTE } from './stage/route-kinds.ts'
import { type Stage, stageParts, startStage } from './stage/stage.ts'
import { describeTakenOver } from './taken-over.ts'

describeWithParts('behind Envoy Gateway', [...stageParts['envoy-gateway'], 'chromium'], () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await startStage({ gateway: 'envoy-gateway', progress: progressOn(process.stdout) })
    await stage.startApplication('monitoring', 'prometheus')
    await stage.startApplication('shop', 'cart')
  }, 400_000)
  afterAll(() => stage?.stop(), 60_000)

  describeLogin(ENVOY_HTTP_ROUTE, () => stage)
  describeTakenOver(() => stage)
})
