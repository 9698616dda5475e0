// What the stage knows of a gateway that runs.
import type { Api } from '../../integration/api.ts'
import type { ControlPlane } from '../../parts/control-plane.ts'
import type { RunningPart } from '../../parts/process.ts'
import type { Progress } from './progress.ts'

export type GatewayName = 'envoy-gateway' | 'traefik'

export type GatewayOptions = {
  readonly controlPlane: ControlPlane
  readonly api: Api
  /** For logs. */
  readonly dir: string
  /** For everything else, keys among it: gone with the stage. */
  readonly files: string
  /** Where clients meet it, on port 443. */
  readonly address: string
  /** For every host of the stage. */
  readonly certificate: { readonly cert: string; readonly key: string }
  readonly progress: Progress
}

export type Gateway = {
  readonly name: GatewayName
  readonly address: string
  /** Its own port on 127.0.0.1, behind the load balancer. */
  readonly port: number
  /** Without TLS, where it has one. */
  readonly plainPort?: number
  /** By the name of their log. */
  readonly parts: Readonly<Record<string, RunningPart>>
  /** Kills this part, and starts it again once `whileAway` is over. */
  restart(part: string, whileAway?: () => Promise<void>): Promise<void>
  stop(): Promise<void>
}
