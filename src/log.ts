// The log: one JSON object a line on standard output, written in batches so that it costs a request little.
import { type LevelWithSilent, pino } from 'pino'
import { logOutput } from './log/output.ts'

/** What everybody else knows of the log. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export type LogLevel = Exclude<LevelWithSilent, 'trace' | 'silent'>

const STANDARD_OUTPUT = 1

export function createLog({ level }: { level: LogLevel }): Log {
  const log = pino(
    {
      level,
      base: null,
      timestamp: isoTime(),
      formatters: { level: label => ({ level: label }) },
      serializers: { err: readError },
    },
    logOutput(STANDARD_OUTPUT),
  )
  return {
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
  }
}

/** Formatted once a second; of what is in between only the milliseconds differ. */
export function isoTime(now: () => number = Date.now): () => string {
  let second = Number.NaN
  let text = ''
  return () => {
    const time = now()
    const millisecond = time % 1000
    if (time - millisecond !== second) {
      second = time - millisecond
      text = `,"time":"${new Date(second).toISOString().slice(0, -'000Z'.length)}`
    }
    return `${text}${`${1000 + millisecond}`.slice(1)}Z"`
  }
}

/** Nothing but this: errors of HTTP clients carry whole requests, with their tokens. */
function readError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) }
  const { name, message, stack } = error
  return 'code' in error ? { name, message, code: error.code, stack } : { name, message, stack }
}
