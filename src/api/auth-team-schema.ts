// The spec of an AuthTeam: fields, defaults and rules, for files and for the CRD.
import * as z from 'zod'
import { labelSelector } from './label-selector.ts'
import { type Rule, withRules } from './rules.ts'
import { cookieDomain, dnsLabel, dnsSubdomain, host, hostPattern, labelValue, listByName, setOf } from './schema.ts'

const namespaces = withRules(
  z.strictObject({
    names: setOf(dnsLabel(), { max: 256 }).default([]).describe('Namespaces by name.'),
    selector: labelSelector().optional().describe('Namespaces by their labels, in addition to those by name.'),
    default: z
      .boolean()
      .default(false)
      .describe('Whether this team is what the label value "true" means in these namespaces.'),
  }),
  [
    {
      cel: 'self.names.size() > 0 || has(self.selector)',
      holds: ({ names, selector }) => names.length > 0 || selector !== undefined,
      message: 'say which namespaces may use the team, by names or by a selector',
      reads: [['names'], ['selector']],
    },
  ],
)

const service = z.strictObject({
  namespace: dnsLabel().describe('Namespace of the Service.'),
  name: dnsLabel().describe('Name of the Service.'),
  port: z.int().min(1).max(65535).default(80).describe('Port of the Service.'),
})

const PATH_SEGMENT = '[a-z0-9_~-]+(\\.[a-z0-9_~-]+)*'
const pathPrefix = z
  .string()
  .max(128)
  .regex(
    new RegExp(`^/[a-z0-9][a-z0-9_~-]*(\\.[a-z0-9_~-]+)*(/${PATH_SEGMENT})*$`),
    'must be a path such as /oauth2: it starts with /, does not end with one, and has no empty, . or .. segments',
  )

const cookieName = withRules(
  z
    .string()
    .max(128)
    .regex(/^[A-Za-z0-9_-]+$/, 'must be letters, digits, dashes and underscores'),
  [
    {
      // Browsers refuse a cookie of this prefix that names a domain, and compare the prefix without regard to case.
      cel: "!self.lowerAscii().startsWith('__host-')",
      holds: name => !name.toLowerCase().startsWith('__host-'),
      message:
        'must not start with __Host-: such a cookie has no domain, so it cannot serve cookieDomains; use __Secure-',
    },
  ],
)

const proxy = z.strictObject({
  service: service.describe('The Service of oauth2-proxy.'),
  scheme: z.enum(['http', 'https']).default('http').describe('How gateways speak to it; https needs caSecret.'),
  caSecret: dnsSubdomain()
    .optional()
    .describe('Name of the Secret with the authority (ca.crt) that signed the certificate of oauth2-proxy.'),
  pathPrefix: pathPrefix.default('/oauth2').describe('What oauth2-proxy is told by --proxy-prefix.'),
  loginHost: host()
    .optional()
    .describe('Host on which the login is served. Without it every host serves its own, under pathPrefix.'),
  cookieDomains: setOf(cookieDomain(), { min: 1, max: 8 }).describe(
    'Domains of the session cookie, which are also where a login may return to, sub-domains included. A host outside cannot log in.',
  ),
  cookieName: cookieName
    .optional()
    .describe('What oauth2-proxy is told by --cookie-name. Default: __Secure- and the name of the team.'),
  bufferSize: z
    .string()
    .max(8)
    .regex(/^[1-9][0-9]*[km]$/, 'must be a size such as 16k')
    .default('16k')
    .describe('The smallest proxy buffer that its answers need; a larger one on a route stays.'),
})

const overridden = z.strictObject({
  accessToken: z.boolean().optional().describe('Whether the application gets the access token. Default: as the team.'),
  authorization: z
    .boolean()
    .optional()
    .describe('Whether the application gets the Authorization header. Default: as the team.'),
})

const accessLevel = z.strictObject({
  name: labelValue().describe('What a route says in its label auth.example/access.'),
  allowedGroups: setOf(
    z
      .string()
      .max(128)
      .regex(/^[A-Za-z0-9][A-Za-z0-9._:/~-]*$/, 'must be a group of letters, digits and . _ : / ~ - alone'),
    { min: 1, max: 64 },
  ).describe('Groups of which a user must be in at least one.'),
  headers: overridden.optional().describe('Where the headers of this access level differ from those of the team.'),
})

const headers = z.strictObject({
  accessToken: z.boolean().default(false).describe('Whether the application gets the access token.'),
  authorization: z
    .boolean()
    .default(false)
    .describe('Whether the application gets the Authorization header that oauth2-proxy makes.'),
})

type Spec = z.output<typeof fields>
const fields = z.strictObject({
  namespaces: namespaces.describe('Who may use the team: names and selector are a union.'),
  hosts: setOf(hostPattern(), { min: 1, max: 64 })
    .optional()
    .describe(
      "The team's hosts, which are its alone. A leading * stands for one or more characters. Default: the cookie domains and all under them.",
    ),
  proxy: proxy.describe("The team's oauth2-proxy."),
  access: listByName(accessLevel, 32)
    .default([])
    .describe('Named rules, narrower than any member of the team, of which a route can choose one.'),
  headers: headers.prefault({}).describe('What the application gets besides user, email and groups.'),
  passthrough: z
    .enum(['Always', 'HTTPRoute', 'Never'])
    .default('HTTPRoute')
    .describe("For which routes pathPrefix is served on the application's own host."),
})

/** Whether somebody can log in on at least one host that the pattern means. */
function canLogIn(pattern: string, domain: string): boolean {
  if (pattern === domain || pattern.endsWith(`.${domain}`)) return true
  return pattern.startsWith('*') && `.${domain}`.endsWith(pattern.slice(1))
}

const rules: Rule<Spec>[] = [
  {
    cel: "self.proxy.scheme != 'https' || has(self.proxy.caSecret)",
    holds: ({ proxy }) => proxy.scheme !== 'https' || proxy.caSecret !== undefined,
    message: 'scheme https needs caSecret, the name of the Secret with the authority that signed the certificate',
    at: ['proxy', 'caSecret'],
    reads: [
      ['proxy', 'scheme'],
      ['proxy', 'caSecret'],
    ],
  },
  {
    cel: "self.passthrough != 'Never' || has(self.proxy.loginHost)",
    holds: ({ passthrough, proxy }) => passthrough !== 'Never' || proxy.loginHost !== undefined,
    message: 'passthrough Never needs loginHost: without one every host must serve its own login',
    at: ['proxy', 'loginHost'],
    reads: [['passthrough'], ['proxy', 'loginHost']],
  },
  {
    cel:
      '!has(self.proxy.loginHost) || self.proxy.cookieDomains.exists(d,' +
      " self.proxy.loginHost == d || self.proxy.loginHost.endsWith('.' + d))",
    holds: ({ proxy: { loginHost, cookieDomains } }) =>
      loginHost === undefined || cookieDomains.some(domain => canLogIn(loginHost, domain)),
    message: 'loginHost must be one of cookieDomains or under one, or the session cookie cannot be set there',
    at: ['proxy', 'loginHost'],
    reads: [
      ['proxy', 'loginHost'],
      ['proxy', 'cookieDomains'],
    ],
  },
  {
    // Not every pattern: a team may hold names that are not served with a login (yet), so that nobody else takes them.
    cel:
      '!has(self.hosts) || self.hosts.exists(h, self.proxy.cookieDomains.exists(d,' +
      " h == d || h.endsWith('.' + d) || (h.startsWith('*') && ('.' + d).endsWith(h.substring(1)))))",
    holds: ({ hosts, proxy: { cookieDomains } }) =>
      hosts === undefined || hosts.some(pattern => cookieDomains.some(domain => canLogIn(pattern, domain))),
    message: 'at least one host must be one of proxy.cookieDomains or under one: nobody can log in on a host outside',
    at: ['hosts'],
    reads: [['hosts'], ['proxy', 'cookieDomains']],
  },
]

export const authTeamName = labelValue()
export const authTeamSpec = withRules(fields, rules)

export type AuthTeamSpec = z.output<typeof authTeamSpec>
