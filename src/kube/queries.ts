// How a kind is asked for: a page of its list, the version that it is at, and what changes from a version on.

export function pageQuery(pageSize: number, next: string): string {
  const query = { limit: String(pageSize), ...(next === '' ? {} : { continue: next }) }
  return String(new URLSearchParams(query))
}

/** Every page says the version, however small it is. Not every server lets a watch begin at no version in particular. */
export const PRESENT_QUERY = 'limit=1'

export function watchQuery(version: string, milliseconds: number): string {
  const query = {
    watch: '1',
    allowWatchBookmarks: 'true',
    resourceVersion: version,
    timeoutSeconds: String(Math.ceil(milliseconds / 1000)),
  }
  return String(new URLSearchParams(query))
}
