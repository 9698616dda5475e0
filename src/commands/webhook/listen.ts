// Both listeners of the webhook, admission and health, or one sentence about why they can't listen.
import { type HealthOptions, serveHealth } from '../../http/health.ts'
import type { Metrics } from '../../http/metrics.ts'
import { type ServerOptions, type Serving, serve } from '../../http/server.ts'
import { failure, type Io } from '../io.ts'
import { cannotListen } from '../listening.ts'
import type { WebhookOptions } from '../webhook.ts'

export type Listen = Pick<ServerOptions, 'admit' | 'keyPair' | 'log' | 'notReady'> & {
  /** Where no port is asked for. */
  readonly defaultPort: number
  /** Absent: there is no port for health. */
  readonly health?: { readonly port: number; readonly missing: HealthOptions['missing']; readonly metrics: Metrics }
}

export type Listening = {
  readonly serving: Serving
  /** Health is told to the last. */
  close(delayMs: number): Promise<void>
}

/** What is under way may take this long after nothing new is taken: the API server has given up by then. */
const GRACE_MS = 30_000

/** Undefined: it can't, and has been said. */
export async function listen(
  options: WebhookOptions,
  { health, ...own }: Listen,
  io: Io,
): Promise<Listening | undefined> {
  const { port = own.defaultPort, host, clientName } = options
  const address = host === undefined ? {} : { host }
  const clients = clientName === undefined ? {} : { clientNames: clientName }
  const served = health === undefined ? {} : { served: health.metrics.served }
  const say = (flag: string, at: number) => (error: unknown) => sayCannotListen(error, flag, at, host, io)
  const serving = await serve({ ...own, ...clients, ...served, ...address, port }).catch(say('--port', port))
  if (serving === undefined) return undefined
  if (health === undefined) return { serving, close: delayMs => serving.drain({ delayMs, graceMs: GRACE_MS }) }
  const { missing, metrics, port: healthPort } = health
  metrics.tellInFlight(serving.inFlight)
  const { registry } = metrics
  const asked = await serveHealth({ ...address, port: healthPort, missing, registry }).catch(
    say('--health-port', healthPort),
  )
  if (asked === undefined) {
    await serving.drain({ delayMs: 0, graceMs: 0 })
    return undefined
  }
  return {
    serving,
    async close(delayMs) {
      await serving.drain({ delayMs, graceMs: GRACE_MS })
      await asked.close()
    },
  }
}

export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

function sayCannotListen(error: unknown, flag: string, port: number, host: string | undefined, io: Io): undefined {
  const problem = cannotListen(failure(error).code, flag, port, host)
  if (problem === undefined) throw error
  io.err(`${problem}\n`)
}
