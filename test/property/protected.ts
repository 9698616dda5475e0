// Whether a stored route is protected, read from the object itself and not from what was planned for it.
import { plan } from '../../src/core/planner.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { gateways } from '../../src/gateways/index.ts'
import { cluster, httpRoute, ingress, parent } from '../facts/cluster.ts'
import { annotationsOf, applied, patchOf } from './apply.ts'
import { MIDDLEWARES, PROTECT } from './arbitrary.ts'

const OURS = [PROTECT, 'auth.example/access', 'auth.example/client'] as const
/** What of ingress-nginx's own keys may stand beside ours without a way round the login. */
const HARMLESS = /^(auth-tls-.*|custom-http-errors|default-backend|proxy-buffer-size)$/
const facts = cluster()

export function labelOf(object: KubeObject, key: string): string | undefined {
  const value = (object.metadata.labels as Record<string, unknown> | undefined)?.[key]
  return typeof value === 'string' ? value : undefined
}

export function isProtected(object: KubeObject): boolean {
  const labels = Object.fromEntries(
    OURS.flatMap(key => (labelOf(object, key) === undefined ? [] : [[key, labelOf(object, key)]])),
  )
  return object.kind === 'Ingress' ? isProtectedIngress(object, labels) : isProtectedHTTPRoute(object, labels)
}

function isProtectedIngress(object: KubeObject, labels: object): boolean {
  const annotations = annotationsOf(object)
  const className =
    (object.spec as { ingressClassName?: string }).ingressClassName ?? annotations['kubernetes.io/ingress.class']
  const plain = annotationsOf(shut(ingress({ labels }, { ingressClassName: className })))
  if (className === 'traefik') return firstOf(annotations[MIDDLEWARES]) === firstOf(plain[MIDDLEWARES])
  const prefix = className === 'nginx' ? 'nginx.ingress.kubernetes.io/' : 'internal.example.com/'
  const login = Object.keys(plain).filter(key => key.startsWith(`${prefix}auth-`))
  const others = Object.keys(annotations).filter(
    key =>
      key.startsWith(prefix) &&
      /^(auth-|satisfy|enable-global|.*-snippet)/.test(key.slice(prefix.length)) &&
      !login.includes(key),
  )
  return (
    login.includes(`${prefix}auth-url`) &&
    login.every(key => annotations[key] === plain[key]) &&
    others.every(key => HARMLESS.test(key.slice(prefix.length)))
  )
}

function firstOf(list: string | undefined): string | undefined {
  return list?.split(',')[0]?.trim()
}

type Rules = { parentRefs: { name: string }[]; rules: { filters?: unknown[] }[] }

/** Behind Envoy Gateway companions select by label, which is there when this is asked. */
function isProtectedHTTPRoute(object: KubeObject, labels: object): boolean {
  const { parentRefs, rules } = object.spec as Rules
  const gateway = parentRefs[0]!.name
  if (gateway === 'envoy') return true
  const plain = shut(httpRoute({ labels }, { parentRefs: [parent(gateway)] })).spec as Rules
  const first = JSON.stringify(plain.rules[0]?.filters?.[0])
  return first !== undefined && rules.every(rule => JSON.stringify(rule.filters?.[0]) === first)
}

function shut(object: KubeObject): KubeObject {
  const planned = plan(object, facts, gateways)
  if (planned.outcome !== 'protect') throw new Error(JSON.stringify(planned))
  return applied(object, patchOf(planned))
}
