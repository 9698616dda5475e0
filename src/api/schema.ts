// The alphabets of what administrators write: names, hosts, groups and paths end up in annotations, headers and URLs.
// Patterns are read by JavaScript and by RE2 (the API server), so there is no look-ahead in them.
import * as z from 'zod'
import { withRules } from './rules.ts'

/** Words that a value of our labels uses: no team and no access level may be called so. */
const RESERVED = ['true', 'false', 'browser', 'api', 'enforce', 'warn', 'audit'] as const

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
// A last label that starts with a letter keeps IP addresses out.
const LAST_LABEL = '[a-z]([-a-z0-9]*[a-z0-9])?'

export const dnsLabel = (max = 63) =>
  z
    .string()
    .max(max)
    .regex(
      new RegExp(`^${LABEL}$`),
      'must be a DNS label: lower-case letters, digits and dashes, a letter or digit at both ends',
    )

export const dnsSubdomain = () =>
  z
    .string()
    .max(253)
    .regex(new RegExp(`^${LABEL}(\\.${LABEL})*$`), 'must be DNS labels with dots between them, in lower case')

/** An exact host name. */
export const host = () =>
  z
    .string()
    .max(253)
    .regex(
      new RegExp(`^(${LABEL}\\.)*${LAST_LABEL}$`),
      'must be an exact host name in lower case, such as app.example.com: no scheme, port, path or *',
    )

/** A host name, or a pattern whose leading * stands for one or more characters. */
export const hostPattern = () =>
  z
    .string()
    .max(253)
    .regex(
      new RegExp(`^((\\*([-a-z0-9]*[a-z0-9])?\\.(${LABEL}\\.)+|(${LABEL}\\.)*)${LAST_LABEL})$`),
      'must be a host name in lower case, or one with a leading * and two whole labels at its end, such as *.example.com',
    )

export const cookieDomain = () =>
  z
    .string()
    .max(253)
    .regex(
      new RegExp(`^(${LABEL}\\.)+${LAST_LABEL}$`),
      'must be a domain of at least two labels in lower case, without a leading dot, such as team-a.example.com',
    )

/** A name that our labels may carry. */
export const labelValue = () =>
  withRules(dnsLabel(40), [
    {
      cel: `!(self in ${JSON.stringify(RESERVED).replaceAll('"', "'")})`,
      holds: isFree,
      message: `must be none of the words that labels use otherwise: ${RESERVED.join(', ')}`,
    },
  ])

function isFree(name: string): boolean {
  return !(RESERVED as readonly string[]).includes(name)
}

/** A list without duplicates, in the API server's words a set. */
export function setOf<S extends z.ZodType<string>>(item: S, { min, max }: { min?: number; max: number }) {
  const list = min === undefined ? z.array(item).max(max) : z.array(item).min(min).max(max)
  return withoutDuplicates(list, value => value, []).meta({ 'x-kubernetes-list-type': 'set' })
}

/** A list whose entries are told apart by their name. */
export function listByName<S extends z.ZodType<{ name: string }>>(item: S, max: number) {
  const list = z.array(item).max(max)
  return withoutDuplicates(list, entry => entry?.name, ['name']).meta({
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
  })
}

/** Refuses the second of two entries with one key, even while other entries are wrong in themselves. */
export function withoutDuplicates<S extends z.ZodType>(
  list: z.ZodArray<S>,
  key: (entry: z.output<S>) => unknown,
  at: readonly string[],
): z.ZodArray<S> {
  return list.superRefine(
    (entries, context) => {
      if (!Array.isArray(entries)) return
      const seen = new Set<unknown>()
      entries.forEach((entry, index) => {
        const found = key(entry)
        const path = [index, ...at]
        if (seen.has(found)) context.addIssue({ code: 'custom', message: 'is there twice; take one out', path })
        if (found !== undefined) seen.add(found)
      })
    },
    { when: () => true },
  )
}
