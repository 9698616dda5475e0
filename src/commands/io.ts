// What a command may write to and hear from: a process, or a test.
import { object } from '../core/json.ts'
import { inWords } from '../core/thrown.ts'

export type Io = {
  /** Standard output and standard error; line breaks are the caller's. */
  out(text: string): void
  err(text: string): void
  /** Resolves when a command that serves is to end. */
  stopped(): Promise<void>
}

/** Exit codes. */
export const OK = 0
export const REFUSED = 1
/** Bad input or usage. */
export const USAGE = 2

/** The message and Node's code of whatever was thrown. */
export function failure(error: unknown): { readonly message: string; readonly code?: string } {
  const { code } = object(error)
  const message = inWords(error)
  return typeof code === 'string' ? { message, code } : { message }
}
