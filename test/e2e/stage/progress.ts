// Says what is being started, and how long it took: a line that is renewed on a terminal, one line a step elsewhere.
import type { Writable } from 'node:stream'

export type Progress = { step<Result>(what: string, work: () => Promise<Result>): Promise<Result> }

const EVERY_MS = 200

export function progressOn(out: Writable & { readonly isTTY?: boolean }): Progress {
  const start = performance.now()
  const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`
  const running = new Map<string, number>()
  const renew = () => {
    if (out.isTTY !== true) return
    const said = [...running].map(([what, since]) => `${what} ${seconds(since)}`).join(' · ')
    out.write(`\r\u001b[K${said === '' ? '' : `  … ${said}`}`)
  }
  return {
    async step(what, work) {
      const since = performance.now()
      running.set(what, since)
      renew()
      const timer = setInterval(renew, EVERY_MS)
      let mark = '✗'
      try {
        const result = await work()
        mark = '✓'
        return result
      } finally {
        clearInterval(timer)
        running.delete(what)
        const line = `  ${mark} ${what.padEnd(64)} ${seconds(since).padStart(7)}   after ${seconds(start)}\n`
        out.write(out.isTTY === true ? `\r\u001b[K${line}` : line)
        renew()
      }
    },
  }
}

export const SILENT: Progress = { step: (_, work) => work() }
