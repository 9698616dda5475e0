// Whether an update changes anything that decides about protection. What it does not touch is not judged again, so that
// a changed configuration never locks people out of their own objects.
import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../api/config.ts'
import { object } from '../core/json.ts'
import { ACME_SOLVER, INJECTED, LEGACY_CLASS, MANAGED_BY, ROUTE_LABELS } from '../core/keys.ts'
import { readRoute } from '../core/route.ts'
import type { Facts, GatewayKind, KubeObject } from '../core/types.ts'

const LABELS = [...ROUTE_LABELS, MANAGED_BY, ACME_SOLVER]

export function touched(
  before: KubeObject,
  after: KubeObject,
  facts: Facts,
  gateways: readonly GatewayKind[],
): boolean {
  const [oldLabels, newLabels] = [object(before.metadata.labels), object(after.metadata.labels)]
  if (LABELS.some(label => oldLabels[label] !== newLabels[label])) return true
  const [oldAnnotations, newAnnotations] = [object(before.metadata.annotations), object(after.metadata.annotations)]
  for (const key of new Set([...Object.keys(oldAnnotations), ...Object.keys(newAnnotations)])) {
    if (oldAnnotations[key] !== newAnnotations[key] && isJudged(key, facts.config, gateways)) return true
  }
  if (!isDeepStrictEqual(before.spec, after.spec)) return true
  return !isDeepStrictEqual(oldLabels, newLabels) && comesUnder(before, after, facts, gateways)
}

function comesUnder(before: KubeObject, after: KubeObject, facts: Facts, gateways: readonly GatewayKind[]): boolean {
  const [was, is] = [readRoute(before), readRoute(after)]
  if (was === undefined || is === undefined) return false
  return gateways.some(gateway => gateway.comesUnder?.(was, is, facts) === true)
}

function isJudged(annotation: string, config: Config, gateways: readonly GatewayKind[]): boolean {
  if (annotation === INJECTED || annotation === LEGACY_CLASS) return true
  return config.controllers.some(controller =>
    gateways.some(gateway => gateway.id === controller.gateway && gateway.reads(annotation, controller)),
  )
}
