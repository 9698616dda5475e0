// Why a list or a watch did not go on: the cause that is counted, the sentence that is logged, and what to do next.
import { inWords } from '../core/thrown.ts'
import type { Reply } from './connection.ts'
import { readMessage } from './read.ts'

export const CAUSES = [
  'unreachable', // no connection, a reset, no answer in time
  'stalled', // connected, and not a byte for too long: dead, or nothing to say
  'ended', // by the server, almost at once
  'absent', // no such kind
  'expired', // the version is too old to go on from, or of another history
  'rubbish', // a line or a list that is none
  'truncated', // half a line, then the end
  'unauthorized',
  'forbidden',
  'overloaded',
  'refused', // any other status
] as const
export type Cause = (typeof CAUSES)[number]

/** What happens where nothing is wrong: it is counted, and not worth a line in the log. */
export const ORDINARY: ReadonlySet<Cause> = new Set<Cause>(['stalled', 'absent'])

/**
 * resume: go on from the last version, nothing is missing. verify: the same, but something between us and the server
 * loses or garbles, so list again when that is allowed. list: there is no going on from that version.
 */
export type Remedy = 'resume' | 'verify' | 'list'

export type Setback = {
  readonly cause: Cause
  readonly detail: string
  readonly remedy: Remedy
  /** How long the server asks to be left alone. */
  readonly wishMs?: number
}

export function setback(cause: Cause, detail: string, remedy: Remedy = 'resume'): Setback {
  return { cause, detail, remedy }
}

/** An answer that is no success. */
export function refused({ status, body, retryAfterMs }: Reply): Setback {
  const wish = retryAfterMs === undefined ? {} : { wishMs: retryAfterMs }
  return { cause: causeOf(status), detail: `${status} ${readMessage(body)}`, remedy: remedyOf(status), ...wish }
}

/** An error as an event of a watch. After one that is not a matter of time, the same version would give it again. */
export function errorEvent({ code, message }: { code: number; message: string }): Setback {
  const remedy = code >= 500 && causeOf(code) !== 'overloaded' ? 'verify' : remedyOf(code)
  return { cause: causeOf(code), detail: `${code} ${message}`, remedy }
}

export function unreachable(error: unknown): Setback {
  return setback('unreachable', inWords(error))
}

function causeOf(status: number): Cause {
  switch (status) {
    case 401:
      return 'unauthorized'
    case 403:
      return 'forbidden'
    case 404:
      return 'absent'
    case 410:
      return 'expired'
    case 429:
    case 503:
    case 504:
      return 'overloaded'
    default:
      return 'refused'
  }
}

function remedyOf(status: number): Remedy {
  const isOfTime = status >= 500 || [401, 403, 408, 429].includes(status)
  return isOfTime ? 'resume' : 'list'
}
