// Whether a stored companion is as it has to be, and what it takes to make it so.
import { array, isObject, strings } from '../../core/json.ts'
import { isRight } from '../../core/right.ts'
import type { KubeObject } from '../../core/types.ts'

/**
 * `missing`: it is to be made. `spec`: our fields have other values. `foreign`: the spec has more than ours, which
 * server-side apply leaves where it is. `metadata`: only labels or annotations of ours are not there.
 */
export type Difference = 'missing' | 'spec' | 'foreign' | 'metadata'

/** undefined: nothing is to do. What somebody added to labels and annotations stays. */
export function differs(stored: KubeObject | undefined, wanted: KubeObject): Difference | undefined {
  if (stored === undefined) return 'missing'
  if (!isRight(stored.spec, wanted.spec)) return hasMore(stored.spec, wanted.spec) ? 'foreign' : 'spec'
  const { labels, annotations } = wanted.metadata
  const isMarked = holds(stored.metadata.labels, labels) && holds(stored.metadata.annotations, annotations)
  return isMarked ? undefined : 'metadata'
}

/**
 * Fields beside ours, or more in a list: some lists are merged element by element (of a ClientTrafficPolicy, the header
 * names that are removed), so that apply would not shorten them.
 */
function hasMore(actual: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    const elements = array(actual)
    return elements.length > wanted.length || elements.some((each, index) => hasMore(each, wanted[index]))
  }
  if (!isObject(wanted) || !isObject(actual)) return false
  return Object.keys(actual).some(key =>
    key in wanted ? hasMore(actual[key], wanted[key]) : isExtra(actual, wanted, key),
  )
}

function isExtra(actual: { readonly [key: string]: unknown }, wanted: object, key: string): boolean {
  return !isRight({ ...wanted, [key]: actual[key] }, wanted)
}

function holds(actual: unknown, wanted: unknown): boolean {
  const there = strings(actual)
  return Object.entries(strings(wanted)).every(([key, value]) => there[key] === value)
}
