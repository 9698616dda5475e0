// How long an answer may take, and how long it asks to wait.

export type Deadline = {
  readonly signal: AbortSignal
  /** In time; from here on only the caller's own signal counts. */
  met(): void
  end(): void
}

/** One signal for the caller's and for the time. (AbortSignal.any keeps what it made on a signal that lives long.) */
export function startDeadline({ timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal }): Deadline {
  const controller = new AbortController()
  const late = () => controller.abort(new Error(`no answer within ${timeoutMs} ms`))
  const timer = setTimeout(late, timeoutMs)
  const follow = () => controller.abort(signal?.reason)
  if (signal?.aborted) follow()
  signal?.addEventListener('abort', follow, { once: true })
  const met = () => clearTimeout(timer)
  const end = () => {
    met()
    signal?.removeEventListener('abort', follow)
  }
  return { signal: controller.signal, met, end }
}

/** Seconds or a date. */
export function retryAfterMs(header: string | undefined, now = Date.now()): number | undefined {
  if (header === undefined) return undefined
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000
  // Date.parse takes almost anything for a date.
  const date = header.endsWith(' GMT') ? Date.parse(header) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
