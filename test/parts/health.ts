// Asks the health port of a process of ours what a kubelet and a Prometheus ask it.
import { get, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

export type Answer = { readonly status: number; readonly text: string; readonly headers: IncomingHttpHeaders }

export type Health = {
  health(path: string): Promise<Answer>
  /** Until /readyz says so; throws what is missing. */
  ready(withinMs?: number): Promise<void>
  /** The value of a metric, with its labels as they are printed; NaN: it isn't there. */
  metric(name: string): Promise<number>
}

const EVERY_MS = 50

export function healthAt(host: string, port: number): Health {
  const health = (path: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      get({ host, port, path, agent: false, timeout: 5_000 }, answer => collect(answer, resolve)).on('error', reject)
    })
  return {
    health,
    async ready(withinMs = 40_000) {
      const deadline = performance.now() + withinMs
      for (;;) {
        const { status, text } = await health('/readyz')
        if (status === 200) return
        if (performance.now() > deadline) throw new Error(text)
        await sleep(EVERY_MS)
      }
    },
    async metric(name) {
      const { text } = await health('/metrics')
      const line = text.split('\n').find(each => each.startsWith(`${name} `))
      return line === undefined ? Number.NaN : Number(line.slice(name.length + 1))
    },
  }
}

export function collect(answer: IncomingMessage, done: (answer: Answer) => void): void {
  let text = ''
  answer.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  answer.on('end', () => done({ status: answer.statusCode ?? 0, text, headers: answer.headers }))
}
