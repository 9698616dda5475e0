// How far the history of a kind has been followed: takes lists and lines, hands on what they change.
import { type Fault, Known, type Names, type Receive, strike } from './known.ts'
import { compareVersions, readEvent, readPage, type WatchEvent } from './read.ts'
import { errorEvent, type Setback, setback } from './setback.ts'

export type EventCounts = {
  events: number
  bookmarks: number
  /** Events that repeated what was known, or were older. */
  stale: number
  /** Objects that the receiver threw at. */
  faults: number
}

/** A list under way. `unseen`: what was known when it began and has not been in it so far. */
export type Listing = { unseen?: Names; version?: string; next: string }

export class History {
  /** Where a watch can go on; undefined: nowhere, a list is needed. */
  version: string | undefined
  readonly counts: EventCounts = { events: 0, bookmarks: 0, stale: 0, faults: 0 }
  readonly #known: Known

  constructor(receive: Receive, fault: Fault) {
    this.#known = new Known(receive, (error, object) => {
      this.counts.faults++
      fault(error, object)
    })
  }

  get size(): number {
    return this.#known.size
  }

  /** After the last page, what the list did not have is removed. */
  takePage(text: string, listing: Listing): Setback | undefined {
    const page = readPage(text)
    if (page === undefined) return setback('rubbish', 'an answer that is no list')
    listing.unseen ??= this.#known.names()
    for (const object of page.items) {
      strike(listing.unseen, object)
      this.#known.put(object)
    }
    // All pages show the same moment. If ever they did not, going on from the first would miss nothing.
    listing.version ??= page.version
    listing.next = page.next
    if (page.next !== '') return undefined
    this.#known.removeAll(listing.unseen)
    this.version = listing.version
    return undefined
  }

  takeLine(line: string): Setback | undefined {
    const event = readEvent(line)
    if (event === undefined) return unreadable(line)
    switch (event.type) {
      case 'error':
        return errorEvent(event)
      case 'bookmark':
        return this.#takeBookmark(event.version)
      default:
        this.#takeChange(event)
        return undefined
    }
  }

  #takeBookmark(version: string): Setback | undefined {
    this.counts.bookmarks++
    // As after a restored backup: the server would say nothing until it has come as far again.
    if (compareVersions(version, this.version ?? '') === 'earlier') {
      return setback('expired', `the server is back at version ${version}, after ${this.version}`, 'list')
    }
    this.version = version
    return undefined
  }

  #takeChange({ type, object, version }: Extract<WatchEvent, { object: unknown }>): void {
    const place = compareVersions(version, this.version ?? '')
    if (place === 'earlier' || place === 'same') {
      this.counts.stale++
      return
    }
    this.counts.events++
    if (type === 'put') this.#known.put(object)
    else this.#known.remove(object)
    this.version = version
  }
}

function unreadable(line: string): Setback {
  // Only the version of what was understood counts, so half a line comes again, and nothing is missing.
  if (!line.endsWith('\n')) return setback('truncated', `the stream ended in a line, after ${line.length} characters`)
  return setback('rubbish', `a line of ${line.length} characters that is no event`, 'verify')
}
