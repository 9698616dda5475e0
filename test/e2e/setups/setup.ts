// A reference setup: the golden case that says what its objects are, moved to hosts and Gateways of the stage.
import { type AuthTeam, parseAuthTeam } from '../../../src/api/auth-team.ts'
import { object, strings } from '../../../src/core/json.ts'
import type { KubeObject } from '../../../src/core/types.ts'
import { readCase } from '../../golden/case.ts'
import { withoutLabel } from '../../golden/run.ts'
import type { Place } from '../protected.ts'
import type { OpenIdClient } from '../stage/openid-provider.ts'

export type Setup = {
  readonly team: AuthTeam
  /** The AuthTeam as it is written, and what else the case has beside the applications. */
  readonly facts: readonly KubeObject[]
  /** Without our labels. */
  readonly applications: readonly KubeObject[]
  readonly client: OpenIdClient
}

export type SetupOptions = {
  /** The name of a case of test/golden/reference-setups. */
  readonly name: string
  /** What is called otherwise on the stage, in the JSON of the case. */
  readonly renamed: Readonly<Record<string, string>>
  /** More of its AuthTeam than the case needs. */
  readonly spec?: Readonly<Record<string, unknown>>
}

/** The stage has its own. */
const OF_THE_STAGE = ['PortcullisConfig', 'IngressClass', 'GatewayClass', 'Gateway']

export function readSetup({ name, renamed, spec = {} }: SetupOptions): Setup {
  const { documents, planned } = readCase(`reference-setups/${name}`)
  const here = (each: KubeObject): KubeObject => {
    const text = Object.entries(renamed).reduce((text, pair) => text.replaceAll(...pair), JSON.stringify(each))
    const { creationTimestamp: _, ...metadata } = JSON.parse(text).metadata
    return { ...JSON.parse(text), metadata }
  }
  const facts = documents
    .filter(each => !planned.includes(each) && !OF_THE_STAGE.includes(each.kind))
    .map(here)
    .map(each => (each.kind === 'AuthTeam' ? { ...each, spec: { ...object(each.spec), ...spec } } : each))
  const applications = planned.map(withoutLabel).map(here)
  const team = teamOf(facts)
  const redirects = team.proxy.loginHost === undefined ? applications.flatMap(hostsOf) : [team.proxy.loginHost]
  const redirectUris = redirects.map(host => `https://${host}${team.proxy.pathPrefix}/callback`)
  return { team, facts, applications, client: { id: team.name, secret: `secret of ${team.name}`, redirectUris } }
}

function teamOf(facts: readonly KubeObject[]): AuthTeam {
  const parsed = parseAuthTeam(facts.find(each => each.kind === 'AuthTeam'))
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems))
  return parsed.value
}

export function hostsOf({ spec }: KubeObject): string[] {
  const { hostnames, rules } = object(spec) as { hostnames?: string[]; rules?: { host?: string }[] }
  return hostnames ?? (rules ?? []).flatMap(({ host }) => (host === undefined ? [] : [host]))
}

/** What its first rule leads to. */
export function backendOf({ kind, metadata, spec }: KubeObject): { namespace: string; name: string; port: number } {
  const [rule] = object(spec).rules as readonly unknown[]
  const of = String(metadata.namespace)
  if (kind === 'Ingress') {
    const { http } = rule as { http: { paths: { backend: { service: { name: string; port: { number: number } } } }[] } }
    const { name, port } = (http.paths[0] as (typeof http.paths)[number]).backend.service
    return { namespace: of, name, port: port.number }
  }
  const { backendRefs } = rule as { backendRefs: { name: string; port: number }[] }
  return { namespace: of, ...(backendRefs[0] as (typeof backendRefs)[number]) }
}

export function placeOf(route: KubeObject): Place {
  const { namespace, name } = backendOf(route)
  const host = hostsOf(route)[0] as string
  return { namespace, application: name, host: () => host, url: path => `https://${host}${path}`, route: () => route }
}

/** The same object with other annotations of its owner; undefined takes one out. */
export function annotated(route: KubeObject, annotations: Readonly<Record<string, string | undefined>>): KubeObject {
  const all = Object.entries({ ...strings(route.metadata.annotations), ...annotations })
  const present = Object.fromEntries(all.filter(([, value]) => value !== undefined))
  return { ...route, metadata: { ...route.metadata, annotations: present as Record<string, string> } }
}
