// The CustomResourceDefinitions, made from the schemas that also read files.
import { stringify } from 'yaml'
import type * as z from 'zod'
import { authExemptionName, authExemptionSpec } from './auth-exemption.ts'
import { authTeamName, authTeamSpec } from './auth-team-schema.ts'
import { GROUP, VERSION } from './resource.ts'
import { authTeamStatus } from './status.ts'
import { type Structural, structural } from './structural.ts'

type Column = {
  name: string
  type: 'string' | 'boolean' | 'integer' | 'date'
  jsonPath: string
  description: string
  /** Above 0: shown by `-o wide` only. */
  priority?: number
}

type Resource = {
  readonly kind: string
  readonly plural: string
  readonly shortName: string
  readonly description: string
  readonly name: z.ZodType
  readonly spec: z.ZodType
  readonly status?: z.ZodType
  readonly columns: readonly Column[]
}

const AGE: Column = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Since when it is there.',
}

function condition(type: string, description: string): Column {
  return { name: type, type: 'string', jsonPath: `.status.conditions[?(@.type=="${type}")].status`, description }
}

const RESOURCES: readonly Resource[] = [
  {
    kind: 'AuthTeam',
    plural: 'authteams',
    shortName: 'at',
    description:
      'AuthTeam is one oauth2-proxy and the namespaces that may put it in front of their routes. It is the blast radius of a session: every application of the team sees its cookie.',
    name: authTeamName,
    spec: authTeamSpec,
    status: authTeamStatus,
    columns: [
      condition('Ready', 'Whether it can protect routes.'),
      {
        name: 'Reason',
        type: 'string',
        jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
        description: 'Why it can, or cannot.',
      },
      { ...condition('ProxyAvailable', 'Whether its Service is there.'), name: 'Proxy' },
      condition('Conflicting', 'Whether another team is in the way.'),
      {
        name: 'Ingresses',
        type: 'integer',
        jsonPath: '.status.routes.ingress',
        description: 'Ingresses that it protects.',
      },
      {
        name: 'HTTPRoutes',
        type: 'integer',
        jsonPath: '.status.routes.httpRoute',
        description: 'HTTPRoutes that it protects.',
      },
      {
        name: 'Login',
        type: 'string',
        jsonPath: '.spec.proxy.loginHost',
        description: 'Host on which the login is served; none: every host serves its own.',
      },
      {
        name: 'Default',
        type: 'boolean',
        jsonPath: '.spec.namespaces.default',
        description: 'Whether it is what "true" means in its namespaces.',
        priority: 1,
      },
      {
        name: 'Message',
        type: 'string',
        jsonPath: '.status.conditions[?(@.type=="Ready")].message',
        description: 'What is in the way of protecting routes.',
        priority: 1,
      },
      AGE,
    ],
  },
  {
    kind: 'AuthExemption',
    plural: 'authexemptions',
    shortName: 'ae',
    description: 'AuthExemption names a route that may stay public where protection is required, and says why.',
    name: authExemptionName,
    spec: authExemptionSpec,
    columns: [
      { name: 'Kind', type: 'string', jsonPath: '.spec.route.kind', description: 'Kind of the route.' },
      { name: 'Namespace', type: 'string', jsonPath: '.spec.route.namespace', description: 'Namespace of the route.' },
      { name: 'Route', type: 'string', jsonPath: '.spec.route.name', description: 'Name of the route.' },
      // Not a date column: those are shown as time that has passed.
      { name: 'Expires', type: 'string', jsonPath: '.spec.expires', description: 'When it ends.' },
      AGE,
    ],
  },
]

export function customResourceDefinitions(): object[] {
  return RESOURCES.map(definition)
}

/** File names and what is in the files. */
export function customResourceDefinitionFiles(): ReadonlyMap<string, string> {
  return new Map(
    RESOURCES.map(resource => [
      `${resource.plural}.yaml`,
      `# Made from src/api by \`npm run generate\`; edit it there.\n${stringify(definition(resource), { lineWidth: 0, compat: 'yaml-1.1' })}`,
    ]),
  )
}

function definition(resource: Resource): object {
  const { kind, plural, shortName, columns, status } = resource
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}`, labels: { 'app.kubernetes.io/name': 'portcullis' } },
    spec: {
      group: GROUP,
      scope: 'Cluster',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: [shortName],
        categories: ['portcullis'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          additionalPrinterColumns: columns,
          ...(status === undefined ? {} : { subresources: { status: {} } }),
          schema: { openAPIV3Schema: root(resource) },
        },
      ],
    },
  }
}

function root({ kind, description, name, spec, status }: Resource): Structural {
  const { 'x-kubernetes-validations': rules, ...text } = structural(name)
  return {
    description,
    type: 'object',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string', description: `${GROUP}/${VERSION}` },
      kind: { type: 'string', description: kind },
      metadata: { type: 'object', properties: { name: text } },
      spec: { description: 'What administrators say.', ...structural(spec) },
      ...(status === undefined ? {} : { status: { description: 'What Portcullis has found.', ...structural(status) } }),
    },
    ...(rules === undefined ? {} : { 'x-kubernetes-validations': (rules as Validation[]).map(onName) }),
  }
}

type Validation = { rule: string; message: string }

/** Metadata has no rules of its own: those about the name stand at the root. */
function onName({ rule, message }: Validation): object {
  return {
    rule: rule.replaceAll(/\bself\b/g, 'self.metadata.name'),
    message: `the name ${message}`,
    fieldPath: '.metadata.name',
  }
}
