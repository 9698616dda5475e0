// How a kind is asked for: a page of its list, the version that it is at, and what changes from a version on.

type Query = Readonly<Record<string, string>>

/**
 * `name`: of one object alone. In this form a right that is given by name is enough to list and watch it; nothing else is
 * in the list.
 */
export function addressOf({ path, name }: { readonly path: string; readonly name?: string }, query: Query): string {
  const selector = name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }
  return `${path}?${new URLSearchParams({ ...query, ...selector })}`
}

export function pageQuery(pageSize: number, next: string): Query {
  return { limit: String(pageSize), ...(next === '' ? {} : { continue: next }) }
}

/** Every page says the version, however small it is. Not every server lets a watch begin at no version in particular. */
export const PRESENT_QUERY: Query = { limit: '1' }

export function watchQuery(version: string, milliseconds: number): Query {
  return {
    watch: '1',
    allowWatchBookmarks: 'true',
    resourceVersion: version,
    timeoutSeconds: String(Math.ceil(milliseconds / 1000)),
  }
}
