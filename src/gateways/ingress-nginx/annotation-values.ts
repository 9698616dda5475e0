// Says of an annotation's value what ingress-nginx 1.15.1, the last release, does with it.
// An Ingress with one value that it rejects keeps being served as it was before, which can be without a login.
import { trimSpace } from './annotation-values/go.ts'
import { TABLE } from './annotation-values/table.ts'

export { buffersLoad } from './annotation-values/proxy-buffers.ts'
export { sizeInBytes } from './annotation-values/size.ts'

export type Verdict = 'accepted' | 'rejected' | 'unknown'

/** Kubernetes stores no more than this in all annotations of an object together. */
const LONGEST = 256 * 1024

/**
 * Whether the controller takes an Ingress with this value. Accepted does not mean used: many a malformed value only
 * makes room for a default, some deny the location or drop the authentication (see meansWhatItSays).
 * @param name the annotation without its prefix, e.g. 'proxy-body-size'
 */
export function verdict(name: string, value: string): Verdict {
  const row = TABLE.get(name)
  if (row === undefined) return 'unknown'
  if (row.otherwise === 'forbids' || value.length > LONGEST) return 'rejected'
  // The controller validates no empty value.
  if (value === '' || row.otherwise !== 'rejects') return 'accepted'
  return row.shape.takes(value) ? 'accepted' : 'rejected'
}

/** What the controller accepts for it, in words for a person, e.g. 'true or false'; undefined for an unknown name. */
export function accepts(name: string): string | undefined {
  return TABLE.get(name)?.shape.words
}

/**
 * True if the controller takes the value for what it says; false where it drops the whole external authentication
 * over it (and serves the route open), denies the location, rejects the Ingress or puts a default in the value's place.
 * An empty value says nothing, as does a blank one where the controller lets it pass: both count as absent. So a blank
 * auth-url is true, and means no authentication. Unknown names are true: the controller does not read them.
 */
export function meansWhatItSays(name: string, value: string): boolean {
  const row = TABLE.get(name)
  if (row === undefined) return true
  if (row.otherwise === 'forbids' || value.length > LONGEST) return false
  if (value === '') return row.emptyToo !== true
  if (!row.shape.takes(value)) return false
  const trimmed = trimSpace(value)
  return trimmed === '' || row.means === undefined || row.means(trimmed)
}
