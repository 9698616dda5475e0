// How much a caller may ask of the server, and how long it may take.

export type Limits = {
  readonly bodyBytes: number
  /** Of all unfinished bodies together. */
  readonly inFlightBytes: number
  /** Of JSON. */
  readonly depth: number
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
  depth: 64,
  // The API server gives up on a request after 34 s.
  headersTimeoutMs: 32_000,
  requestTimeoutMs: 35_000,
  // The API server keeps idle connections for 90 s and does not repeat a POST: whoever hangs up first must be it.
  keepAliveTimeoutMs: 120_000,
  handshakeTimeoutMs: 10_000,
  checkEveryMs: 5_000,
}
