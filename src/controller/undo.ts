// Taking everything back: what a route gives up, which companions there are, and in which order they may go.
import { sameFilter } from '../core/bare.ts'
import { releasePatch } from '../core/inject.ts'
import { array, object, string, strings } from '../core/json.ts'
import { INJECTED, MANAGED_BY, MANAGER, PROTECT, SCOPE, STANDS_FOR } from '../core/keys.ts'
import { NET_PREFIX } from '../core/names.ts'
import { type Record, readRecord } from '../core/record.ts'
import { readRoute, routeKind } from '../core/route.ts'
import { saysOpen } from '../core/team.ts'
import type { Facts, GatewayKind, KubeObject, Operation } from '../core/types.ts'

/** Kinds of which companions are. */
export const COMPANION_KINDS = [
  'SecurityPolicy',
  'ClientTrafficPolicy',
  'Middleware',
  'HTTPRoute',
  'Ingress',
  'ReferenceGrant',
  'BackendTLSPolicy',
] as const

export type Undo = {
  readonly patch: readonly Operation[]
  /** What a record names and still stands there, though no gateway of the configuration would have written it. */
  readonly untouched: readonly string[]
  /** The gateway that would have, if the configuration had it: without that the record is the only trace of it. */
  readonly unconfigured?: string
}

/** undefined: nothing of ours is in it. */
export function undoOf(document: KubeObject, facts: Facts, gateways: readonly GatewayKind[]): Undo | undefined {
  const route = readRoute(document)
  const text = route?.annotations[INJECTED]
  if (route === undefined || text === undefined) return undefined
  const record = readRecord(text)
  const patch = releasePatch(route, record, facts, gateways)
  const paths = new Set(patch.map(each => each.path))
  const isTouched = (key: string) =>
    paths.has('/metadata/annotations') ||
    paths.has(`/metadata/annotations/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`)
  const keys = Object.keys(record?.set ?? {}).filter(key => {
    const was = record?.was[key] ?? null
    // What stood before stands again, or stands still.
    return (
      !isTouched(key) && (record?.set[key] ?? null) === (route.annotations[key] ?? null) && record?.set[key] !== was
    )
  })
  const untouched = [...keys, ...(filterStays(document, record, patch) ? ['spec.rules[*].filters'] : [])]
  const isConfigured = facts.config.controllers.some(each => each.gateway === record?.gateway)
  const gateway = gateways.find(each => each.id === record?.gateway)?.id
  if (untouched.length === 0 || isConfigured || gateway === undefined) return { patch, untouched }
  return { patch, untouched, unconfigured: gateway }
}

function filterStays(document: KubeObject, record: Record | undefined, patch: readonly Operation[]): boolean {
  if (record?.filter === undefined || patch.some(each => each.path.startsWith('/spec/rules/'))) return false
  const { group, kind, name } = record.filter
  return array(object(document.spec).rules)
    .flatMap(rule => array(object(rule).filters))
    .some(filter => sameFilter(filter, { type: 'ExtensionRef', extensionRef: { group, kind, name } }))
}

/** Whether a route has something of ours, or is labelled, so that only a companion may keep it closed. */
export function isPublicAfter(document: KubeObject): boolean {
  if (routeKind(document) === undefined || isCompanionObject(document)) return false
  const { labels, annotations } = document.metadata
  if (strings(annotations)[INJECTED] !== undefined) return true
  return document.kind === 'HTTPRoute' && !saysOpen(strings(labels)[PROTECT])
}

export function hasRecord({ metadata }: KubeObject): boolean {
  return strings(metadata.annotations)[INJECTED] !== undefined
}

/** By our label, and by an annotation that only we write: the label alone may be a mistake of somebody's. */
export function isCompanionObject({ kind, metadata }: KubeObject): boolean {
  return (
    (COMPANION_KINDS as readonly string[]).includes(kind) &&
    strings(metadata.labels)[MANAGED_BY] === MANAGER &&
    strings(metadata.annotations)[STANDS_FOR] !== undefined
  )
}

/** 0: guards nothing. 1: a guard. 2: a net, which closes where a guard is gone. They go in this order. */
export function rankOf({ kind, metadata }: KubeObject): 0 | 1 | 2 {
  if (kind === 'SecurityPolicy' && String(metadata.name).startsWith(NET_PREFIX)) return 2
  const scope = scopeOf(metadata)
  if (scope?.startsWith('route/')) return 0
  if (kind === 'SecurityPolicy' || kind === 'ClientTrafficPolicy' || kind === 'Middleware') return 1
  return scope?.startsWith('gateway/') ? 1 : 0
}

/** Of a namespace alone: what its routes and the teams in it have there. What others share stays. */
export function isOfNamespace({ metadata }: KubeObject, namespace: string): boolean {
  const [of, first, second] = (scopeOf(metadata) ?? '').split('/')
  return (of === 'namespace' && first === namespace) || (of === 'route' && second === namespace)
}

/** A route in which something of ours is left, and which may rely on this companion. */
export function reliesOn({ metadata }: KubeObject, left: readonly KubeObject[]): KubeObject | undefined {
  const [of, first, second, third] = (scopeOf(metadata) ?? '').split('/')
  return left.find(({ kind, metadata: { namespace, name, annotations } }) => {
    switch (of) {
      case 'team':
        return readRecord(strings(annotations)[INJECTED])?.team === first
      case 'namespace':
        return namespace === first
      case 'route':
        return kind === first && namespace === second && name === third
      default:
        return kind === 'HTTPRoute'
    }
  })
}

function scopeOf(metadata: KubeObject['metadata']): string | undefined {
  return string(object(metadata.annotations)[SCOPE])
}
