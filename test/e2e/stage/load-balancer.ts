// What a cloud puts in front of a gateway: port 443 of an address, so that URLs have no port.
import { type ServedService, serveService } from '../../parts/service.ts'

export type LoadBalancer = ServedService & { readonly address: string }

export async function startLoadBalancer(address: string, port: number): Promise<LoadBalancer> {
  const served = await serveService({ host: address, port: 443 }).catch((error: Error) => {
    throw new Error(`nothing of ours can listen on ${address}:443 (${error.message}); it takes root or a free port`)
  })
  served.use([{ host: '127.0.0.1', port }])
  return { ...served, address }
}
