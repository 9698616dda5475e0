// Clients without a session that ask all the time, while a test changes what is around them.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Stage } from '../stage/stage.ts'
import type { IntruderSettings, Report, ToIntruders } from './protocol.ts'

export type Intruders = {
  watch(host: string, open: 'never' | 'once closed'): void
  /** What it answers from now on is nobody's concern. */
  forget(host: string): void
  report(): Promise<Report>
  stop(): Promise<void>
}

export function startIntruders(stage: Stage, openHost: string, requestsPerSecond: number): Intruders {
  const { gateway, ca } = stage
  const settings: IntruderSettings = { address: gateway.address, ca: ca.text, openHost, requestsPerSecond }
  const file = join(import.meta.dirname, 'main.ts')
  const child: ChildProcess = spawn(process.execPath, [file, JSON.stringify(settings)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const tell = (message: ToIntruders) => void child.send(message)
  return {
    watch: (host, open) => tell({ watch: host, open }),
    forget: host => tell({ forget: host }),
    async report() {
      const said = once(child, 'message')
      tell({ report: true })
      const [report] = await said
      return report as Report
    },
    async stop() {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}
