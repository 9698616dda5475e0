// What a kubelet would see of pods while something is wrong with the cluster: asked more often than it asks.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pod } from './pods.ts'

export type Liveness = {
  /** Answers of /healthz by status; 0: none came. */
  readonly answers: ReadonlyMap<number, number>
  /** Of /readyz. */
  readonly readiness: ReadonlyMap<number, number>
  /** At any moment. */
  readonly mostLeaders: number
  readonly ended: readonly string[]
  stop(): Promise<void>
}

const EVERY_MS = 250

export function followLiveness(pods: () => readonly Pod[]): Liveness {
  const [answers, readiness] = [new Map<number, number>(), new Map<number, number>()]
  const ended = new Set<string>()
  const state = { mostLeaders: 0, stopped: false }
  const count = (counts: Map<number, number>, status: number) => counts.set(status, (counts.get(status) ?? 0) + 1)
  const look = async (pod: Pod) => {
    const ask = (path: string) =>
      pod.health(path).then(
        ({ status }) => status,
        () => 0,
      )
    count(answers, await ask('/healthz'))
    count(readiness, await ask('/readyz'))
    if (pod.part.hasEnded()) ended.add(pod.host)
    return (await pod.metric('portcullis_leader').catch(() => 0)) === 1
  }
  const run = async () => {
    while (!state.stopped) {
      const leaders = (await Promise.all(pods().map(look))).filter(Boolean).length
      state.mostLeaders = Math.max(state.mostLeaders, leaders)
      await sleep(EVERY_MS)
    }
  }
  const running = run()
  return {
    answers,
    readiness,
    get mostLeaders() {
      return state.mostLeaders
    },
    get ended() {
      return [...ended]
    },
    stop() {
      state.stopped = true
      return running
    },
  }
}

/** For a figure. */
export function counted(counts: ReadonlyMap<number, number>): string {
  return [...counts].map(([status, count]) => `${status || 'none'}: ${count}`).join(', ')
}
