// The log: one JSON object a line on standard output, written in batches so that it costs a request little.
import { destination, type LevelWithSilent, pino } from 'pino'

/** What everybody else knows of the log. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export type LogLevel = Exclude<LevelWithSilent, 'trace' | 'silent'>

const BATCH_CHARACTERS = 64 * 1024
const FLUSH_AFTER_MS = 100
/** When nobody reads standard output, lines are lost rather than memory. */
const HELD_BYTES = 8 * 1024 * 1024

export function createLog({ level }: { level: LogLevel }): Log {
  const log = pino(
    {
      level,
      base: null,
      timestamp: isoTime(),
      formatters: { level: label => ({ level: label }) },
      serializers: { err: readError },
    },
    batches(),
  )
  return {
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
  }
}

/** Lines are joined before pino's own stream sees them: line by line it costs four times what the line does. */
function batches(): { write(line: string): void } {
  let batch = ''
  const flush = () => {
    if (batch === '') return
    output.write(batch)
    batch = ''
  }
  // Before the stream adds its own: that one writes what the stream holds, so the last batch has to be there.
  process.on('beforeExit', flush)
  process.on('exit', flush)
  const output = destination({ dest: 1, sync: false, maxLength: HELD_BYTES, maxWrite: 2 * BATCH_CHARACTERS })
  return {
    write(line) {
      // No timer while nothing is written: waking up ten times a second is much of what an idle process costs.
      if (batch === '') setTimeout(flush, FLUSH_AFTER_MS).unref()
      batch += line
      if (batch.length >= BATCH_CHARACTERS) flush()
    },
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
