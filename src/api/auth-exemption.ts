// AuthExemption: a route that may stay public where protection is required. Type, rules and normal form.
import * as z from 'zod'
import { check, type Parsed } from './problems.ts'
import { document, identity } from './resource.ts'
import { dnsLabel, dnsSubdomain, host, setOf } from './schema.ts'

export type AuthExemption = {
  readonly name: string
  readonly uid?: string
  /** RFC 3339; absent while it is not stored. */
  readonly created?: string
  readonly route: { readonly kind: 'Ingress' | 'HTTPRoute'; readonly namespace: string; readonly name: string }
  readonly hosts: readonly string[]
  readonly reason: string
  /** Absent: every path of the route. */
  readonly paths?: readonly string[]
  /** Milliseconds since the epoch; absent: it does not end. */
  readonly expires?: number
}

const route = z.strictObject({
  kind: z.enum(['Ingress', 'HTTPRoute']).describe('Kind of the route: Ingress or HTTPRoute.'),
  namespace: dnsLabel().describe('Namespace of the route.'),
  name: dnsSubdomain().describe('Name of the route.'),
})

const path = z
  .string()
  .max(1024)
  .regex(
    /^\/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*$/,
    'must be an exact path that starts with /, such as /healthz: no *, query or fragment',
  )

export const authExemptionName = dnsSubdomain()
export const authExemptionSpec = z.strictObject({
  route: route.describe('The route that may stay public.'),
  hosts: setOf(host(), { min: 1, max: 64 }).describe('Hosts on which it may, exactly as the route serves them.'),
  reason: z
    .string()
    .max(1024)
    .regex(/\S/, 'must say why the route may be public')
    .describe('Why the route may be public, for whoever reads this later.'),
  paths: setOf(path, { min: 1, max: 64 })
    .optional()
    .describe('Exact paths on which it may. Without them it may on every path.'),
  expires: z.iso
    .datetime({ offset: true, error: 'must be a date and time with its zone, such as 2027-01-31T00:00:00Z' })
    .optional()
    .describe('When the exemption ends, such as 2027-01-31T00:00:00Z. Without it, it does not.'),
})

const schema = document('AuthExemption', authExemptionName, authExemptionSpec)

export function parseAuthExemption(input: unknown): Parsed<AuthExemption> {
  const parsed = check(schema, input)
  if ('problems' in parsed) return parsed
  const { metadata, spec } = parsed.value
  const { route, hosts, reason, paths, expires } = spec
  return {
    value: {
      ...identity(metadata),
      route,
      hosts,
      reason,
      ...(paths === undefined ? {} : { paths }),
      ...(expires === undefined ? {} : { expires: Date.parse(expires) }),
    },
  }
}
