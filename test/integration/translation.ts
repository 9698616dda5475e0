// Envoy Gateway's own translator, run offline, and what it made: statuses, filter chains, routes.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { array, isObject, type JsonObject, object } from '../../src/core/json.ts'
import { selects } from '../../src/core/selector.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { locate } from '../parts/locate.ts'
import { inYaml } from './objects.ts'

export type Chain = { readonly filters: readonly string[]; readonly headers: readonly string[] }

export type Served = {
  /** The path that oauth2-proxy is asked at; undefined: it is not asked. */
  readonly asks?: string
  /** The header with which a request is let through. */
  readonly guard?: string
  /** What becomes of all other requests; undefined: no authorization here. */
  readonly otherwise?: string
  /** Answered by Envoy itself. */
  readonly answers?: number
}

export type Translation = {
  /** Of each listener, such as `shared: Accepted`. */
  policy(namespace: string, name: string): string[]
  /** By listener, such as `gateways/main/shared`. */
  readonly chains: ReadonlyMap<string, Chain>
  /** Of an HTTPRoute, with one rule. */
  route(name: string): Served
}

const MAX_OUTPUT = 64 * 1024 * 1024

export async function translate(documents: readonly KubeObject[]): Promise<Translation> {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-translate-'))
  const file = join(dir, 'in.yaml')
  writeFileSync(file, inYaml(named(documents)))
  const args = ['experimental', 'translate', '--to', 'gateway-api,xds', '--output', 'yaml', '--file', file]
  const { stdout } = await promisify(execFile)(locate('egctl') ?? 'egctl', args, { maxBuffer: MAX_OUTPUT })
  rmSync(dir, { recursive: true })
  const out = object(parse(stdout))
  const configs = Object.values(object(out.xds)).flatMap(xds => array(object(xds).configs).map(object))
  const managers = configs.flatMap(config => array(config.dynamicListeners)).flatMap(readChains)
  const chains = new Map(managers.map(([name, manager]) => [name, readChain(manager)]))
  const paths = new Map(managers.flatMap(([, manager]) => array(manager.httpFilters).map(object).map(readPath)))
  const routes = configs.flatMap(config => array(config.dynamicRouteConfigs)).flatMap(readRoutes)
  return {
    policy(namespace, name) {
      const found = array(out.securityPolicies)
        .map(each => object(each))
        .find(({ metadata }) => object(metadata).name === name && object(metadata).namespace === namespace)
      return readStatus(found)
    },
    chains,
    route(name) {
      const [found, another] = routes.filter(each => String(each.name).split('/')[2] === name)
      if (found === undefined || another !== undefined) throw new Error(`there is not one route for ${name}`)
      return readServed(found, paths)
    },
  }
}

/**
 * egctl 1.9.1 reads the name and the namespace of an object and no other metadata. So what a policy selects by labels is
 * named here, and of several policies for one route the first by name wins, as among those of the same second.
 */
function named(documents: readonly KubeObject[]): KubeObject[] {
  return documents.flatMap(document => {
    const { targetSelectors, ...spec } = object(document.spec)
    if (targetSelectors === undefined) return [document]
    const selected = documents.filter(
      ({ kind, metadata }) =>
        metadata.namespace === document.metadata.namespace &&
        array(targetSelectors).some(each => object(each).kind === kind && selects(object(each), labelsOf(metadata))),
    )
    const targetRefs = selected.map(({ kind, metadata }) => ({ group: GROUP, kind, name: metadata.name }))
    return targetRefs.length === 0 ? [] : [{ ...document, spec: { ...spec, targetRefs } }]
  })
}

const GROUP = 'gateway.networking.k8s.io'

function labelsOf({ labels }: JsonObject): Record<string, string> {
  return object(labels) as Record<string, string>
}

function readStatus(policy: JsonObject | undefined): string[] {
  return array(object(policy?.status).ancestors)
    .map(object)
    .map(({ ancestorRef, conditions }) => {
      const accepted = array(conditions)
        .map(object)
        .find(({ type }) => type === 'Accepted')
      return `${String(object(ancestorRef).sectionName)}: ${String(accepted?.reason)}`
    })
}

/** Of each filter chain, which is one listener of a Gateway, its name and its HTTP connection manager. */
function readChains(dynamic: unknown): [string, JsonObject][] {
  const { filterChains } = object(object(object(dynamic).activeState).listener)
  return array(filterChains).map(each => {
    const { name, filters } = object(each)
    return [String(name), object(object(array(filters)[0]).typedConfig)]
  })
}

function readChain({ httpFilters, earlyHeaderMutationExtensions }: JsonObject): Chain {
  const mutations = array(earlyHeaderMutationExtensions).flatMap(each =>
    array(object(object(each).typedConfig).mutations),
  )
  return { filters: array(httpFilters).map(each => String(object(each).name)), headers: mutations.map(readMutation) }
}

function readMutation(mutation: unknown): string {
  const { remove, append } = object(mutation)
  if (typeof remove === 'string') return `remove ${remove}`
  const { header, appendAction } = object(append)
  return `${String(appendAction)} ${String(object(header).key)}: ${String(object(header).value)}`
}

/** The filters that ask an authorization service are in the chain disabled, and each route enables its own. */
function readPath({ name, typedConfig }: JsonObject): [string, string | undefined] {
  const { pathOverride } = object(object(typedConfig).httpService)
  return [String(name), typeof pathOverride === 'string' ? pathOverride : undefined]
}

function readRoutes(dynamic: unknown): JsonObject[] {
  const hosts = array(object(object(dynamic).routeConfig).virtualHosts).map(object)
  return hosts.flatMap(host => array(host.routes)).map(object)
}

function readServed(route: JsonObject, paths: ReadonlyMap<string, string | undefined>): Served {
  const filters = object(route.typedPerFilterConfig)
  const asks = Object.keys(filters)
    .map(name => paths.get(name))
    .find(path => path !== undefined)
  const matcher = object(object(object(filters['envoy.filters.http.rbac']).rbac).matcher)
  const otherwise =
    object(object(matcher.onNoMatch).action).name === 'default' ? actionOf(matcher.onNoMatch) : undefined
  const { status } = object(route.directResponse)
  return {
    ...(asks === undefined ? {} : { asks }),
    ...(matcher.matcherList === undefined ? {} : { guard: readGuard(matcher.matcherList) }),
    ...(otherwise === undefined ? {} : { otherwise }),
    ...(typeof status === 'number' ? { answers: status } : {}),
  }
}

function actionOf(onMatch: unknown): string {
  return String(object(object(object(onMatch).action).typedConfig).name)
}

/** The one rule, which allows what has a header: `'NAME' in request.headers`, as parsed. */
function readGuard(list: unknown): string {
  const [matcher, another] = array(object(list).matchers).map(object)
  if (matcher === undefined || another !== undefined) throw new Error('there is not one rule')
  const call = findCall(matcher.predicate)
  const [header, headers] = array(call?.args).map(object)
  const { field, operand } = object(headers?.selectExpr)
  const { stringValue } = object(header?.constExpr)
  const of = object(object(operand).identExpr).name
  return `${actionOf(matcher.onMatch)} ${String(stringValue)} ${String(call?.function)} ${String(of)}.${String(field)}`
}

function findCall(value: unknown): JsonObject | undefined {
  if (!isObject(value)) return undefined
  if (isObject(value.callExpr)) return value.callExpr
  return Object.values(value)
    .map(findCall)
    .find(each => each !== undefined)
}
