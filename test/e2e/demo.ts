// The command "npm run demo": the whole stage with two teams and two applications, until Ctrl-C.
import { Command, Option } from 'commander'
import { build } from '../parts/build.ts'
import type { PartName } from '../parts/catalogue.ts'
import { locate } from '../parts/locate.ts'
import { startApplications } from './demo/applications.ts'
import { CHOICES } from './demo/choices.ts'
import { guide } from './demo/guide.ts'
import { watch } from './demo/watch.ts'
import { type Progress, progressOn } from './stage/progress.ts'
import type { RouteKindOnStage } from './stage/route-kinds.ts'
import { type Stage, stageParts, startStage } from './stage/stage.ts'

type Options = { readonly gateway: string; readonly domain: string; readonly address: string }

const say = (text: string): void => void process.stdout.write(`${text}\n`)

async function run({ gateway, domain, address }: Options, signal: AbortSignal): Promise<void> {
  const start = performance.now()
  const kind = CHOICES[gateway] as RouteKindOnStage
  say(`Portcullis with ${kind.title}\n`)
  const progress = until(signal, progressOn(process.stdout))
  await buildMissing(stageParts[kind.gateway], progress)
  const stage = await startStage({ gateway: kind.gateway, domain, address, progress })
  try {
    await demonstrate(stage, kind, progress, signal, start)
  } finally {
    await progressOn(process.stdout).step('everything taken down', () => stage.stop())
  }
}

async function demonstrate(
  stage: Stage,
  kind: RouteKindOnStage,
  progress: Progress,
  signal: AbortSignal,
  start: number,
): Promise<void> {
  const applications = await progress.step('two applications', () => startApplications(stage, kind))
  say(guide(stage, applications, (performance.now() - start) / 1000))
  const urls = applications.map(({ url }) => url)
  await watch(stage, urls, signal, say)
}

/** Whoever has asked for the end waits for one step at most. */
function until(signal: AbortSignal, { step }: Progress): Progress {
  return {
    step: (what, work) => {
      signal.throwIfAborted()
      return step(what, work)
    },
  }
}

/** A part that has to be built first takes minutes, once. */
async function buildMissing(parts: readonly PartName[], progress: Progress): Promise<void> {
  for (const name of parts.filter(each => locate(each) === undefined)) {
    const outcome = await progress.step(`${name}: built, once`, () => build(name, process.env))
    if (outcome.kind === 'failed' || outcome.kind === 'absent') throw new Error(outcome.reason)
  }
}

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort())

const gateways = new Option('--gateway <name>', 'which gateway, and what it reads').choices(Object.keys(CHOICES))
await new Command('npm run demo --')
  .description('bring up a cluster with Portcullis, a gateway, two teams and two applications')
  .addOption(gateways.default('envoy-gateway'))
  .option('--domain <domain>', 'below which every host is', 'localhost')
  .option('--address <address>', 'loopback address whose port 443 is the gateway', '127.0.0.1')
  .action(async (options: Options) => {
    try {
      await run(options, interrupted.signal)
    } catch (error) {
      if (interrupted.signal.aborted) return say('\nInterrupted: what had been started is taken down.')
      const { message, cause } = error as Error
      process.stderr.write(`${message}\n${cause instanceof Error ? `${cause.message}\n` : ''}`)
      process.exitCode = 1
    }
  })
  .parseAsync()
process.exit()
