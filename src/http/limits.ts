// How much a caller may ask of the server, and how long it may take.

export type Limits = {
  readonly bodyBytes: number
  /** Of all unfinished bodies together. */
  readonly inFlightBytes: number
  /** Requests whose bodies are unfinished. */
  readonly inFlightRequests: number
  /** Of JSON. */
  readonly depth: number
  /** How long a caller waits that does not say. */
  readonly timeoutMs: number
  /** So much before a caller gives up it has to have its answer. */
  readonly timeoutMarginMs: number
  readonly headersTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  readonly handshakeTimeoutMs: number
  /** How often the two timeouts of a request are looked at. */
  readonly checkEveryMs: number
}

const MEBIBYTE = 1024 * 1024

export const LIMITS: Limits = {
  // The API server takes objects of 3 MiB, and a review of an update holds two.
  bodyBytes: 7 * MEBIBYTE,
  inFlightBytes: 64 * MEBIBYTE,
  // An API server has 200 changes in flight at most, unless told otherwise.
  inFlightRequests: 512,
  depth: 64,
  // What a webhook configuration without timeoutSeconds gets.
  timeoutMs: 10_000,
  timeoutMarginMs: 500,
  // The API server gives up on a request after 34 s.
  headersTimeoutMs: 32_000,
  requestTimeoutMs: 35_000,
  // The API server keeps idle connections for 90 s and does not repeat a POST: whoever hangs up first must be it.
  keepAliveTimeoutMs: 120_000,
  handshakeTimeoutMs: 10_000,
  checkEveryMs: 5_000,
}
