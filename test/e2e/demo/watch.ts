// Asks applications without a session, again and again, and says whenever that meets something else.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, clientOf, type Got } from '../stage/client.ts'
import type { Stage } from '../stage/stage.ts'

const EVERY_MS = 500

export async function watch(
  stage: Stage,
  urls: readonly string[],
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<void> {
  const client = clientOf(stage)
  const last = new Map<string, string>()
  while (!signal.aborted) {
    for (const url of urls) {
      const met = await meets(client, url)
      if (last.get(url) === met || signal.aborted) continue
      last.set(url, met)
      say(`  ${new Date().toISOString().slice(11, 19)}  ${url.padEnd(40)} ${met}`)
    }
    await sleep(EVERY_MS, undefined, { signal }).catch(() => {})
  }
  client.close()
}

function meets(client: Client, url: string): Promise<string> {
  return client.ask(url).then(
    got => inWords(got),
    (error: Error) => `nothing: ${error.message}`,
  )
}

function inWords({ status, location, reached }: Got): string {
  if (reached !== undefined) return `open: ${status}, the application answers`
  if (location === undefined) return `closed: ${status}`
  return `closed: ${status}, to the login of ${new URL(location).searchParams.get('client_id') ?? new URL(location).host}`
}
