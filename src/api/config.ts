// PortcullisConfig: the one configuration file. Type, defaults and rules.
import * as z from 'zod'
import { check, type Parsed } from './problems.ts'
import { refined } from './rules.ts'
import { dnsLabel, dnsSubdomain, withoutDuplicates } from './schema.ts'

export type Config = {
  /** Portcullis' own namespace. */
  readonly namespace: string
  readonly clusterDomain: string
  /** The user that writes routes for certificate challenges. */
  readonly solver: string
  readonly controllers: readonly Controller[]
  readonly certificates: Certificates
  readonly settleSeconds: number
  readonly injectionFormat: number
}

export type Certificates = {
  readonly mode: 'self' | 'secret' | 'cert-manager'
  readonly secret?: string
  /** Of mode self; absent: a year, a week, a minute. */
  readonly authoritySeconds?: number
  readonly leafSeconds?: number
  readonly overlapSeconds?: number
}

/** What the controller name of an IngressClass or GatewayClass stands for. */
export type Controller = IngressNginx | Traefik | EnvoyGateway

export type IngressNginx = {
  readonly controller: string
  readonly gateway: 'ingress-nginx'
  readonly annotationPrefix: string
}

export type Traefik = {
  readonly controller: string
  readonly gateway: 'traefik'
  readonly separator: '-' | '_'
  readonly trustForwardHeader: boolean
}

export type EnvoyGateway = {
  readonly controller: string
  readonly gateway: 'envoy-gateway'
  readonly handedOver: readonly HandedOver[]
}

/** A Gateway that Portcullis may write policies for. */
export type HandedOver = {
  readonly namespace: string
  readonly name: string
  readonly strictListeners: readonly string[]
  readonly drainSeconds: number
  readonly keepEscapedSlashes: boolean
}

const CONFIG_GROUP_VERSION = 'config.auth.example/v1alpha1'

const controllerName = () =>
  z
    .string()
    .max(253)
    .regex(
      /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/[A-Za-z0-9/._~%!$&'()*+,;=:-]+$/,
      'must be a controller name with its domain, such as k8s.io/ingress-nginx',
    )
    .describe('spec.controller of the IngressClass or spec.controllerName of the GatewayClass.')

/** Asked of what may be wrong in itself, too. */
function gatewayKey(gateway: Partial<Record<keyof HandedOver, unknown>> | undefined): string | undefined {
  const { namespace, name } = gateway ?? {}
  return typeof namespace === 'string' && typeof name === 'string' ? `${namespace}/${name}` : undefined
}

const handedOver = z.strictObject({
  namespace: dnsLabel().describe('Namespace of the Gateway.'),
  name: dnsSubdomain().describe('Name of the Gateway.'),
  strictListeners: withoutDuplicates(z.array(dnsSubdomain()), listener => listener, [])
    .default([])
    .describe('Listeners that deny every route without a policy of its own.'),
  drainSeconds: z.int().min(0).max(86400).default(60).describe('How long its proxies drain old connections.'),
  keepEscapedSlashes: z.boolean().default(false).describe('Whether escaped slashes in paths stay as they are.'),
})

/** Which of the other fields there may be hangs on it. */
const gatewayName = <T extends string>(id: T) => z.literal(id).describe('ingress-nginx, traefik or envoy-gateway.')

const ingressNginx = z.strictObject({
  controller: controllerName(),
  gateway: gatewayName('ingress-nginx'),
  annotationPrefix: dnsSubdomain()
    .default('nginx.ingress.kubernetes.io')
    .describe('ingress-nginx: its --annotations-prefix.'),
})

const traefik = z.strictObject({
  controller: controllerName(),
  gateway: gatewayName('traefik'),
  separator: z.enum(['-', '_']).default('-').describe('traefik: _ where its providers have safeNaming on.'),
  trustForwardHeader: z
    .boolean()
    .default(false)
    .describe('traefik: whether X-Forwarded headers from its entry points are true.'),
})

const envoyGateway = z.strictObject({
  controller: controllerName(),
  gateway: gatewayName('envoy-gateway'),
  handedOver: withoutDuplicates(z.array(handedOver), gatewayKey, [])
    .default([])
    .describe('envoy-gateway: Gateways that Portcullis may write policies for; all others are only checked.'),
})

const controller = z.discriminatedUnion('gateway', [ingressNginx, traefik, envoyGateway])

/** The controller names under which the three gateways announce themselves. */
const WELL_KNOWN: z.input<typeof controller>[] = [
  { controller: 'k8s.io/ingress-nginx', gateway: 'ingress-nginx' },
  { controller: 'traefik.io/ingress-controller', gateway: 'traefik' },
  { controller: 'traefik.io/gateway-controller', gateway: 'traefik' },
  { controller: 'gateway.envoyproxy.io/gatewayclass-controller', gateway: 'envoy-gateway' },
]

const DAY = 86_400
const YEAR = 365 * DAY
const seconds = (most: number) => z.int().min(1).max(most).optional()

const certificates = refined(
  z.strictObject({
    mode: z.enum(['self', 'secret', 'cert-manager']).default('self').describe('Who issues the serving certificate.'),
    secret: dnsSubdomain().optional().describe('Name of the Secret with the certificate.'),
    authoritySeconds: seconds(YEAR).describe('Mode self: how long an authority is valid; at 2/3 the next one follows.'),
    leafSeconds: seconds(YEAR).describe('Mode self: how long a serving certificate is valid; renewed at 2/3.'),
    overlapSeconds: seconds(DAY).describe('Mode self: how long a new authority is published before it signs.'),
  }),
  [
    {
      holds: ({ authoritySeconds = YEAR, leafSeconds = 7 * DAY, overlapSeconds = 60 }) =>
        leafSeconds * 3 <= authoritySeconds && overlapSeconds * 3 <= leafSeconds,
      message:
        'a serving certificate may be valid for a third of the time of its authority, and the overlap takes a third of that at most',
      at: ['leafSeconds'],
      reads: [['authoritySeconds'], ['leafSeconds'], ['overlapSeconds']],
    },
    {
      holds: ({ mode, secret }) => mode !== 'secret' || secret !== undefined,
      message: 'mode secret needs secret, the name of the Secret with the certificate',
      at: ['secret'],
      reads: [['mode'], ['secret']],
    },
  ],
)

function handsOverOnce({ controllers }: { controllers: readonly z.output<typeof controller>[] }): boolean {
  const keys = controllers.flatMap(entry => (entry.gateway === 'envoy-gateway' ? entry.handedOver.map(gatewayKey) : []))
  return new Set(keys).size === keys.length
}

export const configFields = z.strictObject({
  apiVersion: z.literal(CONFIG_GROUP_VERSION),
  kind: z.literal('PortcullisConfig'),
  metadata: z.looseObject({ name: z.string().optional() }).optional(),
  namespace: z
    .string()
    .max(63)
    .regex(
      /^[a-z0-9]+$/,
      'must be lower-case letters and digits alone: Traefik joins namespace and name with a dash, so a dash here would let another namespace stand in for it',
    )
    .default('portcullis')
    .describe("Portcullis' own namespace; the manifests name it too."),
  clusterDomain: dnsSubdomain().default('cluster.local').describe('The DNS domain of the cluster.'),
  solver: z
    .string()
    .min(1)
    .max(253)
    .default('system:serviceaccount:cert-manager:cert-manager')
    .describe('The user that writes the routes of certificate challenges, which need no login where one is required.'),
  controllers: withoutDuplicates(z.array(controller), entry => entry?.controller, ['controller'])
    .prefault(WELL_KNOWN)
    .describe(
      'Which gateway a controller name stands for. A list here replaces the default, which has the well-known names.',
    ),
  certificates: certificates.prefault({}).describe('Where the serving certificate is from.'),
  settleSeconds: z
    .int()
    .min(0)
    .max(3600)
    .default(5)
    .describe('How long what guards a route must have been right before it counts.'),
  injectionFormat: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(1)
    .describe('The format of what is injected; raised after a rollout.'),
})

const schema = refined(configFields, [
  {
    holds: handsOverOnce,
    message: 'a Gateway is handed over twice; one controller can have it',
    at: ['controllers'],
    reads: [['controllers']],
  },
])

export function parseConfig(input: unknown): Parsed<Config> {
  const parsed = check(schema, input)
  if ('problems' in parsed) return parsed
  const { namespace, clusterDomain, solver, controllers, certificates, settleSeconds, injectionFormat } = parsed.value
  return {
    value: {
      namespace,
      clusterDomain,
      solver,
      controllers,
      certificates: given(certificates),
      settleSeconds,
      injectionFormat,
    },
  }
}

/** Without fields that are not there. */
function given({ mode, ...rest }: z.output<typeof certificates>): Certificates {
  const entries = Object.entries(rest).filter(([, value]) => value !== undefined)
  return { mode, ...Object.fromEntries(entries) }
}

/** What serves where there is no file. */
export function defaultConfig(): Config {
  const parsed = parseConfig({ apiVersion: CONFIG_GROUP_VERSION, kind: 'PortcullisConfig' })
  if ('problems' in parsed) throw new Error(`defaults: ${parsed.problems.map(({ path }) => path).join(', ')}`)
  return parsed.value
}
