// What the configuration says of Envoy Gateway: its controllers, and the Gateways that it hands over.
import type { Controller } from '../../api/config.ts'
import type { Facts, ObjectName } from '../../core/types.ts'

export type Settings = Extract<Controller, { gateway: 'envoy-gateway' }>
export type HandedOver = Settings['handedOver'][number]

/** undefined: nobody handed this Gateway over, so its policies are checked and never written. */
export function handedOver(gateway: ObjectName, facts: Facts): HandedOver | undefined {
  for (const controller of facts.config.controllers) {
    if (controller.gateway !== 'envoy-gateway') continue
    const found = controller.handedOver.find(each => each.namespace === gateway.namespace && each.name === gateway.name)
    if (found !== undefined) return found
  }
  return undefined
}

/** Whether the cluster has a GatewayClass of Envoy Gateway. */
export function isInUse(facts: Facts): boolean {
  const controllers = facts.controllersOf('HTTPRoute')
  return facts.config.controllers.some(each => each.gateway === 'envoy-gateway' && controllers.has(each.controller))
}
