// What a test and its intruders, a process of their own, say to each other.

export type IntruderSettings = {
  readonly address: string
  readonly ca: string
  /** A host that is open, on the same listener: where connections are opened that are used for others later. */
  readonly openHost: string
  /** Of all intruders together. */
  readonly requestsPerSecond: number
}

export type ToIntruders =
  /** `never`: it must not answer at all; `once closed`: not to requests that began after it was closed once. */
  | { readonly watch: string; readonly open: 'never' | 'once closed' }
  | { readonly forget: string }
  | { readonly report: true }

export type Leak = { readonly host: string; readonly how: string; readonly at: string }

export type Report = {
  readonly answered: number
  /** Without a session refused or redirected. */
  readonly closed: number
  /** Open while they were allowed to be. */
  readonly open: number
  /** Neither: no such route, an error, a request that is refused for what it is. */
  readonly other: number
  /** Nobody there, or cut off. */
  readonly unanswered: number
  readonly leaks: readonly Leak[]
  /** Hosts that were closed at least once. */
  readonly hosts: readonly string[]
  /** By kind of connection. */
  readonly ways: Readonly<Record<string, number>>
}
