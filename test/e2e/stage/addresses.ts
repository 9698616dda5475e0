// Loopback addresses that stages side by side do not share.
import type { Endpoint } from '../../parts/service.ts'

const below = (limit: number) => Math.floor(Math.random() * limit)

/** In the range of Services, where local processes can listen. */
export function serviceAddress(): Endpoint {
  return { host: `127.96.${64 + below(192)}.${1 + below(254)}`, port: 80 }
}

/** Outside of the ranges of Services and pods. */
export function loadBalancerAddress(): string {
  return `127.${130 + below(20)}.${below(256)}.${1 + below(254)}`
}
