// Every way around a login that Envoy Gateway can show: with Portcullis as it is installed, and without it.
import { array, object } from '../../../src/core/json.ts'
import { applied } from '../../integration/objects.ts'
import { freePorts } from '../../parts/ports.ts'
import { gateway } from '../stage/objects.ts'
import type { Stage } from '../stage/stage.ts'
import { describeBypass } from './bypass.ts'
import { ELSEWHERE } from './ground.ts'
import { ENVOY_GATEWAY_WAYS } from './rows/envoy-gateway.ts'
import { startAlias, startHttp2, startRecorder } from './stand-ins.ts'

describeBypass({
  title: 'ways around a login behind Envoy Gateway',
  gateway: 'envoy-gateway',
  domain: 'corp.test',
  ways: ENVOY_GATEWAY_WAYS,
  prepare,
})

async function prepare(stage: Stage): Promise<() => unknown> {
  const { controlPlane, api } = stage.cluster
  const [tcp, second] = (await freePorts(2)) as [number, number]
  const { spec } = (await api.send('GET', '/apis/gateway.networking.k8s.io/v1/namespaces/gateways/gateways/envoy')).body
  const allowedRoutes = { namespaces: { from: 'All' } }
  const listeners = [...array(object(spec).listeners), { name: 'tcp', protocol: 'TCP', port: tcp, allowedRoutes }]
  await api.patch(gateway('envoy', 'envoy', second, 'certificate'), { spec: { listeners } })
  await applied(controlPlane, gateway('second', 'envoy', second, 'certificate'))
  const standIns = [
    await startAlias(stage, 'monitoring'),
    await startRecorder(stage, 'monitoring'),
    await startHttp2(stage, 'monitoring'),
    await startHttp2(stage, ELSEWHERE),
  ]
  return () => Promise.all(standIns.map(each => each.close()))
}
