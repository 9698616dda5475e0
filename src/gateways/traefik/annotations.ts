// Traefik's annotations of an Ingress: how it reads their keys, and what a passthrough takes over from its route.
import type { StringMap } from '../../core/json.ts'

/** In this case alone: Traefik compares what follows without regard to case, but not this. */
export const PREFIX = 'traefik.ingress.kubernetes.io/'
export const MIDDLEWARES = `${PREFIX}router.middlewares`

/**
 * The spellings of a key that are there, the one that counts last: Traefik 3.7 decodes keys in byte order without regard
 * to case, and a later one overwrites (paerser 0.2, labels_decode), so capitals lose against small letters.
 */
export function spellings(annotations: StringMap, key: string): string[] {
  return Object.keys(annotations)
    .filter(each => each.startsWith(PREFIX) && each.toLowerCase() === key)
    .sort()
}

function read(annotations: StringMap, name: string): string | undefined {
  const key = spellings(annotations, `${PREFIX}router.${name}`).at(-1)
  return key === undefined ? undefined : annotations[key]
}

const ENTRY_POINTS = /^[A-Za-z0-9_-]+(,[A-Za-z0-9_-]+)*$/
const TLS_OPTIONS = /^[A-Za-z0-9][A-Za-z0-9_.-]*(@[a-z]+)?$/
const PRIORITY = /^\+?[0-9]{1,15}$/

/** More than the length of any rule, which is the priority that a router has of itself. */
const LEAST_PRIORITY = 1_000_000

/**
 * What makes the router of a passthrough serve where that of its route does, and win against it. Only values of a strict
 * alphabet are taken over. undefined: there must be no such router, because Traefik falls back to its default TLS options
 * for a host whose routers name different ones, which could end the demand for a client certificate.
 */
export function forPassthrough(annotations: StringMap): { [annotation: string]: string } | undefined {
  const result: { [annotation: string]: string } = {}
  const entryPoints = read(annotations, 'entrypoints')?.replaceAll(' ', '')
  if (entryPoints !== undefined && ENTRY_POINTS.test(entryPoints)) result[`${PREFIX}router.entrypoints`] = entryPoints
  const priority = read(annotations, 'priority') ?? ''
  const own = PRIORITY.test(priority) ? Number(priority) + 1 : 0
  result[`${PREFIX}router.priority`] = String(Math.max(own, LEAST_PRIORITY))
  if (!hasTLS(annotations)) return result
  result[`${PREFIX}router.tls`] = 'true'
  const options = read(annotations, 'tls.options') ?? ''
  if (options === '') return result
  return TLS_OPTIONS.test(options) ? { ...result, [`${PREFIX}router.tls.options`]: options } : undefined
}

/** Any setting of TLS turns it on, unless it is turned off in words. */
function hasTLS(annotations: StringMap): boolean {
  const said = read(annotations, 'tls')
  if (said !== undefined) return said === '' || said.toLowerCase() === 'true'
  return Object.keys(annotations).some(
    key => key.startsWith(PREFIX) && key.toLowerCase().startsWith(`${PREFIX}router.tls.`),
  )
}
